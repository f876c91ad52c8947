// Package process runs workers as processes of their own, so that neither the memory nor the garbage of one store weighs on another.
package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/bench/internal/worker"
)

// role is the environment variable that makes this program a worker.
const role = "TENANTRY_BENCH_WORKER"

// patience is how long a worker gets to close its store.
const patience = 30 * time.Second

// Worker makes the process a worker, if that is what it was started as: then it serves until
// its standard input ends, and exits. Otherwise Worker returns at once.
func Worker() {
	if os.Getenv(role) == "" {
		return
	}
	if err := worker.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench worker:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Process is a worker with its store. Its methods are for one goroutine.
type Process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
	ended   chan struct{}
	err     error // how it ended, once it has
}

// Start starts a worker: this program again. What it logs goes to log.
func Start(log io.Writer) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(self), ended: make(chan struct{})} //nolint:noctx // Close ends it
	p.cmd.Env = append(os.Environ(), role+"=1")
	p.cmd.Stderr = log
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout = in
	detach(p.cmd)
	err = p.cmd.Start()
	_ = in.Close() // the worker's now
	if err != nil {
		_ = out.Close()
		return nil, err
	}
	p.answers = json.NewDecoder(bufio.NewReaderSize(out, 1<<16))
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// Do asks for an action and waits for its answer. If ctx ends first, the worker is killed.
func (p *Process) Do(ctx context.Context, r wire.Request) (wire.Answer, error) {
	stop := context.AfterFunc(ctx, func() { _ = p.cmd.Process.Kill() })
	defer stop()
	var a wire.Answer
	err := json.NewEncoder(p.in).Encode(r)
	if err == nil {
		err = p.answers.Decode(&a)
	}
	switch {
	case ctx.Err() != nil:
		return a, context.Cause(ctx)
	case err != nil:
		return a, fmt.Errorf("a worker has ended in the middle of %s: %w", r.Do, err)
	case a.Error != "":
		return a, errors.New(a.Error)
	default:
		return a, nil
	}
}

// Close lets the worker close its store, and waits until it has ended.
func (p *Process) Close() error {
	_ = p.in.Close()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.ended:
		return p.err
	case <-late.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("a worker did not end within %s", patience)
	}
}
