package switcher

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

// Journal is what the index is fed from: the directory's database. Its errors are retried, whatever they are.
type Journal interface {
	// Heads returns the newest version of every environment.
	Heads(ctx context.Context) (map[account.EnvironmentID]account.Version, error)
	// Reaching tells what an environment holds, all of one version, which it returns: fn roles, accounts and
	// users before memberships and API tokens; more of memberships that end, or reach into the branch, about
	// that, after fn was told of their roles.
	Reaching(ctx context.Context, env account.EnvironmentID, fn func(account.Entity) error, more func(account.Membership) error) (account.Version, error)
	// Entries returns up to limit entries after a version, oldest first.
	Entries(ctx context.Context, env account.EnvironmentID, after account.Version, limit int) ([]account.Entry, error)
}

// Config adjusts an Index; the zero value is good for production.
type Config struct {
	Poll     time.Duration // how often to look for entries that other processes wrote; 250 ms if 0
	Now      func() time.Time
	Log      *slog.Logger
	Registry prometheus.Registerer // metrics are kept but not exported if nil
}

func (c Config) withDefaults() Config {
	if c.Poll == 0 {
		c.Poll = 250 * time.Millisecond
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Index is the index of every environment.
type Index struct {
	journal Journal
	model   *model
	cfg     Config
	metrics *metrics

	mu        sync.RWMutex
	followers map[account.EnvironmentID]*follower
	look      chan struct{} // asks the poller to look at once
	loading   chan struct{} // has room for as many as may load at once
	proven    atomic.Bool   // see Prove
}

// loadsAtOnce is how many environments are loaded at once.
const loadsAtOnce = 2

// New returns an Index of the permissions of a catalogue, which is empty until Run, and answers nothing until Prove.
func New(journal Journal, catalogue *schema.Catalogue, cfg Config) *Index {
	return &Index{
		journal: journal, model: newModel(catalogue), cfg: cfg.withDefaults(), metrics: newMetrics(cfg.Registry),
		followers: map[account.EnvironmentID]*follower{}, look: make(chan struct{}, 1),
		loading: make(chan struct{}, loadsAtOnce),
	}
}

// Run loads every environment and follows its journal until ctx ends, and returns nil then. It may be called once.
func (x *Index) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		ticker := time.NewTicker(x.cfg.Poll)
		defer ticker.Stop()
		for {
			x.lookAround(ctx, group)
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			case <-x.look:
			}
		}
	})
	return group.Wait()
}

// lookAround starts followers for new environments and wakes those that are behind.
func (x *Index) lookAround(ctx context.Context, group *errgroup.Group) {
	reading, cancel := context.WithTimeout(ctx, 10*time.Second)
	heads, err := x.journal.Heads(reading)
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			x.cfg.Log.WarnContext(ctx, "index: the database does not answer", "error", err)
		}
		return
	}
	for env, head := range heads {
		f := x.follower(env)
		if f.begin() {
			group.Go(func() error {
				f.run(ctx)
				return nil
			})
		}
		f.see(head)
	}
}

func (x *Index) follower(env account.EnvironmentID) *follower {
	x.mu.RLock()
	f, ok := x.followers[env]
	x.mu.RUnlock()
	if ok {
		return f
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if f, ok = x.followers[env]; !ok {
		f = newFollower(x, env)
		x.followers[env] = f
	}
	return f
}

// Expect tells the index that an environment's journal has reached a version.
func (x *Index) Expect(env account.EnvironmentID, version account.Version) {
	f := x.follower(env)
	f.expect(version)
	if !f.begun() {
		select {
		case x.look <- struct{}{}:
		default:
		}
	}
}

// Prove says whether the engine's schema is known to be the one that the index implements: only then it answers.
func (x *Index) Prove(is bool) {
	x.proven.Store(is)
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, f := range x.followers {
		x.serving(f)
	}
}

// Proven is what Prove said last.
func (x *Index) Proven() bool { return x.proven.Load() }

// serving notes whether the index answers for an environment.
func (x *Index) serving(f *follower) {
	x.metrics.serving(f.env, f.current.Load() != nil && !f.withdrawn.Load() && x.proven.Load())
}

// Now returns an environment at the newest version that the index has. Unavailable
// faults: index_loading, index_withdrawn, index_unproven.
func (x *Index) Now(env account.EnvironmentID) (*View, error) {
	return x.now(x.follower(env))
}

func (x *Index) now(f *follower) (*View, error) {
	now := f.current.Load()
	switch {
	case !x.proven.Load():
		return nil, fault.New(fault.Unavailable, "index_unproven", "the index does not answer: the engine's schema is not known to be the one that it implements")
	case f.withdrawn.Load():
		return nil, fault.New(fault.Unavailable, "index_withdrawn", "the index of environment %s is out of service", f.env)
	case now == nil:
		return nil, fault.New(fault.Unavailable, "index_loading", "the index of environment %s is being loaded", f.env)
	default:
		return now.view(x.model, x.cfg.Now()), nil
	}
}

// View returns an environment at a version or a newer one, and waits for it until
// ctx ends. Unavailable faults: index_loading at once while the environment is not
// loaded, index_withdrawn at once when it was taken out of service, index_unproven at once while it is not proved,
// index_behind if the version does not come in time, and at once if the index has been behind for seconds.
func (x *Index) View(ctx context.Context, env account.EnvironmentID, atLeast account.Version) (*View, error) {
	f := x.follower(env)
	for {
		changed := f.next() // before the version is looked at: so that none is missed
		now, err := x.now(f)
		if err != nil || now.Version() >= atLeast {
			return now, err
		}
		f.expect(atLeast)
		if !f.isLate() {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
			}
		}
		return nil, fault.New(fault.Unavailable, "index_behind", "version %d of environment %s is not in the index yet (at %d)", atLeast, env, now.Version())
	}
}

// Next returns a channel that is closed when the environment has another version than now.
func (x *Index) Next(env account.EnvironmentID) <-chan struct{} { return x.follower(env).next() }

// Withdraw takes an environment out of service until the process ends: what the index says
// of it is not what the engine says.
func (x *Index) Withdraw(env account.EnvironmentID) {
	f := x.follower(env)
	f.withdrawn.Store(true)
	x.serving(f)
}
