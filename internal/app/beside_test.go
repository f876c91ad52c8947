package app_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
)

// beside is a configuration for a command on the same files.
func beside(cfg app.Config) app.Config {
	return app.Config{DataDir: cfg.DataDir, Beside: true, Log: quiet(), FreshWait: 20 * time.Second}
}

// TestTheEngineBelongsToOneProcess: another one is told who has it, unless it only wants to look.
func TestTheEngineBelongsToOneProcess(t *testing.T) {
	cfg := oneMachine.make(t)
	s := start(t, cfg)
	prepare(t, s.App)
	second := app.Config{DataDir: cfg.DataDir, Log: quiet()}
	for _, second.EngineWait = range []time.Duration{0, 100 * time.Millisecond} {
		if _, err := app.Open(t.Context(), second); err == nil || fault.From(err).Code != "engine_in_use" {
			t.Fatalf("opened twice: %v", err)
		}
	}
	n := opened(t, beside(cfg), func(a *app.App) { inStep(t, a, "prod") })
	if n != 0 {
		t.Errorf("who only looks has filled the engine %d times", n)
	}
}

// TestBesideAServerAnswersAreAsOfWhatIsRecorded: a command that attaches sees each
// write that was acknowledged, whoever brings it into force.
func TestBesideAServerAnswersAreAsOfWhatIsRecorded(t *testing.T) {
	cfg := oneMachine.make(t)
	s := start(t, cfg)
	prepare(t, s.App)
	actor := account.Actor{Environment: "prod", System: true}
	req := directory.Request{Actor: actor}
	if _, err := s.Directory.CreateRole(t.Context(), req, account.Role{Key: "viewer", Permissions: []account.PermissionKey{"fe.secure.read.users"}}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Directory.CreateUser(t.Context(), req, directory.NewUser{ID: "ada", Email: "ada@home.example", Memberships: []directory.Grant{{Account: "root", Roles: []account.RoleKey{"viewer"}}}})
	if err != nil {
		t.Fatal(err)
	}
	opened(t, beside(cfg), func(a *app.App) {
		// the directory alone: the server finds it by itself
		d, err := app.OpenDirectory(t.Context(), app.Config{DataDir: cfg.DataDir, Log: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for i := range 20 {
			id := account.ID(fmt.Sprintf("a%d", i))
			if _, err := s.Directory.CreateAccount(t.Context(), req, directory.NewAccount{ID: id, Name: "A"}); err != nil {
				t.Fatal(err)
			}
			result, err := s.Directory.SetMembership(t.Context(), req, directory.Grant{Account: id, User: "ada", Roles: []account.RoleKey{"viewer"}})
			if err != nil {
				t.Fatal(err)
			}
			question := access.Question{Subject: "user:ada", Permission: "access", Resource: "account:" + string(id)}
			said, err := a.Access.Check(t.Context(), actor, []access.Question{question}, result.Version)
			if err != nil || said.Items[0].Err != nil || !said.Items[0].Allowed {
				t.Fatalf("%s, with the token of the grant: %v %+v", id, err, said.Items)
			}
		}
	})
}

// TestWhoWaitsForAServerTakesOver: a command that waits for what was recorded to
// be in force does it itself once the process that has the engine is gone.
func TestWhoWaitsForAServerTakesOver(t *testing.T) {
	cfg := oneMachine.make(t)
	opened(t, cfg, func(a *app.App) { prepare(t, a) })
	// a process that has the engine and does nothing
	holder, err := engine.Embedded(t.Context(), engine.EmbeddedConfig{File: cfg.EngineFile()})
	if err != nil {
		t.Fatal(err)
	}
	d, err := app.OpenDirectory(t.Context(), app.Config{DataDir: cfg.DataDir, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	req := directory.Request{Actor: account.Actor{Environment: "prod", System: true}}
	if _, err := d.Directory.CreateAccount(t.Context(), req, directory.NewAccount{ID: "late", Name: "Late"}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := app.OpenInForce(t.Context(), beside(cfg), 200*time.Millisecond); fault.From(err).Kind != fault.Unavailable {
		t.Errorf("while nobody brings it into force: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := make(chan error, 1)
	go func() {
		a, err := app.OpenInForce(ctx, beside(cfg), time.Minute)
		if err == nil {
			err = a.Close()
		}
		got <- err
	}()
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("after that process has ended: %v", err)
	}
}

// TestAServerWaitsForACommand that has the engine just then.
func TestAServerWaitsForACommand(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Log = quiet()
	command, err := app.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.EngineWait = time.Minute
	got := make(chan error, 1)
	go func() {
		a, err := app.Open(context.Background(), cfg)
		if err == nil {
			err = a.Close()
		}
		got <- err
	}()
	if err := command.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}
