package engine

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	spicedb "github.com/authzed/spicedb/pkg/cmd/server"
	"github.com/authzed/spicedb/pkg/datastore"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
	"github.com/tenantry/tenantry/internal/fault"
)

// Defaults of EmbeddedConfig.
const (
	defaultLevels  = 100
	defaultQuantum = time.Second
	defaultGrace   = 5 * time.Second
)

// maxMessage bounds what one answer may hold, in bytes; the largest is a schema or a page of a bulk export.
const maxMessage = 64 << 20

// EmbeddedConfig says how to run SpiceDB inside the process. The zero value runs it in memory.
type EmbeddedConfig struct {
	// File is where SpiceDB keeps its content: an SQLite file, which is made, with its folder, if
	// it is not there. One process at a time has it open for writing. "" is memory, which ends with the engine.
	File string
	// ReadOnly attaches to a File that another process may have open for writing: the engine
	// follows it, takes no lock, and writes nothing.
	ReadOnly bool
	// MaxPages is the most pages that File may have, as if the disk were full then; 0 is no limit.
	MaxPages int64

	// Datastore, if not nil, takes the place of File, for measuring other datastores. It must
	// accept 100 ids in a filter, counts as durable, and is the caller's to close after the engine.
	Datastore datastore.Datastore

	// Levels is how many levels of accounts a check or a lookup can climb; 0 is 100.
	Levels int

	// Quantum is how long reads that ask for no freshness may share a revision, and thereby,
	// in memory, how late an expiry may be noticed; 0 is one second.
	Quantum time.Duration

	// Now is the clock that expiries in File go by; nil is time.Now.
	Now func() time.Time

	// Grace is how long calls under way get to finish when the engine is closed; 0 is five seconds.
	Grace time.Duration

	// Log receives SpiceDB's warnings and errors; nil discards them.
	Log *slog.Logger
}

// Embedded starts SpiceDB in this process and returns when it answers. ctx bounds the start
// only; the caller ends the engine with Close. Nothing listens on the network, and nothing
// is reported to anybody.
//
// Errors are ctx's; for a File those of [Backup], and a Conflict fault (engine_in_use) if
// another process has it open for writing; else Internal faults (engine_start).
func Embedded(ctx context.Context, cfg EmbeddedConfig) (*Engine, error) {
	cfg.Levels = cmp.Or(cfg.Levels, defaultLevels)
	cfg.Quantum = cmp.Or(cfg.Quantum, defaultQuantum)
	cfg.Grace = cmp.Or(cfg.Grace, defaultGrace)

	e, err := embedded(ctx, cfg)
	if err == nil {
		return e, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if _, known := errors.AsType[*fault.Error](err); known {
		return nil, err
	}
	return nil, fault.New(fault.Internal, CodeStart, "the embedded SpiceDB does not start").Because(err)
}

func embedded(ctx context.Context, cfg EmbeddedConfig) (*Engine, error) {
	s := &server{grace: cfg.Grace, asked: make(chan struct{}), ended: make(chan struct{})}
	store := cfg.Datastore
	if store == nil {
		var err error
		if store, err = cfg.open(ctx); err != nil {
			return nil, err
		}
		s.store = store
	}
	id, err := store.UniqueID(ctx)
	if err != nil {
		return nil, errors.Join(err, s.closeStore())
	}
	runnable, err := settings(cfg, store).Complete(ctx)
	if err != nil {
		return nil, errors.Join(err, s.closeStore())
	}
	s.start(context.WithoutCancel(ctx), cfg.Log, runnable)

	conn, err := runnable.NewClient(
		// Without this a call on a closed engine would wait for its deadline instead of failing.
		grpc.WithDefaultServiceConfig(`{}`),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
	)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	e := &Engine{
		conn: conn, server: s, closed: make(chan struct{}),
		name: "embedded-" + id, durable: cfg.Datastore != nil || cfg.File != "", maxUpdates: maxUpdates,
	}
	if err := e.settle(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// open opens the datastore that cfg describes.
func (cfg EmbeddedConfig) open(ctx context.Context) (datastore.Datastore, error) {
	if cfg.File == "" {
		return memory(ctx, cfg.Quantum)
	}
	return openFile(ctx, sqlite.Config{
		Path: cfg.File, ReadOnly: cfg.ReadOnly, MaxPages: cfg.MaxPages, Quantum: cfg.Quantum, GCWindow: history, Now: cfg.Now, Log: cfg.Log,
	})
}

// settle waits for the first answer of the embedded SpiceDB, or for its end.
func (e *Engine) settle(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-e.server.ended:
			cancel(errors.Join(errors.New("it ended at once"), e.server.err))
		case <-ctx.Done():
		}
	}()
	if err := e.Ready(ctx); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return nil
}

// server is a running SpiceDB.
type server struct {
	grace time.Duration
	store datastore.Datastore // ours to close; nil if it was given
	stop  context.CancelFunc

	askOnce sync.Once
	asked   chan struct{} // closed when it is told to end
	ended   chan struct{} // closed when it has ended
	err     error         // why; to be read after ended
}

func (s *server) start(ctx context.Context, log *slog.Logger, runnable spicedb.RunnableServer) {
	ctx, s.stop = context.WithCancel(withLog(ctx, log))
	go func() {
		defer close(s.ended)
		s.err = runnable.Run(ctx)
	}()
}

// close tells SpiceDB to end, and waits for it somewhat longer than the grace it gives its calls.
func (s *server) close() error {
	s.askOnce.Do(func() { close(s.asked) })
	s.stop()
	late := time.NewTimer(s.grace + defaultGrace)
	defer late.Stop()
	select {
	case <-s.ended:
		return errors.Join(s.err, s.closeStore())
	case <-late.C:
		return fault.New(fault.Internal, CodeStopped, "the embedded SpiceDB does not end")
	}
}

func (s *server) closeStore() error {
	if s.store == nil {
		return nil
	}
	return s.store.Close()
}
