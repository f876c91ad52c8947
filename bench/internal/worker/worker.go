// Package worker holds one store with a SpiceDB on it, in a process of its own, and does with it what the benchmark asks.
package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/pprof"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/tenantry/tenantry/bench/internal/stores"
	"github.com/tenantry/tenantry/bench/internal/wire"
)

// Worker is a store and a SpiceDB on it; both come with the request to open them.
type Worker struct {
	kind   wire.Kind
	store  datastore.Datastore
	engine stores.Engine
	client v1.PermissionsServiceClient
	made   int // objects of its own, to write what is not there yet
}

// Serve answers the requests of in on out, one after the other, until in ends; then it closes
// the store. The end of in, which is also that of the process behind it, cuts short what is being done.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	requests := make(chan wire.Request)
	broken := make(chan error, 1)
	go func() {
		defer cancel()
		defer close(requests)
		lines := json.NewDecoder(bufio.NewReader(in))
		for {
			var r wire.Request
			if err := lines.Decode(&r); err != nil {
				if !errors.Is(err, io.EOF) {
					broken <- err
				}
				return
			}
			requests <- r
		}
	}()

	var w Worker
	answers := json.NewEncoder(out)
	for r := range requests {
		if err := answers.Encode(w.answer(ctx, r)); err != nil {
			return errors.Join(err, w.close())
		}
	}
	err := w.close()
	select {
	case bad := <-broken:
		return errors.Join(bad, err)
	default:
		return err
	}
}

func (w *Worker) answer(ctx context.Context, r wire.Request) wire.Answer {
	a, err := w.profiled(ctx, r)
	if err != nil {
		a.Error = fmt.Sprintf("%s: %v", r.Do, err)
	}
	return a
}

func (w *Worker) profiled(ctx context.Context, r wire.Request) (a wire.Answer, err error) {
	if r.Profile == "" {
		return w.do(ctx, r)
	}
	f, err := os.Create(r.Profile)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return a, err
	}
	defer pprof.StopCPUProfile()
	return w.do(ctx, r)
}

func (w *Worker) do(ctx context.Context, r wire.Request) (wire.Answer, error) {
	if r.Do == wire.Open {
		return wire.Answer{}, w.open(ctx, r)
	}
	if w.store == nil {
		return wire.Answer{}, errors.New("no store is open")
	}
	start, worked := time.Now(), processor()
	var (
		a   wire.Answer
		err error
	)
	switch r.Do {
	case wire.Import:
		a, err = w.bulk(ctx, r)
	case wire.Fill:
		a, err = w.fill(ctx, r)
	case wire.Checks:
		a, err = w.checks(ctx, r)
	case wire.Lookup:
		a, err = w.lookup(ctx, r)
	case wire.Writes:
		a, err = w.writes(ctx, r)
	case wire.Usage:
		a, err = usage()
	default:
		err = errors.New("unknown action")
	}
	if a.Took == 0 {
		a.Took = time.Since(start)
	}
	a.CPU = processor() - worked
	return a, err
}

func (w *Worker) open(ctx context.Context, r wire.Request) error {
	if w.store != nil {
		return errors.New("a store is open already")
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := stores.Open(ctx, r.Kind, r.At, log)
	if err != nil {
		return err
	}
	start := stores.Uncached
	if r.Caches {
		start = stores.Tenantry
	}
	e, err := start(ctx, store)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	w.kind, w.store, w.engine, w.client = r.Kind, store, e, v1.NewPermissionsServiceClient(e.Conn)
	return nil
}

// close closes the store. Memory has nothing to keep, and might not hear of the end for long: it is just left.
func (w *Worker) close() error {
	if w.store == nil || w.kind == wire.Memory {
		return nil
	}
	return errors.Join(w.engine.Close(), w.store.Close())
}
