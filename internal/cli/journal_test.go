package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestL1_JournalIsFollowed here and at a server, while other processes write.
func TestL1_JournalIsFollowed(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel) // after what was begun has ended
	data := t.TempDir()
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	var token string
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "tenantry", args...)
		cmd.Env = append(os.Environ(), "TENANTRY_DATA="+data, "TENANTRY_TOKEN="+token)
		return cmd
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := command(args...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	run("environment", "create", "production")
	token = run("client", "create", "first", "--role", "admin")
	begin(t, command("serve", "--listen", address))

	server := []string{"--server", "http://" + address}
	followers := map[string]*bufio.Reader{
		"here":         begin(t, command("journal", "--follow", "--kind", "client.*")),
		"here, ndjson": begin(t, command("journal", "--follow", "--kind", "client.*", "--format", "ndjson")),
	}
	awaitServer(t, address)
	followers["a server"] = begin(t, command(append(server, "journal", "--follow", "--kind", "client.*")...))
	followers["a server, ndjson"] = begin(t, command(append(server, "journal", "--follow", "--kind", "client.*", "--format", "ndjson")...))
	for _, client := range []string{"first", "second", "third"} {
		if client != "first" {
			run("client", "create", client)
		}
		for name, lines := range followers {
			line, err := lines.ReadString('\n')
			if err != nil || !strings.Contains(line, client) || strings.Contains(line, "{") != strings.HasSuffix(name, "ndjson") {
				t.Fatalf("%s: want the entry of %s, got %q, %v", name, client, line, err)
			}
		}
	}
}

// begin starts a command that runs until it is interrupted, and sees that it ends well then.
func begin(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v\n%s", cmd.Args, err, stderr.String())
		}
	})
	return bufio.NewReader(out)
}
