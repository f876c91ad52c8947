package sqlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childEnv tells the test binary to be a process of its own, with a role to play.
const childEnv = "TENANTRY_TEST_CHILD"

// order is what a child process is told.
type order struct {
	Role string
	Path string

	// Of a writer.
	Round      int
	Seed       uint64
	GCWindow   time.Duration
	GCInterval time.Duration
	Backup     string // where to make backups, again and again; "" makes none
}

func TestMain(m *testing.M) {
	text := os.Getenv(childEnv)
	if text == "" {
		os.Exit(m.Run())
	}
	var o order
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		switch o.Role {
		case "write":
			err = writeLoad(o)
		case "open":
			err = openOnly(o)
		case "serve":
			err = serveCommands(o)
		default:
			err = fmt.Errorf("no role %q", o.Role)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(0)
}

// child is a process that plays a role.
type child struct {
	t      testing.TB
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan string // of its output, whole ones only; closed at its end
	stderr *strings.Builder
}

// start runs a child, which is killed at the end of the test if it is still there.
func start(t testing.TB, o order) *child {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	c := &child{t: t, cmd: exec.CommandContext(ctx, os.Args[0]), lines: make(chan string, 1<<16), stderr: &strings.Builder{}}
	c.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	c.cmd.Stderr = c.stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.lines)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return // a line that was cut off says nothing
			}
			c.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	return c
}

// next is the child's next line.
func (c *child) next() string {
	c.t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok {
			err := c.cmd.Wait()
			c.t.Fatalf("the child ended: %v\n%s", err, c.stderr)
		}
		return line
	case <-time.After(time.Minute):
		c.t.Fatal("the child says nothing for a minute")
		return ""
	}
}

// ask gives the child a command and returns its answer.
func (c *child) ask(command string) string {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.in, command); err != nil {
		c.t.Fatal(err)
	}
	return c.next()
}

// must is ask for a command that succeeds; it returns what follows the "ok".
func (c *child) must(command string) string {
	c.t.Helper()
	answer := c.ask(command)
	rest, ok := strings.CutPrefix(answer, "ok")
	if !ok {
		c.t.Fatalf("%s: the child answers %q", command, answer)
	}
	return strings.TrimSpace(rest)
}

// kill ends the child as a crash would, and returns the lines that nobody has read yet.
func (c *child) kill() []string {
	c.t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		c.t.Fatalf("the child was not there to be killed: %v\n%s", err, c.stderr)
	}
	var rest []string
	for line := range c.lines {
		rest = append(rest, line)
	}
	err := c.cmd.Wait()
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		c.t.Fatalf("the child should have been killed: %v\n%s", err, c.stderr)
	}
	return rest
}

// leave lets the child end by itself.
func (c *child) leave() {
	c.t.Helper()
	if err := c.in.Close(); err != nil {
		c.t.Fatal(err)
	}
	for range c.lines { // to the end
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatalf("the child: %v\n%s", err, c.stderr)
	}
}
