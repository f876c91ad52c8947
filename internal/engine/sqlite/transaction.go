package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/cenkalti/backoff/v5"
	"google.golang.org/protobuf/types/known/structpb"
)

// maxAttempts is how often a transaction is tried that others are in the way of.
const maxAttempts = 10

// transaction is one that writes. It reads what it has written; nobody else does before the commit.
type transaction struct {
	reader // at its own revision

	conn   *conn
	writer *writer
	number Revision

	mu   sync.Mutex // SpiceDB asks from several goroutines
	over bool

	changed       bool
	schemaHash    string
	relationships int64 // more than before, or fewer
	ended         bool  // it has moved something into the past
	expires       int64 // the first expiry to come that it has written, in microseconds of Unix time; 0 is none
	added         []*kind
	log           changeLog
}

var _ datastore.ReadWriteTransaction = (*transaction)(nil)

// ReadWriteTx runs a function in a transaction and returns its revision once the transaction is
// on the disk: every read at that revision or later sees it whole. If the function wrote nothing,
// that is the head, unless the head is old. If it fails, nothing is kept, and its error is returned as it is.
//
// One transaction runs at a time; ctx bounds the wait. If the function returns ErrRetry, it is
// repeated, some times and with pauses, unless retries are disabled. A function must not begin
// another transaction, for which it would wait forever. Transactions with retries disabled share
// no commit, so that long ones keep nobody's acknowledgement waiting.
//
// Errors: ErrFull, ErrReadOnly, ErrClosed, ErrForeign, datastore.ErrSchemaHashPreconditionFailed,
// and the function's.
func (d *Datastore) ReadWriteTx(ctx context.Context, fn datastore.TxUserFunc, opts ...options.RWTOptionsOption) (datastore.Revision, error) {
	if d.cfg.ReadOnly {
		return datastore.NoRevision, ErrReadOnly
	}
	if err := d.usable(); err != nil {
		return datastore.NoRevision, err
	}
	o := options.NewRWTOptionsWithOptions(opts...)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 5 * time.Millisecond
	for attempt := 1; ; attempt++ {
		revision, err := d.writer.run(ctx, fn, o)
		if err == nil {
			return revision, nil
		}
		if !errors.Is(err, ErrRetry) || o.DisableRetries || attempt == maxAttempts {
			return datastore.NoRevision, err
		}
		select {
		case <-time.After(pause.NextBackOff()):
		case <-ctx.Done():
			return datastore.NoRevision, errors.Join(ended(ctx), err)
		}
	}
}

// run waits for the turn, runs the function once, and waits for the commit.
func (w *writer) run(ctx context.Context, fn datastore.TxUserFunc, o *options.RWTOptions) (Revision, error) {
	has, err := w.turns.take(ctx, o.DisableRetries)
	if !has {
		return 0, err
	}
	if err != nil {
		w.leave()
		return 0, err
	}
	if o.DisableRetries && w.batch != nil {
		w.commit()
	}
	if err := w.begin(); err != nil {
		w.leave()
		return 0, err
	}
	b := w.batch
	revision, err := w.one(ctx, b, fn, o)
	<-b.done
	if b.err != nil {
		return 0, b.err
	}
	return revision, err
}

// one runs a transaction in the open batch, and leaves.
func (w *writer) one(ctx context.Context, b *batch, fn datastore.TxUserFunc, o *options.RWTOptions) (revision Revision, err error) {
	tx := &transaction{
		conn: w.conn, writer: w, number: w.pending.revision + 1, schemaHash: w.pending.schemaHash,
		reader: reader{store: w.store, at: w.pending.revision + 1},
	}
	tx.tx = tx
	savepoint := false
	finished := false // its revision is written down
	defer func() {
		tx.close()
		switch {
		case finished && err == nil:
		case finished: // it is half released
			w.abort(err)
		default: // the function may also have left by a panic
			w.undo(savepoint, err)
		}
		if o.DisableRetries && w.batch == b {
			w.commit()
		}
		w.leave()
	}()
	b.size++
	if !o.DisableRetries {
		if err := w.conn.exec("SAVEPOINT one"); err != nil {
			return 0, err
		}
		savepoint = true
	}
	if o.SchemaHashPrecondition != "" {
		if err := tx.expect(o.SchemaHashPrecondition); err != nil {
			return 0, err
		}
	}
	if err := fn(ctx, tx); err != nil {
		return 0, err
	}
	if revision, err = tx.finish(b, o.Metadata); err != nil {
		return 0, err
	}
	finished = true
	if savepoint {
		err = w.conn.exec("RELEASE one")
	}
	return revision, err
}

// undo takes back what the transaction has done, and with it the batch if SQLite has.
func (w *writer) undo(savepoint bool, why error) {
	switch {
	case w.conn.AutocommitEnabled() || !savepoint:
		if why == nil {
			why = errors.New("the transaction's function did not return")
		}
		w.abort(why)
	default:
		if err := errors.Join(w.conn.exec("ROLLBACK TO one"), w.conn.exec("RELEASE one")); err != nil {
			w.abort(fmt.Errorf("rolling back: %w", err))
		}
	}
}

// expect compares the schema's hash.
func (tx *transaction) expect(hash string) error {
	if tx.schemaHash == hash {
		return nil
	}
	if tx.schemaHash == "" {
		if schema, err := readSchema(tx.conn, tx.number); err != nil || schema == nil {
			return errors.Join(err, datastore.ErrSchemaNotFound)
		}
	}
	return datastore.ErrSchemaHashPreconditionFailed
}

// finish writes the transaction down, if it has changed anything, and gives its revision.
func (tx *transaction) finish(b *batch, metadata *structpb.Struct) (Revision, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	w := tx.writer
	if !tx.changed && !w.store.aged(w.pending) {
		return w.pending.revision, nil
	}
	if err := tx.log.flush(tx.conn, tx.number); err != nil {
		return 0, err
	}
	at := time.Now()
	if !at.After(w.pending.at) { // the clock was set back, or is coarse
		at = w.pending.at.Add(1)
	}
	var meta []byte
	if metadata != nil {
		var err error
		if meta, err = stable(metadata); err != nil {
			return 0, err
		}
	}
	next := state{
		revision: tx.number, at: at, schemaHash: tx.schemaHash,
		relationships: w.pending.relationships + tx.relationships,
	}
	err := tx.conn.exec("INSERT INTO revision (tx, at, relationships, metadata) VALUES (?, ?, ?, ?)",
		next.revision, at.UnixNano(), next.relationships, meta)
	if err != nil {
		return 0, err
	}
	w.pending = next
	if len(tx.added) > 0 {
		w.kinds = tx.kinds()
	}
	b.changed = true
	if tx.ended {
		b.ending = tx.number
	}
	b.expires = sooner(b.expires, tx.expires)
	return tx.number, nil
}

// close ends the use of the transaction.
func (tx *transaction) close() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.over = true
}

// do runs fn with the connection to itself.
func (tx *transaction) do(ctx context.Context, fn func() error) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.over {
		return errors.New("the transaction is over")
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	return fn()
}

// kinds are those that the transaction can use.
func (tx *transaction) kinds() *kinds {
	if len(tx.added) == 0 {
		return tx.writer.kinds
	}
	return tx.writer.kinds.with(tx.added)
}

// known gives a kind that there is; nil if there is none.
func (tx *transaction) known(r tuple.RelationshipReference) *kind {
	key := kindOf(r)
	if k := tx.writer.kinds.ids[key]; k != nil {
		return k
	}
	i := slices.IndexFunc(tx.added, func(k *kind) bool { return k.resource() == key.resource() && k.subject() == key.subject() })
	if i < 0 {
		return nil
	}
	return tx.added[i]
}

// kind gives a kind, a new one if need be.
func (tx *transaction) kind(r tuple.RelationshipReference) (*kind, error) {
	if k := tx.known(r); k != nil {
		return k, nil
	}
	k := kindOf(r)
	k.id = tx.writer.kinds.last() + int64(len(tx.added)) + 1
	err := tx.conn.exec("INSERT INTO kind (id, resource_type, relation, subject_type, subject_relation) VALUES (?, ?, ?, ?, ?)",
		k.id, k.resourceType, k.relation, k.subjectType, k.subjectRelation)
	if err != nil {
		return nil, err
	}
	tx.added = append(tx.added, &k)
	tx.changed = true
	return &k, nil
}

// iterate reads a plan into memory, with what the transaction has written.
func (tx *transaction) iterate(ctx context.Context, p plan) datastore.RelationshipIterator {
	return func(yield func(tuple.Relationship, error) bool) {
		var all []tuple.Relationship
		err := tx.do(ctx, func() (err error) {
			all, err = tx.all(ctx, &p)
			return err
		})
		for i := range all {
			if !yield(all[i], nil) {
				return
			}
		}
		if err != nil {
			yield(tuple.Relationship{}, err)
		}
	}
}
