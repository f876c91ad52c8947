package relay_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/engine/sqlite"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relay"
)

// crammed is an engine that has no room for writes while it is full.
type crammed struct {
	*engine.Engine
	full  atomic.Bool
	tries atomic.Int64
}

func (e *crammed) Conn() grpc.ClientConnInterface { return crammedConn{e.Engine.Conn(), e} }

type crammedConn struct {
	grpc.ClientConnInterface
	engine *crammed
}

func (c crammedConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if method == v1.PermissionsService_WriteRelationships_FullMethodName && c.engine.full.Load() {
		c.engine.tries.Add(1)
		return status.Error(codes.ResourceExhausted, "writing: "+sqlite.ErrFull.Error())
	}
	return c.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
}

// TestAFullEngineIsToldAndWaitedFor: loudly, with nothing lost, and going on by itself.
func TestAFullEngineIsToldAndWaitedFor(t *testing.T) {
	w := setUp(t)
	e := &crammed{Engine: w.engine}
	w.wrap = func(relay.Engine) relay.Engine { return e }
	var log lockedBuffer
	r := w.run(relay.Config{RetryMax: 10 * time.Millisecond, StoppedWait: time.Hour, Log: slog.New(slog.NewTextHandler(&log, nil))})
	before := w.globex("ada")
	w.inForce(r, before)
	e.full.Store(true)
	last := w.append(small(1))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := r.Reach(ctx, "prod", last); fault.From(err).Code != "engine_full" {
		t.Errorf("who waits is told %v", err)
	}
	short, done := context.WithTimeout(ctx, 50*time.Millisecond)
	defer done()
	if _, err := r.Wait(short, "prod", last); fault.From(err).Code != "engine_full" || fault.From(err).Kind != fault.Unavailable {
		t.Errorf("who has waited is told %v", err)
	}
	if err := r.Ready(); fault.From(err).Code != "engine_full" {
		t.Errorf("readiness says %v", err)
	}
	if p, err := r.Wait(ctx, "prod", before); err != nil || p.Version != before {
		t.Errorf("what was in force: %+v %v", p, err)
	}
	if text := log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "the disk is full") {
		t.Errorf("the log says\n%s", text)
	}
	for tries := e.tries.Load(); e.tries.Load() < tries+3; { // it goes on trying
		if ctx.Err() != nil {
			t.Fatal("it does not try again")
		}
		short, done := context.WithTimeout(ctx, time.Millisecond)
		_, _ = r.Wait(short, "prod", last)
		done()
	}
	e.full.Store(false)
	w.inForce(r, last)
	w.mustNotDrift(r)
	if err := r.Ready(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// lockedBuffer is a log to read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
