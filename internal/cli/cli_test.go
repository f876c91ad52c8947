package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain puts the program itself on the path, as it is shipped: without the
// race detector, under which it takes a minute to fill an engine with 10,000 accounts.
func TestMain(m *testing.M) {
	os.Exit(withProgram(m.Run))
}

func withProgram(run func() int) int {
	dir, err := os.MkdirTemp("", "tenantry-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	build := exec.CommandContext(context.Background(), "go", "build", "-o", filepath.Join(dir, "tenantry"), "../../cmd/tenantry")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building tenantry: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

// TestScripts runs the scripts of testdata/scripts against the real commands.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/scripts",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TENANTRY_DATA", env.WorkDir+"/data")
			address, err := freeAddress()
			env.Setenv("ADDRESS", address)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":  expectExit,
			"ready": awaitReady,
		},
	})
}

// freeAddress is an address that nobody listens on now.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// awaitReady waits until the server at an address is ready: ready $ADDRESS.
func awaitReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready address")
	}
	if err := awaitAnswer(args[0]); err != nil {
		ts.Fatalf("%v", err)
	}
}

// awaitServer waits until the server at an address is ready.
func awaitServer(t *testing.T, address string) {
	t.Helper()
	if err := awaitAnswer(address); err != nil {
		t.Fatal(err)
	}
}

func awaitAnswer(address string) error {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		resp, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			if err := resp.Body.Close(); err != nil || resp.StatusCode == http.StatusOK {
				return err
			}
		}
		select {
		case <-deadline:
			return fmt.Errorf("the server at %s is not ready: %w", address, err)
		case <-tick.C:
		}
	}
}

// expectExit runs a command that has to end with the exit code: exit 2 tenantry check ….
func expectExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit code command…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		text := err.Error()
		if code, ok := strings.CutPrefix(text, "exit status "); ok {
			got = code
		} else {
			got = text
		}
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// TestDemoPrintsCommandsThatWork starts the demo and runs what it prints, as a newcomer would.
func TestDemoPrintsCommandsThatWork(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	demo := exec.CommandContext(ctx, "tenantry", "demo", "--listen", "127.0.0.1:0")
	demo.Env = append(os.Environ(), "TENANTRY_DATA=", // what is set for a deployment is not the demo's
		"TENANTRY_DATABASE=postgres://nobody@127.0.0.1:1/none", "TENANTRY_ENGINE=127.0.0.1:1", "TENANTRY_ENGINE_KEY=none",
		"TENANTRY_APPLY_SCHEMA=true", "TENANTRY_PERMISSIONS=nowhere.yaml")
	var stderr bytes.Buffer
	demo.Stderr = &stderr
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo should stop when asked to: %v\n%s", err, stderr.String())
		}
	}()

	var commands []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), " check ") && !strings.HasPrefix(lines.Text(), "#") || strings.Contains(lines.Text(), " accounts ada ") {
			commands = append(commands, lines.Text())
		}
		if strings.Contains(lines.Text(), "openapi.json") {
			break
		}
	}
	if len(commands) != 4 {
		t.Fatalf("want four commands, got %q\n%s", commands, stderr.String())
	}
	run := func(command string) (string, int) {
		cmd := exec.CommandContext(ctx, "sh", "-c", command)
		out, _ := cmd.Output()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := run(commands[0]); out != "allowed\n" || code != 0 {
		t.Errorf("%s: %q, exit code %d", commands[0], out, code)
	}
	if out, code := run(commands[1]); out != "denied\n" || code != 1 {
		t.Errorf("%s: %q, exit code %d", commands[1], out, code)
	}
	if out, code := run(commands[2]); out != "allowed\n" || code != 0 {
		t.Errorf("%s: %q, exit code %d", commands[2], out, code)
	}
	if out, code := run(commands[3]); strings.Count(out, "\n") != 55 || code != 0 || !strings.Contains(out, "(globex-north-acme)") {
		t.Errorf("%s: exit code %d, %d lines:\n%s", commands[3], code, strings.Count(out, "\n"), out)
	}
}
