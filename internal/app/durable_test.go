package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/testpg"
)

// opened opens a deployment, tells how often its engine was filled, and closes it with fn's end.
func opened(t *testing.T, cfg app.Config, fn func(*app.App)) (filled int) {
	t.Helper()
	var fillings atomic.Int64
	cfg.Log = quiet()
	cfg.OnBuild = func(_ account.EnvironmentID, done, total int) {
		if done == total {
			fillings.Add(1)
		}
	}
	a, err := app.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	fn(a)
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return int(fillings.Load())
}

// inStep waits until all is in force and checks that nothing has drifted.
func inStep(t *testing.T, a *app.App, env account.EnvironmentID) {
	t.Helper()
	if err := a.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	result, err := a.Relay.Reconcile(t.Context(), env, true, nil)
	if err != nil || !result.Drift.Empty() || result.Unplaced || result.Held == 0 {
		t.Errorf("%v, %+v", err, result)
	}
}

// TestTheEngineIsKept: a restart finds the engine where it was left, under the
// same name; one that is gone, or was never there, is filled from the directory.
func TestTheEngineIsKept(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{
		"SQLite":     func(*testing.T) string { return "" },
		"PostgreSQL": func(t *testing.T) string { t.Helper(); return testpg.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := app.Config{DataDir: filepath.Join(t.TempDir(), "new", "data"), Database: database(t)}
			var first, second string
			n := opened(t, cfg, func(a *app.App) {
				prepare(t, a)
				first = a.Engine.Name()
			})
			if n != 1 {
				t.Errorf("a new environment was filled %d times", n)
			}
			n = opened(t, cfg, func(a *app.App) {
				inStep(t, a, "prod")
				second = a.Engine.Name()
			})
			if n != 0 || first != second || !strings.HasPrefix(first, "embedded-") {
				t.Errorf("after a restart: filled %d times, named %q and then %q", n, first, second)
			}
			files, err := filepath.Glob(cfg.EngineFile() + "*")
			if err != nil || len(files) == 0 {
				t.Fatal(files, err)
			}
			for _, file := range files {
				if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s: %v %v", file, info.Mode(), err)
				}
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
			n = opened(t, cfg, func(a *app.App) {
				inStep(t, a, "prod")
				second = a.Engine.Name()
			})
			if n != 1 || first == second {
				t.Errorf("after the loss of the engine: filled %d times, named %q as before", n, second)
			}
		})
	}
}

// TestAnEngineThatIsNone is refused, and stays as it is.
func TestAnEngineThatIsNone(t *testing.T) {
	cfg := app.Config{DataDir: t.TempDir(), Log: quiet()}
	const text = "this is no engine, it only has the name of one; and some more, so that it is not too short"
	if err := os.WriteFile(cfg.EngineFile(), []byte(strings.Repeat(text, 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Open(t.Context(), cfg); err == nil || fault.From(err).Code != "engine_missing" {
		t.Errorf("opened: %v", err)
	}
	if got, err := os.ReadFile(cfg.EngineFile()); err != nil || string(got) != strings.Repeat(text, 100) {
		t.Errorf("the file was changed: %v", err)
	}
}
