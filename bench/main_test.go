package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/bench/internal/contest"
	"github.com/tenantry/tenantry/bench/internal/peer/arrays"
)

// TestMain makes the test binary the bare server where it is started as that.
func TestMain(m *testing.M) {
	arrays.ServeIfAsked()
	os.Exit(m.Run())
}

// log is what the comparison says.
type log struct{ t *testing.T }

func (l log) Write(text []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSpace(text))
	return len(text), nil
}

// inTests are all systems but OpenFGA, whose first build takes minutes.
func inTests() string {
	return join([]string{
		contest.Tenantry, contest.TenantryOff, contest.Cluster, contest.ClusterOff, contest.SpiceDB,
		contest.Recursive, contest.Ltree, contest.SQLite, contest.ArraysOverHTTP, contest.Index, contest.ArraysInProcess,
	})
}

// TestSmallComparison runs the whole comparison on 1,000 accounts: all systems give the same
// answers before and while they are measured, and the report holds them all.
func TestSmallComparison(t *testing.T) {
	dir := t.TempDir()
	results := filepath.Join(dir, "RESULTS.md")
	out, err := compare(t.Context(), []string{
		"-accounts=1000", "-growth=300", "-large=0", "-systems=" + inTests(), "-rounds=2", "-growth-rounds=1", "-restarts=1", "-each=5ms", "-verify=100", "-results=" + results,
	}, log{t})
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range append([]*contest.Result{out.Main}, out.Others...) {
		if len(result.Systems) < 8 {
			t.Errorf("only %d systems took part", len(result.Systems))
		}
		for _, s := range result.Systems {
			holdRight(t, result, s)
		}
	}
	text, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"partial run", "## What must be shown", "plots/growth-page.svg", "recursive SQL"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report does not have %q", want)
		}
	}
	plots, err := filepath.Glob(filepath.Join(dir, "plots", "*.svg"))
	if err != nil || len(plots) < 9 {
		t.Errorf("plots %q, %v", plots, err)
	}
}

// holdRight holds a system to right answers, and to a figure for each case.
func holdRight(t *testing.T, result *contest.Result, s *contest.System) {
	t.Helper()
	if s.Failed != "" || !s.Verdict.Right() || len(s.Verdict.Late) > 0 {
		t.Errorf("%s: failed %q, faults %q, late %q", s.Name, s.Failed, s.Verdict.Faults, s.Verdict.Late)
	}
	for _, c := range result.Cases {
		cell := result.Cell(c.Key, s.Name)
		if wrong, of := cell.Wrong(); wrong > 0 || of == 0 || math.IsNaN(cell.Median()) {
			t.Errorf("%s: %s: %d of %d answers wrong", s.Name, c.Key, wrong, of)
		}
	}
}

func TestFlags(t *testing.T) {
	for args, want := range map[string]bool{"": true, "-results=x.md -timeout=1h": true, "-large=0": false, "-accounts=5000": false, "-rounds=2": false} {
		c, err := parse(strings.Fields(args), log{t})
		if err != nil || c.whole != want {
			t.Errorf("%q: whole %t, %v", args, c.whole, err)
		}
	}
	for _, args := range []string{"-systems=nothing", "-rounds=0", "-growth=many", "more"} {
		if _, err := parse(strings.Fields(args), log{t}); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
