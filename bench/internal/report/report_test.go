package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/bench/internal/contest"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// made returns a result of two rounds in which every case took each system its own time, µs.
func made(t *testing.T, accounts int, times map[string]float64) *contest.Result {
	t.Helper()
	w, err := tree.New(tree.SizeOf(accounts, 1))
	if err != nil {
		t.Fatal(err)
	}
	r := &contest.Result{World: w, Rounds: 2, Cells: map[string]map[string]*contest.Cell{}}
	for _, name := range contest.Names() {
		if _, has := times[name]; has {
			r.Systems = append(r.Systems, &contest.System{Name: name, Title: contest.Titles()[name]})
		}
	}
	ninth := contest.Ninth(w).Accounts
	keys := []string{contest.AllowDeep, contest.DenyDeep, contest.Crowd, contest.PageKey(ninth), contest.ListKey(ninth), contest.ListKey(accounts), contest.GrantInList, contest.RevokeInList}
	for _, key := range keys {
		r.Cases = append(r.Cases, contest.Case{Key: key, Title: key, Group: contest.Checks, Clients: 1})
		r.Cells[key] = map[string]*contest.Cell{}
		for name, us := range times {
			r.Cells[key][name] = &contest.Cell{Rounds: map[int]contest.Figure{
				0: {Median: us, P99: 3 * us, Rate: 1e6 / us, Count: 10}, 1: {Median: 2 * us, P99: 3 * us, Rate: 5e5 / us, Count: 10},
			}}
		}
	}
	return r
}

func report(t *testing.T) *Report {
	t.Helper()
	times := map[string]float64{
		contest.Tenantry: 50, contest.SpiceDB: 4_000, contest.OpenFGA: 6_000, contest.Recursive: 900, contest.Ltree: 300, contest.ArraysOverHTTP: 40,
	}
	r := &Report{Main: made(t, 1_000, times), Others: []*contest.Result{made(t, 300, times), made(t, 2_000, times)}}
	cell := r.Main.Cell(contest.ListKey(1_000), contest.OpenFGA)
	cell.Rounds[0] = contest.Figure{Median: 100, P99: 100, Rate: 10, Count: 10, Wrong: 10}
	return r
}

func TestTargetsAreJudged(t *testing.T) {
	got := map[string]string{}
	for _, v := range report(t).verdicts() {
		got[v.measured+"; "+v.outcome] = v.target
	}
	for _, want := range []string{
		"× 80.0 (× 80.0 – × 80.0); **missed**, by × 1.25", // page against SpiceDB, of 100
		"× 6.00 (× 6.00 – × 6.00); **missed**, by × 1.67", // page against ltree, of 10
		"× 18.0 (× 18.0 – × 18.0); met",                   // check against recursive SQL
		"× 1.25 (× 1.25 – × 1.25); met",                   // check within the arrays' time
		"75.0 µs (50.0 µs – 100 µs); met",                 // a change in the list
		"–; not measured",                                 // a million accounts
	} {
		if got[want] == "" {
			t.Errorf("no target has %q", want)
		}
	}
}

func TestWrongAnswersShow(t *testing.T) {
	r := report(t)
	r.Main.Systems[2].Verdict.Faults = []string{"list: 1000 of 11111 accounts"}
	var out bytes.Buffer
	r.Markdown(&out, "plots")
	for _, want := range []string{"⚠ 10 of 20 wrong", "⚠ list: 1000 of 11111 accounts", "partial run"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

func TestPlotsAreTheSameEachTime(t *testing.T) {
	r := report(t)
	var all []map[string]string
	for range 2 {
		dir := t.TempDir()
		if err := r.Plots(dir); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.svg"))
		if err != nil || len(files) != len(r.plots()) {
			t.Fatalf("%d plots, %v", len(files), err)
		}
		texts := map[string]string{}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[filepath.Base(file)] = string(text)
		}
		all = append(all, texts)
	}
	if diff := cmp.Diff(all[0], all[1]); diff != "" {
		t.Errorf("-first +second\n%s", diff)
	}
}
