package contest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/peer/arrays"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// short leaves out an account of every list; stuck never answers a list; broken does not start; mute hears of no change.
type (
	short  struct{ *arrays.System }
	stuck  struct{ *arrays.System }
	broken struct{ *arrays.System }
	mute   struct{ *arrays.System }
)

func (s short) List(ctx context.Context, user int) ([]int32, error) {
	all, err := s.System.List(ctx, user)
	return all[1:], err
}

func (stuck) List(ctx context.Context, _ int) ([]int32, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func (broken) Start(context.Context) error { return errors.New("it does not start\nfor many reasons") }

func (mute) Put(context.Context, tree.Membership) error { return nil }

// said collects what a contest says.
type said struct{ t *testing.T }

func (s said) Write(text []byte) (int, error) {
	s.t.Logf("%s", strings.TrimSpace(string(text)))
	return len(text), nil
}

func contested(t *testing.T, cfg Config, systems map[string]peer.System) *Result {
	t.Helper()
	w, err := tree.New(tree.SizeOf(400, 1))
	if err != nil {
		t.Fatal(err)
	}
	var all []Contestant
	for name, s := range systems {
		all = append(all, Contestant{Name: name, Title: name, System: s})
	}
	cfg.Rounds, cfg.Each, cfg.Log = 2, time.Millisecond, said{t}
	cfg.Extent = peer.Extent{Checks: 10, Users: 2, Limit: cfg.Limit}
	r, err := Run(t.Context(), w, all, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Result) system(name string) *System {
	for _, s := range r.Systems {
		if s.Name == name {
			return s
		}
	}
	return nil
}

func TestRunCountsWrongAnswers(t *testing.T) {
	r := contested(t, Config{Limit: time.Minute, Growth: true}, map[string]peer.System{"right": arrays.New(), "short": short{arrays.New()}})
	key := ListKey(Ninth(r.World).Accounts)
	if wrong, of := r.Cell(key, "short").Wrong(); wrong == 0 || wrong != of {
		t.Errorf("%d of %d short lists are wrong", wrong, of)
	}
	if wrong, of := r.Cell(key, "right").Wrong(); wrong > 0 || of == 0 {
		t.Errorf("%d of %d lists are wrong", wrong, of)
	}
	if r.system("short").Verdict.Right() || !r.system("right").Verdict.Right() {
		t.Errorf("verdicts: %q, %q", r.system("short").Verdict.Faults, r.system("right").Verdict.Faults)
	}
	if all := r.Ratios(AllowDeep, "right", "short", func(f Figure) float64 { return f.Median }); len(all) != 2 {
		t.Errorf("ratios of two rounds: %v", all)
	}
	if all := r.Ratios(key, "short", "right", func(f Figure) float64 { return f.Median }); len(all) != 0 {
		t.Errorf("a system with wrong answers has ratios %v", all)
	}
}

func TestRunSaysWhatTookTooLong(t *testing.T) {
	r := contested(t, Config{Limit: 20 * time.Millisecond, Growth: true}, map[string]peer.System{"stuck": stuck{arrays.New()}})
	if got := r.Cell(ListKey(Ninth(r.World).Accounts), "stuck").Note; got != "over 20ms" {
		t.Errorf("the cell says %q", got)
	}
	if v := r.system("stuck").Verdict; !v.Right() || len(v.Late) == 0 {
		t.Errorf("the verdict: faults %q, late %q", v.Faults, v.Late)
	}
	if _, of := r.Cell(AllowDeep, "stuck").Wrong(); of == 0 {
		t.Error("its checks were not measured")
	}
}

func TestRunLeavesOutWhatFails(t *testing.T) {
	r := contested(t, Config{Limit: 500 * time.Millisecond}, map[string]peer.System{
		"broken": broken{arrays.New()}, "mute": mute{arrays.New()}, "right": arrays.New(),
	})
	if got := r.system("broken").Failed; got != "it does not start" {
		t.Errorf("broken: %q", got)
	}
	if got := r.system("mute").Failed; !strings.Contains(got, "a change was not seen") {
		t.Errorf("mute: %q", got)
	}
	if s := r.system("right"); s.Failed != "" || r.Rounds != 2 {
		t.Errorf("right: %q, %d rounds", s.Failed, r.Rounds)
	}
}
