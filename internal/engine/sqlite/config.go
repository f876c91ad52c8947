package sqlite

import (
	"cmp"
	"log/slog"
	"runtime"
	"time"
)

// Synchronous says what an acknowledged write survives.
type Synchronous int

const (
	// Full waits for the disk at every commit: an acknowledged write survives a power failure.
	Full Synchronous = iota
	// Normal waits for the disk at checkpoints only: an acknowledged write survives the end of
	// the process, but the last ones may be lost with the machine.
	Normal
)

// Config says where a Datastore lies and how it behaves. Only Path is needed.
type Config struct {
	// Path is the database file. Its -wal, -shm and .lock files lie beside it.
	Path string

	// ReadOnly attaches to a file that another process may be writing: nothing is written, no
	// lock is taken, and writes fail with ErrReadOnly.
	ReadOnly bool

	// Synchronous says what an acknowledged write survives.
	Synchronous Synchronous

	// Readers is the most queries that run at once; 0 is one for each processor, but at least four.
	Readers int

	// Quantum is how long reads that ask for no freshness share a revision; 0 is not at all.
	Quantum time.Duration

	// GCWindow is how long old revisions can be read and watched; 0 is 24 hours.
	GCWindow time.Duration
	// GCInterval is the pause between two collections; 0 is 3 minutes.
	GCInterval time.Duration

	// WatchBuffer is how many revisions a watch holds for a slow caller; 0 is 128.
	WatchBuffer uint16
	// WatchWriteTimeout is how long a full buffer may stay full before the watch ends; 0 is one second.
	WatchWriteTimeout time.Duration

	// CacheBytes is how much of the file may lie in memory: half of it for the writer, half for
	// queries that run. One that rests half read keeps its share meanwhile. 0 is 64 MiB.
	CacheBytes int64

	// MaxPages is the most pages that the file may have: a write beyond it fails with ErrFull,
	// as on a full disk. 0 is no limit.
	MaxPages int64

	// CheckWait is how long Open waits for the integrity check after an unclean stop, before it
	// lets the check go on in the background; 0 is 2 seconds.
	CheckWait time.Duration

	// Now is the clock that expiries go by; nil is time.Now. The age of revisions goes by the machine's.
	Now func() time.Time

	// Log receives what an operator should know; nil discards it.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	c.Readers = cmp.Or(c.Readers, max(4, runtime.GOMAXPROCS(0)))
	c.GCWindow = cmp.Or(c.GCWindow, 24*time.Hour)
	c.GCInterval = cmp.Or(c.GCInterval, 3*time.Minute)
	c.WatchBuffer = cmp.Or(c.WatchBuffer, 128)
	c.WatchWriteTimeout = cmp.Or(c.WatchWriteTimeout, time.Second)
	c.CacheBytes = cmp.Or(c.CacheBytes, 64<<20)
	c.CheckWait = cmp.Or(c.CheckWait, 2*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}
