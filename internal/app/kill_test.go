package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/relay"
)

// victimEnv tells the test binary to be a writer that kills itself.
const victimEnv = "TENANTRY_TEST_VICTIM"

// victim is what a self-killing writer is told.
type victim struct {
	DataDir  string
	Database string
	Remote   engine.RemoteConfig
	Step     relay.Step
	Version  account.Version
	Leaves   account.ID // the account whose mode becomes default_off; "" to create accounts instead
}

func (v victim) config() app.Config {
	return app.Config{DataDir: v.DataDir, Database: v.Database, Remote: v.Remote, Log: quiet()}
}

// run creates accounts, saying each time what was acknowledged, until it kills itself at its step.
func (v victim) run() error {
	ctx := context.Background()
	cfg := v.config()
	cfg.OnStep = func(step relay.Step, version account.Version) {
		if step == v.Step && version == v.Version {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
	}
	a, err := app.Open(ctx, cfg)
	if err != nil {
		return err
	}
	req := directory.Request{Actor: account.Actor{Environment: "prod", System: true}}
	if v.Leaves != "" {
		mode := account.DefaultOff
		if _, err := a.Directory.UpdateAccount(ctx, req, v.Leaves, directory.AccountPatch{AccessMode: &mode}); err != nil {
			return err
		}
		select {} // until the relay comes to its step
	}
	for i := range 20 {
		id := account.ID(fmt.Sprintf("w%d", i))
		result, err := a.Directory.CreateAccount(ctx, req, directory.NewAccount{ID: id, Name: "written", Parent: "root"})
		if err != nil {
			return err
		}
		if result.Applied {
			fmt.Println("acknowledged", id)
		}
	}
	return fmt.Errorf("outlived step %s of version %d", v.Step, v.Version)
}

// beVictim runs the test binary as a victim if it is told to; it does not return then.
func beVictim() {
	text := os.Getenv(victimEnv)
	if text == "" {
		return
	}
	var v victim
	err := json.Unmarshal([]byte(text), &v)
	if err == nil {
		err = v.run()
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(3)
}

// killed runs a victim until it dies, and returns what it acknowledged.
func killed(t *testing.T, v victim) []account.ID {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"="+string(text))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acknowledged []account.ID
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if id, ok := strings.CutPrefix(lines.Text(), "acknowledged "); ok {
			acknowledged = append(acknowledged, account.ID(id))
		}
	}
	err = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the victim should have been killed: %v\n%s", err, stderr.String())
	}
	return acknowledged
}

// TestKilledBetweenCommitAndToken kills the process at each step between the
// commit of an entry and the storing of its position. After a restart all that
// was recorded is in force, nothing has drifted, and the engine was not filled anew.
func TestKilledBetweenCommitAndToken(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			for _, step := range []relay.Step{relay.BeforeWrite, relay.AfterWrite, relay.AfterSave} {
				t.Run(string(step), func(t *testing.T) {
					cfg := s.make(t)
					// Versions: 1 environment, 2 root account, then one for each account that is written.
					const at = 8
					v := victim{DataDir: cfg.DataDir, Database: cfg.Database, Remote: cfg.Remote, Step: step, Version: at}
					prepareVictim(t, v)
					acknowledged := killed(t, v)
					if len(acknowledged) != at-3 {
						t.Errorf("acknowledged %v before version %d", acknowledged, at)
					}
					survives(t, v, acknowledged, at)
				})
			}
		})
	}
}

func prepareVictim(t *testing.T, v victim) {
	t.Helper()
	a, err := app.Open(t.Context(), v.config())
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// prepare makes the environment prod with the account root.
func prepare(t *testing.T, a *app.App) {
	t.Helper()
	ctx := t.Context()
	_, err := a.Directory.CreateEnvironment(ctx, directory.Request{Actor: account.Actor{System: true}}, account.Environment{ID: "prod", SubAccountsEnabled: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Directory.CreateAccount(ctx, directory.Request{Actor: account.Actor{Environment: "prod", System: true}},
		directory.NewAccount{ID: "root", Name: "Root", SubAccountManagement: true})
	if err != nil {
		t.Fatal(err)
	}
}

// survives opens the deployment again and checks that what was acknowledged is there and in force.
func survives(t *testing.T, v victim, acknowledged []account.ID, recorded account.Version) {
	t.Helper()
	cfg := v.config()
	cfg.OnBuild = func(env account.EnvironmentID, done, total int) {
		t.Errorf("the engine is filled anew for %s: %d of %d", env, done, total)
	}
	a, err := app.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := a.Relay.InForce(ctx, "prod", recorded); err != nil {
		t.Fatalf("version %d was committed: %v", recorded, err)
	}
	actor := account.Actor{Environment: "prod", System: true}
	for _, id := range acknowledged {
		if _, err := a.Directory.GetAccount(ctx, actor, id); err != nil {
			t.Errorf("acknowledged and lost: %v", err)
		}
	}
	result, err := a.Relay.Reconcile(ctx, "prod", true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !result.Drift.Empty() || result.Version != recorded {
		t.Errorf("at version %d of %d: drift %+v", result.Version, recorded, result.Drift)
	}
	// 20 accounts were to be written; the rest goes on from here
	if _, err := a.Directory.CreateAccount(ctx, directory.Request{Actor: actor}, directory.NewAccount{ID: "after", Name: "After", Parent: "root"}); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}
