package engine_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/engine"
)

func TestEmbedded_CloseLeavesNothingBehind(t *testing.T) {
	start := func() *engine.Engine {
		e, err := engine.Embedded(within(t, time.Minute), engine.EmbeddedConfig{})
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(t, e)
		c.applyBuilt()
		token := c.write(branch(20, 3)...)
		c.check("account:t/19", "access", "user:t/root", token)
		c.lookup("member_access", "user:t/root", 0, nil, token)
		return e
	}
	if err := start().Close(); err != nil { // what is started once for the process
		t.Fatal(err)
	}
	before := settled(0, time.Second)
	for range 3 {
		e := start()
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
	}
	if after := settled(before, 10*time.Second); after > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
	}
}

// settled returns the number of goroutines once it is at most want, or has had so long to get there.
func settled(want int, patience time.Duration) int {
	deadline, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for n := runtime.NumGoroutine(); ; n = runtime.NumGoroutine() {
		if n <= want {
			return n
		}
		select {
		case <-tick.C:
		case <-deadline:
			return n
		}
	}
}

func TestEmbedded_CloseCutsOffWhatDoesNotEnd(t *testing.T) {
	e, err := engine.Embedded(within(t, time.Minute), engine.EmbeddedConfig{Grace: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	newClient(t, e).applyBuilt()
	watch, err := v1.NewWatchServiceClient(e.Conn()).Watch(within(t, time.Minute), &v1.WatchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	newClient(t, e).write("account:t/a#environment@environment:t")
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- e.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close waits for a stream that never ends")
	}
	for err == nil {
		_, err = watch.Recv()
	}
	if err := e.Ready(t.Context()); err == nil {
		t.Error("a closed engine calls itself ready")
	}
}

func TestEmbedded_RunEndsWithItsContext(t *testing.T) {
	e, err := engine.Embedded(within(t, time.Minute), engine.EmbeddedConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- e.Run(ctx) }()
	cancel()
	select {
	case err := <-ran:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run goes on after the end of its context")
	}
	if err := e.Run(t.Context()); err != nil {
		t.Errorf("Run of a closed engine: %v", err)
	}
}

func TestEmbedded_StartIsGivenUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := engine.Embedded(ctx, engine.EmbeddedConfig{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestEmbedded_LogsWarningsOnly(t *testing.T) {
	var text syncBuffer
	c := withSchema(t, engine.EmbeddedConfig{Log: slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	c.check("account:t/a", "access", "user:t/ada", c.write(branch(3, 1)...))
	if got := text.String(); got != "" {
		t.Errorf("an undisturbed engine logs:\n%s", got)
	}
}

// syncBuffer is a buffer for several writers.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
