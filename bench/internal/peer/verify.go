package peer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/bench/internal/tree"
)

// Verdict is what a system's answers were worth, compared with the world's own.
type Verdict struct {
	Asked  int      // answers compared
	Faults []string // what was wrong or incomplete, in words; none is all right
	Late   []string // what was not compared, as it took too long
}

// Right reports whether all answers were.
func (v Verdict) Right() bool { return len(v.Faults) == 0 }

func (v *Verdict) fault(format string, args ...any) {
	v.Faults = append(v.Faults, fmt.Sprintf(format, args...))
}

// Extent says how much to compare.
type Extent struct {
	Checks int // random questions
	Users  int // ordinary users whose lists and pages are compared, besides those with names

	Limit time.Duration // for one answer; 0 is none
}

// within bounds one question.
func (e Extent) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.Limit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, e.Limit)
}

// Verify asks a system and compares: checks, lists as sets, first pages and searches in their
// order and with their totals. An error of the system is a fault of the verdict, unless ctx has ended.
func Verify(ctx context.Context, s System, w *tree.World, e Extent) (Verdict, error) {
	var v Verdict
	v.checks(ctx, s, w, e.Checks)
	users := append(w.Ordinary(e.Users, 1), w.Three, w.Stranger)
	for _, r := range w.Reaches {
		users = append(users, r.User)
	}
	for _, user := range users {
		v.list(ctx, s, w, user, e)
		for _, query := range []string{"", tree.SearchWord} {
			v.page(ctx, s, w, user, query, e)
		}
	}
	return v, ctx.Err()
}

func (v *Verdict) checks(ctx context.Context, s System, w *tree.World, n int) {
	questions := w.Questions(n, 1)
	for _, r := range w.Reaches {
		for _, account := range []int{0, w.Leaf()} {
			questions = append(questions, w.Question(r.User, account, tree.Manage))
		}
	}
	wrong := 0
	for _, q := range questions {
		v.Asked++
		allowed, err := s.Check(ctx, q.User, q.Account, q.Permission)
		if err != nil {
			v.fault("check: %v", err)
			return
		}
		if allowed != q.Allowed {
			wrong++
		}
	}
	if wrong > 0 {
		v.fault("%d of %d checks are wrong", wrong, len(questions))
	}
}

func (v *Verdict) list(ctx context.Context, s System, w *tree.World, user int, e Extent) {
	bounded, cancel := e.within(ctx)
	defer cancel()
	want := w.List(user)
	got, err := s.List(bounded, user)
	if !v.answered(bounded, fmt.Sprintf("list of %d", len(want)), err) {
		return
	}
	if extra := len(got) - len(want); extra < 0 {
		v.fault("list: %d of %d accounts", len(got), len(want))
		return
	}
	got = slices.Clone(got)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		v.fault("list: %d accounts are not the %d right ones", len(got), len(want))
	}
}

// answered notes whether there was an answer to compare.
func (v *Verdict) answered(ctx context.Context, what string, err error) bool {
	switch {
	case err == nil:
		v.Asked++
	case ctx.Err() != nil:
		v.Late = append(v.Late, what)
	default:
		v.fault("%s: %v", what, err)
	}
	return err == nil
}

func (v *Verdict) page(ctx context.Context, s System, w *tree.World, user int, query string, e Extent) {
	bounded, cancel := e.within(ctx)
	defer cancel()
	what := strings.TrimSpace("page " + query)
	accounts, total := w.Page(user, query, PageSize)
	got, err := s.Page(bounded, user, query)
	if !v.answered(bounded, fmt.Sprintf("%s of %d", what, total), err) {
		return
	}
	if got.Total != total {
		v.fault("%s: total %d, not %d", what, got.Total, total)
		return
	}
	if !slices.Equal(got.Accounts, accounts) {
		v.fault("%s: other accounts, or another order", what)
	}
}
