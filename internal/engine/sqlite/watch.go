package sqlite

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/protobuf/types/known/structpb"
	sqlite3 "zombiezen.com/go/sqlite"
)

const (
	// checkpointEvery and checkpointMin are the pause between two checkpoints of a watch while
	// nothing happens: unless it is told, and at least.
	checkpointEvery = time.Second
	checkpointMin   = 10 * time.Millisecond
	// watchPage is how many transactions a watch reads at a time.
	watchPage = 100
)

// Watch tells what every transaction after a revision changed, in the order of revisions, each
// whole and once. With checkpoints it also tells, after what has happened and as long as nothing
// does, up to where it has told everything. EmitImmediatelyStrategy, which needs checkpoints,
// spreads a transaction over several messages, so that a large one needs little memory.
//
// The channels are closed at the end, after the reason was sent: WatchCanceledError if ctx ended,
// WatchDisconnectedError if the caller was too slow, InvalidRevisionError if it asks for, or falls
// behind, the start of the window, MaximumChangesSizeExceededError, ErrClosed.
func (d *Datastore) Watch(
	ctx context.Context, after datastore.Revision, o datastore.WatchOptions,
) (<-chan datastore.RevisionChanges, <-chan error) {
	w := &watch{
		store: d, content: o.Content, whole: o.EmissionStrategy != datastore.EmitImmediatelyStrategy,
		out:         make(chan datastore.RevisionChanges, cmp.Or(o.WatchBufferLength, d.cfg.WatchBuffer)),
		patience:    cmp.Or(o.WatchBufferWriteTimeout, d.cfg.WatchWriteTimeout),
		every:       max(cmp.Or(o.CheckpointInterval, checkpointEvery), checkpointMin),
		maxBytes:    o.MaximumBufferedChangesByteSize,
		checkpoints: o.Content&datastore.WatchCheckpoints != 0,
	}
	errs := make(chan error, 1)
	end := func(err error) {
		errs <- err
		close(w.out)
		close(errs)
	}
	var ok bool
	switch w.at, ok = after.(Revision); {
	case !ok:
		end(unknown(after))
	case !w.whole && !w.checkpoints:
		end(errors.New("the emit immediately strategy needs checkpoints"))
	case !d.spawn(func() { end(w.run(ctx)) }):
		end(ErrClosed)
	}
	return w.out, errs
}

// watch is one under way.
type watch struct {
	store       *Datastore
	at          Revision // up to here everything was told
	content     datastore.WatchContent
	whole       bool // a transaction is one message
	checkpoints bool
	out         chan datastore.RevisionChanges
	patience    time.Duration
	every       time.Duration
	maxBytes    uint64
}

func (w *watch) run(ctx context.Context) error {
	if w.at > w.store.head.get().revision {
		if err := w.store.reach(ctx, w.at); err != nil {
			return err
		}
	}
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		changed := w.store.head.next()
		if err := w.follow(ctx); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-tick.C:
			if err := w.store.refresh(ctx); err != nil {
				return err
			}
			if w.at == w.store.head.get().revision {
				if err := w.checkpoint(ctx); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return datastore.NewWatchCanceledErr()
		case <-w.store.closing:
			return ErrClosed
		}
	}
}

// follow tells everything up to the head.
func (w *watch) follow(ctx context.Context) error {
	for {
		head := w.store.head.get().revision
		if w.at >= head {
			return nil
		}
		next, err := w.transactions(ctx, head)
		if err != nil {
			return err
		}
		for _, tx := range next {
			if err := w.tell(ctx, tx); err != nil {
				return err
			}
			w.at = tx.number
		}
		if err := w.checkpoint(ctx); err != nil {
			return err
		}
	}
}

func (w *watch) checkpoint(ctx context.Context) error {
	if !w.checkpoints {
		return nil
	}
	return w.send(ctx, datastore.RevisionChanges{Revision: w.at, IsCheckpoint: true})
}

// watched is a transaction to be told.
type watched struct {
	number   Revision
	metadata []byte
}

// transactions reads the next some transactions.
func (w *watch) transactions(ctx context.Context, head Revision) (out []watched, _ error) {
	err := w.read(ctx, func(c *conn) error {
		return c.query("SELECT tx, metadata FROM revision WHERE tx > ? AND tx <= ? ORDER BY tx LIMIT ?", func(s *sqlite3.Stmt) error {
			out = append(out, watched{Revision(s.ColumnInt64(0)), blob(s, 1)})
			return nil
		}, w.at, head, int64(watchPage))
	})
	return out, err
}

// read runs fn on a connection, and makes sure that nothing of what it read had been collected.
func (w *watch) read(ctx context.Context, fn func(*conn) error) error {
	err := w.store.read(ctx, func(c *conn) error {
		if err := fn(c); err != nil {
			return err
		}
		return w.store.complete(c, w.at)
	})
	if err != nil && ctx.Err() != nil {
		return datastore.NewWatchCanceledErr()
	}
	return err
}

// tell sends what a transaction did.
func (w *watch) tell(ctx context.Context, tx watched) error {
	all := datastore.RevisionChanges{Revision: tx.number}
	if w.content&datastore.WatchSchema != 0 {
		if err := w.read(ctx, func(c *conn) error { return definitionsChanged(c, &all) }); err != nil {
			return err
		}
	}
	metadata, err := metadataOf(tx)
	if err != nil {
		return err
	}
	if w.whole {
		if w.content&datastore.WatchRelationships != 0 {
			if all.RelationshipChanges, err = w.net(ctx, tx.number); err != nil {
				return err
			}
		}
		if len(all.RelationshipChanges)+len(all.ChangedDefinitions)+len(all.DeletedNamespaces)+len(all.DeletedCaveats) == 0 {
			return nil
		}
		all.Metadatas = metadata
		return w.send(ctx, all)
	}
	if len(all.ChangedDefinitions)+len(all.DeletedNamespaces)+len(all.DeletedCaveats) > 0 {
		if err := w.send(ctx, all); err != nil {
			return err
		}
	}
	if w.content&datastore.WatchRelationships != 0 {
		if err := w.parts(ctx, tx.number); err != nil {
			return err
		}
	}
	if len(metadata) == 0 {
		return nil
	}
	return w.send(ctx, datastore.RevisionChanges{Revision: tx.number, Metadatas: metadata})
}

func metadataOf(tx watched) ([]*structpb.Struct, error) {
	if tx.metadata == nil {
		return nil, nil
	}
	m, err := contextOf(tx.metadata)
	return []*structpb.Struct{m}, err
}

// send waits for room, as long as the caller's patience lasts.
func (w *watch) send(ctx context.Context, c datastore.RevisionChanges) error {
	select {
	case w.out <- c:
		return nil
	default:
	}
	late := time.NewTimer(w.patience)
	defer late.Stop()
	select {
	case w.out <- c:
		return nil
	case <-late.C:
		return datastore.NewWatchDisconnectedErr()
	case <-ctx.Done():
		return datastore.NewWatchCanceledErr()
	case <-w.store.closing:
		return ErrClosed
	}
}

// update makes a change what a watch tells.
func (c change) update() tuple.RelationshipUpdate {
	if c.operation == touched {
		return tuple.Touch(c.rel)
	}
	return tuple.Delete(c.rel)
}
