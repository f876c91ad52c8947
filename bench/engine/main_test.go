package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/bench/internal/plan"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/process"
	"github.com/tenantry/tenantry/bench/internal/stores"
	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/bench/internal/worker"
	"github.com/tenantry/tenantry/bench/internal/world"
)

// TestMain makes the test binary a worker where it is started as one.
func TestMain(m *testing.M) {
	process.Worker()
	os.Exit(m.Run())
}

// testWriter logs what workers say.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(text []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimSpace(text))
	return len(text), nil
}

// openAll starts a worker with an empty store of each kind.
func openAll(ctx context.Context, t *testing.T) map[wire.Kind]*process.Process {
	t.Helper()
	dir, err := os.MkdirTemp("", "tenantry-bench-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	server, err := postgres.Start(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	url, err := server.Create(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stores.Migrate(ctx, url); err != nil {
		t.Fatal(err)
	}
	all := map[wire.Kind]*process.Process{}
	for kind, at := range map[wire.Kind]string{wire.SQLite: filepath.Join(dir, "content.db"), wire.Postgres: url, wire.Memory: ""} {
		p, err := process.Start(testWriter{t})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		})
		if _, err := p.Do(ctx, wire.Request{Do: wire.Open, Kind: kind, At: at}); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		all[kind] = p
	}
	return all
}

// found is what a lookup found.
type found struct {
	User   string
	Count  int
	Digest uint64
}

func TestAllStoresGiveTheSameAnswers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	w, err := world.New(world.Size{Accounts: 1000, Users: 900, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "relationships")
	if err := worker.WriteFile(file, w.Relationships); err != nil {
		t.Fatal(err)
	}
	questions := w.Questions(1).Next(300)
	right := make([]bool, len(questions))
	for i, q := range questions {
		right[i] = q.Allowed
	}
	readers := append(w.Readers(20), w.Root(), w.Reader())

	lookups := map[wire.Kind][]found{}
	half := len(w.Relationships) / 2
	for kind, p := range openAll(ctx, t) {
		do := func(r wire.Request) wire.Answer {
			t.Helper()
			a, err := p.Do(ctx, r)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			return a
		}
		// Half by each of the two ways, so that both are seen to work.
		imported := do(wire.Request{Do: wire.Import, File: file, Count: half}).Count
		imported += do(wire.Request{Do: wire.Fill, File: file, Skip: half}).Count
		if imported != len(w.Relationships) {
			t.Errorf("%s: %d relationships of %d", kind, imported, len(w.Relationships))
		}
		if a := do(wire.Request{Do: wire.Writes, Writers: 4, Limit: 100 * time.Millisecond}); a.Count == 0 {
			t.Errorf("%s: nothing was written", kind)
		}
		for _, fresh := range []bool{false, true} {
			if diff := cmp.Diff(right, do(wire.Request{Do: wire.Checks, Questions: questions, Fresh: fresh}).Answers); diff != "" {
				t.Errorf("%s, checks, fresh %t: -model +store\n%s", kind, fresh, diff)
			}
		}
		for _, r := range readers {
			a := do(wire.Request{Do: wire.Lookup, User: r.User})
			if a.Count != r.Accounts {
				t.Errorf("%s: %s may open %d accounts, not %d", kind, r.User, r.Accounts, a.Count)
			}
			lookups[kind] = append(lookups[kind], found{r.User, a.Count, a.Digest})
		}
	}
	for _, kind := range []wire.Kind{wire.Postgres, wire.Memory} {
		if diff := cmp.Diff(lookups[kind], lookups[wire.SQLite]); diff != "" {
			t.Errorf("lookups: -%s +sqlite\n%s", kind, diff)
		}
	}
}

func TestTheWholeCommand(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { // PostgreSQL's user must get in
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := run(t.Context(), []string{
		"-accounts", "600", "-memory-accounts", "200", "-rounds", "2", "-checks", "20", "-writing", "50ms",
		"-footprints", "2000", "-restarts", "1", "-timeout", "5m", "-dir", dir, "-profile", t.TempDir(),
	}, &out, testWriter{t})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"fsync=on", "synchronous=FULL", "--accounts 600 --users 540 --seed 1", "--accounts 200 --users 180",
		"| check, fully consistent: median |", "| lookup of 600 accounts |", "| lookup of 200 accounts |",
		"| bulk import, ", "| 16 writers: p99 |", "| SQLite against memory |", "| 2,", "2 rounds",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-stores", "oracle"}, {"-cases", "guesses"}, {"-accounts", "0"}, {"-footprints", "many"}, {"-rounds", "0"}, {"rest"}, {"-stores", ""},
	} {
		if _, err := parse(args, testWriter{t}); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	cfg, err := parse(nil, testWriter{t})
	if err != nil || !cfg.Has(plan.Footprint) || cfg.Size.Users != 90_000 || cfg.small.Users != 9000 {
		t.Errorf("%+v %v", cfg, err)
	}
}
