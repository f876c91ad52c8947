// Package child runs servers of compared systems as processes, which end with the benchmark however that ends.
package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	patience = 2 * time.Minute      // to be ready, or to end
	interval = 2 * time.Millisecond // at least between questions whether a server is ready
	part     = 50                   // of the time that has gone by is between them: who is asked is busy with getting ready
	kept     = 16 << 10             // bytes of what a process said
)

// Process is a running server.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output tail
	ended  chan struct{}
	how    error // once it has ended
}

// Command is what to run.
type Command struct {
	Program string
	Args    []string
	Env     []string // besides the benchmark's own
}

func (c Command) cmd() *exec.Cmd {
	cmd := exec.Command(c.Program, c.Args...) //nolint:gosec,noctx // the benchmark's own programs, which are asked to end first
	cmd.Env = append(os.Environ(), c.Env...)
	return cmd
}

// Start starts a server.
func Start(c Command) (*Process, error) {
	p := &Process{name: filepath.Base(c.Program), cmd: c.cmd(), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	bind(p.cmd)
	started := make(chan error, 1)
	go func() {
		// The kernel ends the server with the thread that started it, so this goroutine keeps its thread.
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.how = p.cmd.Wait()
			close(p.ended)
		}
	}()
	return p, <-started
}

// Run runs a command to its end and returns what it printed on standard output.
func Run(ctx context.Context, c Command) (string, error) {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, c.Program, c.Args...) //nolint:gosec // the benchmark's own programs
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(c.Program), strings.Join(c.Args, " "), err, said.String())
	}
	return out.String(), nil
}

// PID returns the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Await asks ready again and again until it returns nil.
func (p *Process) Await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begun := time.Now()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(max(interval, time.Since(begun)/part)):
		case <-p.ended:
			return fmt.Errorf("%s has ended: %w\n%s", p.name, p.how, p.output.String())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w\n%s", p.name, errors.Join(context.Cause(ctx), err), p.output.String())
		}
	}
}

// Stop asks the process to end, and kills it if it does not. It may be called on nil.
func (p *Process) Stop() error {
	if p == nil {
		return nil
	}
	for _, signal := range []os.Signal{os.Interrupt, os.Kill} {
		_ = p.cmd.Process.Signal(signal) // fails only if it has ended already
		late := time.NewTimer(patience / 4)
		select {
		case <-p.ended:
			late.Stop()
			return nil
		case <-late.C:
		}
	}
	return fmt.Errorf("%s, process %d, does not end", p.name, p.PID())
}

// FreeAddress returns a port of the loopback interface that was free a moment ago.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// tail keeps the newest part of what a process prints.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if extra := t.buf.Len() - kept; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
