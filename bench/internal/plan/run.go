package plan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tenantry/tenantry/bench/internal/figures"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/process"
	"github.com/tenantry/tenantry/bench/internal/stores"
	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/bench/internal/worker"
	"github.com/tenantry/tenantry/bench/internal/world"
)

// Result is what a run measured.
type Result struct {
	World    *world.World
	Table    *figures.Table
	Rounds   int             // that were made
	Fsync    []time.Duration // how long the disk took to keep 4 KiB appended to a file
	Postgres string          // version; "" if it took no part
	Settings []string        // of PostgreSQL
	Took     time.Duration
}

// Run lets the stores take turns at the cases of cfg. A wrong answer of a store is an error: it is no use
// to know how fast it was. Whatever was started is ended, and every file removed, when Run returns.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	dir, err := folder(cfg)
	if err != nil {
		return nil, err
	}
	r := &run{
		cfg: cfg, dir: dir,
		held: map[wire.Kind]*process.Process{}, slow: map[figures.Metric]map[wire.Kind]bool{},
		result: &Result{Table: figures.NewTable(cfg.Stores)},
	}
	begun := time.Now()
	err = r.all(ctx)
	r.result.Took = time.Since(begun)
	return r.result, errors.Join(err, r.close(), os.RemoveAll(dir))
}

// folder makes a folder for everything that a run writes.
func folder(cfg Config) (string, error) {
	if err := cfg.Check(); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(cfg.Dir, "tenantry-bench-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711) //nolint:gosec // PostgreSQL may run as another user
}

// run is a run under way.
type run struct {
	cfg    Config
	dir    string
	result *Result

	postgres  *postgres.Server
	held      map[wire.Kind]*process.Process // the stores with the whole content
	questions *world.Questions
	file      string // of all relationships
	slow      map[figures.Metric]map[wire.Kind]bool
}

func (r *run) all(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if slices.ContainsFunc([]Case{Checks, Lookups, Writes}, r.cfg.Has) {
		if err := r.load(ctx); err != nil {
			return err
		}
	}
	return r.rounds(ctx)
}

// prepare generates the content and starts PostgreSQL.
func (r *run) prepare(ctx context.Context) error {
	var err error
	if r.result.World, err = world.New(r.cfg.Size); err != nil {
		return err
	}
	w := r.result.World
	r.questions = w.Questions(1)
	r.file = filepath.Join(r.dir, "relationships")
	if err := worker.WriteFile(r.file, w.Relationships); err != nil {
		return err
	}
	r.cfg.say("generated %d accounts, %d relationships", w.Summary.Accounts, len(w.Relationships))
	if !slices.Contains(r.cfg.Stores, wire.Postgres) {
		return nil
	}
	if r.postgres, err = postgres.Start(ctx, r.dir); err != nil {
		return err
	}
	r.result.Postgres, r.result.Settings, err = r.postgres.Describe(ctx)
	return err
}

// fresh starts a worker with an empty store.
func (r *run) fresh(ctx context.Context, kind wire.Kind, name string) (*process.Process, string, error) {
	at := filepath.Join(r.dir, name+".db")
	if kind == wire.Postgres {
		var err error
		if at, err = r.postgres.Create(ctx); err != nil {
			return nil, "", err
		}
		if err := stores.Migrate(ctx, at); err != nil {
			return nil, "", err
		}
	}
	p, err := start(ctx, r.cfg, wire.Request{Do: wire.Open, Kind: kind, At: at})
	return p, at, err
}

// start starts a worker and lets it open a store.
func start(ctx context.Context, cfg Config, open wire.Request) (*process.Process, error) {
	p, err := process.Start(cfg.Log)
	if err != nil {
		return nil, err
	}
	if _, err := p.Do(ctx, open); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", open.Kind, err), p.Close())
	}
	return p, nil
}

// load puts the whole content into every store.
func (r *run) load(ctx context.Context) error {
	all := figures.Metric{Name: fmt.Sprintf("import of all %s relationships", figures.Thousands(len(r.result.World.Relationships))), Unit: figures.PerSecond}
	for _, kind := range r.cfg.Stores {
		p, at, err := r.fresh(ctx, kind, "all")
		if err != nil {
			return err
		}
		r.held[kind] = p
		a, err := p.Do(ctx, wire.Request{Do: wire.Import, File: r.file, Profile: r.profile(1, kind, "load")})
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if kind == wire.Postgres {
			if err := r.postgres.Analyze(ctx, at); err != nil {
				return err
			}
		}
		r.result.Table.Add(all, kind, 0, perSecond(a))
		r.cfg.say("%s: imported %d relationships in %.1f s", kind, a.Count, a.Took.Seconds())
	}
	return r.warm(ctx)
}

// warm asks each store a few things that do not count.
func (r *run) warm(ctx context.Context) error {
	questions := r.questions.Next(50)
	for _, kind := range r.cfg.Stores {
		a, err := r.held[kind].Do(ctx, wire.Request{Do: wire.Checks, Questions: questions, Limit: r.cfg.Limit})
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if err := right(kind, questions, a); err != nil {
			return err
		}
	}
	return nil
}

// rounds goes round until all rounds are made or time is short.
func (r *run) rounds(ctx context.Context) error {
	steps := []struct {
		name Case
		do   func(context.Context, int) error
	}{{Checks, r.checks}, {Lookups, r.lookups}, {Imports, r.imports}, {Writes, r.writes}}
	var longest time.Duration
	for round := 1; round <= r.cfg.Rounds; round++ {
		begun := time.Now()
		if !r.cfg.Until.IsZero() && begun.Add(longest).After(r.cfg.Until) {
			r.cfg.say("no time for round %d", round)
			return nil
		}
		if err := r.fsync(); err != nil {
			return err
		}
		for _, s := range steps {
			if !r.cfg.Has(s.name) {
				continue
			}
			if err := s.do(ctx, round); err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
		}
		longest = max(longest, time.Since(begun))
		r.result.Rounds = round
		r.cfg.say("round %d of %d: %.0f s", round, r.cfg.Rounds, time.Since(begun).Seconds())
	}
	return nil
}

// profile names the file for the profile of a case, which only the first round makes.
func (r *run) profile(round int, kind wire.Kind, name string) string {
	if r.cfg.Profile == "" || round != 1 {
		return ""
	}
	return filepath.Join(r.cfg.Profile, fmt.Sprintf("%s-%s.pprof", kind, name))
}

// stop ends the stores with the whole content.
func (r *run) stop() error {
	var errs []error
	for kind, p := range r.held {
		if err := p.Close(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", kind, err))
		}
		delete(r.held, kind)
	}
	return errors.Join(errs...)
}

func (r *run) close() error {
	err := r.stop()
	if r.postgres != nil {
		err = errors.Join(err, r.postgres.Close())
	}
	return err
}

func perSecond(a wire.Answer) float64 { return float64(a.Count) / a.Took.Seconds() }
