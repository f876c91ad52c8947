package relay

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Journal is what the relay needs of the directory's database. Its errors are retried, whatever they are.
type Journal interface {
	// Heads returns the newest version of every environment.
	Heads(ctx context.Context) (map[account.EnvironmentID]account.Version, error)
	// Entries returns up to limit entries after a version, oldest first.
	Entries(ctx context.Context, env account.EnvironmentID, after account.Version, limit int) ([]account.Entry, error)
	// Snapshot calls fn for every entity of an environment, all of one version, which it returns.
	Snapshot(ctx context.Context, env account.EnvironmentID, fn func(account.Entity) error) (account.Version, error)
	// Position returns what SavePosition kept for an engine last; version 0 if nothing.
	Position(ctx context.Context, env account.EnvironmentID, engine string) (account.Version, string, error)
	// SavePosition keeps a position unless a newer one is kept already.
	SavePosition(ctx context.Context, env account.EnvironmentID, engine string, version account.Version, token string) error
	// ForgetPosition drops what SavePosition kept.
	ForgetPosition(ctx context.Context, env account.EnvironmentID, engine string) error
}

// Engine is the SpiceDB that the relay writes to.
type Engine interface {
	Conn() grpc.ClientConnInterface
	Name() string    // under which positions are kept
	MaxUpdates() int // that one write call takes
	Durable() bool   // keeps what is written; positions of one that does not are not kept either
}

// Step is a point in the application of an entry, for failure tests.
type Step string

// The steps, in order.
const (
	BeforeWrite Step = "before_write" // the entry is read, nothing sent
	MidWrite    Step = "mid_write"    // the engine has a part of an entry that takes several calls; once for each but the last
	AfterWrite  Step = "after_write"  // the engine has it, the position is not yet kept in the database
	AfterSave   Step = "after_save"   // the position is kept, nobody has been told
)

// Config adjusts a Relay; the zero value is good for production.
type Config struct {
	Poll        time.Duration // how often to look for entries that other processes wrote; 250 ms if 0
	CallTimeout time.Duration // of one call to the engine; 10 s if 0
	RetryMax    time.Duration // the longest pause between tries while the engine is away; 2 s if 0
	StoppedWait time.Duration // the pause before a stopped environment is tried again; 30 s if 0
	LookAgain   time.Duration // how often an idle worker looks whether the engine still stands where it was left; 5 s if 0
	TakeOver    time.Duration // how long another process's write in several calls may show no progress before it counts as given up; 15 s if 0
	Stuck       time.Duration // how long Reconcile waits for an engine that is behind and does not move; 1 min if 0
	Alone       bool          // nobody else writes to the engine: what another process left unfinished is taken over at once
	LookOnly    bool          // another process writes to the engine: only follow how far it comes, and write nothing, positions included
	Log         *slog.Logger  // slog.Default() if nil
	Now         func() time.Time
	Registry    prometheus.Registerer                            // metrics are kept but not exported if nil
	OnStep      func(Step, account.Version)                      // called at each step; for failure tests
	OnBuild     func(env account.EnvironmentID, done, total int) // progress of filling an engine
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&c.Poll, 250*time.Millisecond)
	set(&c.CallTimeout, 10*time.Second)
	set(&c.RetryMax, 2*time.Second)
	set(&c.StoppedWait, 30*time.Second)
	set(&c.LookAgain, 5*time.Second)
	set(&c.TakeOver, 15*time.Second)
	set(&c.Stuck, time.Minute)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.OnStep == nil {
		c.OnStep = func(Step, account.Version) {}
	}
	return c
}

// Relay applies the journals of all environments to one engine.
type Relay struct {
	journal   Journal
	engine    Engine
	projector *relation.Projector
	cfg       Config
	metrics   *metrics
	owner     string       // begins the words of this relay's busy marks
	words     atomic.Int64 // how many there have been

	mu      sync.Mutex
	looked  bool // the environments have been read since the start
	workers map[account.EnvironmentID]*worker
	look    chan struct{} // asks the poller to look at once
}

// New returns a Relay that does nothing until Run.
func New(journal Journal, engine Engine, projector *relation.Projector, cfg Config) *Relay {
	return &Relay{
		journal: journal, engine: engine, projector: projector, cfg: cfg.withDefaults(),
		metrics: newMetrics(cfg.Registry),
		owner:   account.NewID("relay") + "_",
		workers: map[account.EnvironmentID]*worker{},
		look:    make(chan struct{}, 1),
	}
}

// Run applies entries until ctx ends, and returns nil then. It may be called once.
func (r *Relay) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		ticker := time.NewTicker(r.cfg.Poll)
		defer ticker.Stop()
		for {
			r.lookAround(ctx, group)
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			case <-r.look:
			}
		}
	})
	return group.Wait()
}

// lookAround starts workers for new environments and wakes those that are behind.
func (r *Relay) lookAround(ctx context.Context, group *errgroup.Group) {
	reading, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	heads, err := r.journal.Heads(reading)
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			r.cfg.Log.WarnContext(ctx, "relay: the database does not answer", "error", err)
		}
		return
	}
	for env, head := range heads {
		w := r.worker(env)
		if w.start() {
			group.Go(func() error {
				w.run(ctx)
				return nil
			})
		}
		w.expect(head)
	}
	r.mu.Lock()
	r.looked = true
	r.mu.Unlock()
}

// worker returns the environment's worker, which may not have been started.
func (r *Relay) worker(env account.EnvironmentID) *worker {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, ok := r.workers[env]
	if !ok {
		w = newWorker(r, env)
		r.workers[env] = w
	}
	return w
}

// Wait returns once the environment's journal is in force up to version, with
// the newest position; Unavailable (not_yet_in_force) if ctx ends before. With
// version 0 it waits only until the position is known.
func (r *Relay) Wait(ctx context.Context, env account.EnvironmentID, version account.Version) (Position, error) {
	return r.expecting(env, version).wait(ctx, version)
}

// expecting returns the environment's worker, told that the journal has reached a version.
func (r *Relay) expecting(env account.EnvironmentID, version account.Version) *worker {
	w := r.worker(env)
	w.expect(version)
	if !w.started() {
		select {
		case r.look <- struct{}{}:
		default:
		}
	}
	return w
}

// Fresh returns the newest position, at or after version, as a ZedToken and its
// version. It waits until ctx ends, and then returns an Unavailable fault.
func (r *Relay) Fresh(ctx context.Context, env account.EnvironmentID, version account.Version) (string, account.Version, error) {
	p, err := r.Wait(ctx, env, version)
	return p.Token, p.Version, err
}

// Reached is the newest version known to be in force; 0 if none is.
func (r *Relay) Reached(env account.EnvironmentID) account.Version {
	s := r.worker(env).status()
	if !s.Located {
		return 0
	}
	return s.Position.Version
}

// InForce waits until version is in force, or ctx ends: an Unavailable fault then.
func (r *Relay) InForce(ctx context.Context, env account.EnvironmentID, version account.Version) error {
	_, err := r.Wait(ctx, env, version)
	return err
}

// Reach is InForce for who has no use for waiting while the journal cannot be
// applied: an Unavailable fault (relay_stopped, engine_full) that says why then.
func (r *Relay) Reach(ctx context.Context, env account.EnvironmentID, version account.Version) error {
	w := r.expecting(env, version)
	var state Status
	err := w.until(ctx, func(s Status) bool {
		state = s
		return s.Located && s.Position.Version >= version || s.Stopped && refused(s.Err)
	}, version)
	if err == nil && (!state.Located || state.Position.Version < version) {
		return state.unready()
	}
	return err
}

// Settled waits until every environment is located or stopped: an engine that is
// being prepared is not worth comparing. Unavailable (engine_preparing) if ctx ends before.
func (r *Relay) Settled(ctx context.Context) error {
	heads, err := r.journal.Heads(ctx)
	if err != nil && ctx.Err() != nil {
		return fault.New(fault.Unavailable, "engine_preparing", "there was no time to see whether the engine is prepared; try again").Because(err)
	}
	if err != nil {
		return err
	}
	for env := range heads {
		w := r.worker(env)
		if err := w.until(ctx, func(s Status) bool { return s.Located || s.Stopped }, 0); err != nil {
			return err
		}
	}
	return nil
}
