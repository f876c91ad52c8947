package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"sync/atomic"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/gofrs/flock"
	sqlite3 "zombiezen.com/go/sqlite"
)

// Datastore is a SpiceDB datastore in an SQLite file. Make one with Open.
type Datastore struct {
	cfg      Config
	uniqueID string

	head     *head
	shared   shared
	kinds    dictionary
	versions versions

	lock    *flock.Flock // nil if it is read only
	readers *pool
	writer  *writer // nil if it is read only

	collecting sync.Mutex  // held by the collection that runs
	gcRan      atomic.Bool // one has ended well
	expiries   *expiries

	broken  atomic.Pointer[error] // why it must not be used any more
	life    life
	closing chan struct{}
	once    sync.Once
	closed  error
}

var (
	_ datastore.Datastore                   = (*Datastore)(nil)
	_ datastore.GarbageCollectableDatastore = (*Datastore)(nil)
)

// Open opens a datastore, and makes it if there is none. After an unclean stop it checks the file.
// ctx bounds the opening only; Close ends the datastore and what it does in the background.
//
// Errors: a *LockedError if another process has it open for writing; ErrNewer; ErrCorrupt;
// ErrNoDatabase if the file is something else or, read only, is not there; those of the file system.
func Open(ctx context.Context, cfg Config) (*Datastore, error) {
	d := &Datastore{cfg: cfg.withDefaults(), head: newHead(), closing: make(chan struct{}), expiries: newExpiries()}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", cfg.Path, err), d.Close())
	}
	return d, nil
}

func (d *Datastore) open(ctx context.Context) error {
	unclean := false
	if d.cfg.ReadOnly {
		if _, err := os.Stat(d.cfg.Path); err != nil {
			return fmt.Errorf("%w: %w", ErrNoDatabase, err)
		}
	} else {
		var err error
		if d.lock, err = lock(d.cfg.Path); err != nil {
			return err
		}
		unclean = leftovers(d.cfg.Path)
		if d.writer, err = openWriter(ctx, d); err != nil {
			return err
		}
	}
	cache := fmt.Sprintf("cache_size = %d", -d.cfg.CacheBytes/2/int64(d.cfg.Readers)/1024) // the writer has the other half
	flags := sqlite3.OpenReadWrite
	if d.cfg.ReadOnly { // else the last connection would tidy up at its end, and hide an unclean stop
		flags = sqlite3.OpenReadOnly
	}
	d.readers = newPool(d.cfg.Readers, flags, d.closing, d.cfg.Path, cache, "query_only = ON")
	if err := d.read(ctx, d.load); err != nil {
		return err
	}
	if d.cfg.ReadOnly {
		d.head.ending.Store(math.MaxInt64) // somebody else may end things at any time
		return nil
	}
	if unclean {
		if err := d.checkAfterCrash(ctx); err != nil {
			return err
		}
	}
	if err := d.lookAhead(ctx, d.cfg.Now()); err != nil {
		return err
	}
	d.startCollector()
	d.startExpirer()
	return nil
}

// load reads what is kept in memory: the head and the kinds.
func (d *Datastore) load(c *conn) error {
	if d.cfg.ReadOnly {
		switch have, err := version(c.Conn); {
		case err != nil:
			return err
		case have == 0:
			return ErrNoDatabase
		case have < len(migrations()):
			return fmt.Errorf("the file has tables of an older version; open it for writing once")
		}
	}
	var floor, ending int64
	err := c.query("SELECT (SELECT unique_id FROM store), (SELECT min(tx) FROM revision), (SELECT max(until) FROM past)", func(s *sqlite3.Stmt) error {
		d.uniqueID, floor, ending = s.ColumnText(0), s.ColumnInt64(1), s.ColumnInt64(2)
		return nil
	})
	if err != nil {
		return err
	}
	d.head.floor.Store(floor)
	d.head.ending.Store(ending)
	return d.reload(c)
}

// reload reads what a commit changes.
func (d *Datastore) reload(c *conn) error {
	// The kinds go second: those of every transaction up to the head are among them then.
	s, err := readHead(c)
	if err != nil {
		return err
	}
	if err := d.kinds.load(c.Conn); err != nil {
		return err
	}
	d.head.publish(s)
	return nil
}

// refresh looks for what another process has written. The writing process knows its own.
func (d *Datastore) refresh(ctx context.Context) error {
	if err := d.usable(); err != nil {
		return err
	}
	if !d.cfg.ReadOnly {
		return nil
	}
	return d.read(ctx, func(c *conn) error {
		newest, err := number(c.Conn, "SELECT max(tx) FROM revision")
		if err != nil || Revision(newest) == d.head.get().revision {
			return err
		}
		if err := d.reload(c); err != nil {
			return err
		}
		floor, err := number(c.Conn, "SELECT min(tx) FROM revision")
		d.head.floor.Store(floor)
		return err
	})
}

// goOn says to who reads page by page that there is no more use in it: why ctx is over, or ErrClosed.
func (d *Datastore) goOn(ctx context.Context) error {
	select {
	case <-d.closing:
		return ErrClosed
	default:
		return over(ctx)
	}
}

// usable is nil while the datastore is open and sound.
func (d *Datastore) usable() error {
	select {
	case <-d.closing:
		return ErrClosed
	default:
	}
	if why := d.broken.Load(); why != nil {
		return *why
	}
	return nil
}

// breakDown ends the use of the datastore; the first reason counts.
func (d *Datastore) breakDown(why error) {
	if d.broken.CompareAndSwap(nil, &why) {
		d.cfg.Log.Error("the datastore cannot be used any more", "error", why)
	}
}

// read runs fn on a connection that reads.
func (d *Datastore) read(ctx context.Context, fn func(*conn) error) error {
	l, err := d.readers.get(ctx)
	if err != nil {
		return err
	}
	defer l.put()
	l.do(func() { err = fn(l.conn) })
	return err
}

// Close waits for the transaction under way, ends queries and watches, and closes the file. Uses
// afterwards fail with ErrClosed. It may be called again.
func (d *Datastore) Close() error {
	d.once.Do(func() {
		release := func() error {
			if d.lock == nil {
				return nil
			}
			return unlock(d.lock)
		}
		var errs []error
		if d.writer != nil {
			d.writer.turns.shut()
		}
		close(d.closing)
		d.life.end()
		if d.readers != nil {
			errs = append(errs, d.readers.close())
		}
		if d.writer != nil {
			errs = append(errs, d.writer.end(release))
		} else {
			errs = append(errs, release())
		}
		d.closed = errors.Join(errs...)
	})
	return d.closed
}

// MetricsID names the datastore in metrics.
func (*Datastore) MetricsID() (string, error) { return "sqlite", nil }

// UniqueID is a UUID that the file was given when it was made.
func (d *Datastore) UniqueID(context.Context) (string, error) { return d.uniqueID, nil }

// ReadyState reports whether the datastore can be used, and why not.
func (d *Datastore) ReadyState(context.Context) (datastore.ReadyState, error) {
	if err := d.usable(); err != nil {
		return datastore.ReadyState{Message: err.Error()}, nil //nolint:nilerr // that it cannot be used is the answer
	}
	return datastore.ReadyState{IsReady: true}, nil
}

// Features says what the datastore can do, beyond what all can.
func (d *Datastore) Features(context.Context) (*datastore.Features, error) {
	return d.OfflineFeatures()
}

// OfflineFeatures is the same as Features.
func (*Datastore) OfflineFeatures() (*datastore.Features, error) {
	yes := datastore.Feature{Status: datastore.FeatureSupported}
	return &datastore.Features{
		Watch: yes, ContinuousCheckpointing: yes, WatchEmitsImmediately: yes,
		IntegrityData: datastore.Feature{Status: datastore.FeatureUnsupported, Reason: "relationships are not signed"},
	}, nil
}
