package plan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tenantry/tenantry/bench/internal/process"
	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/bench/internal/worker"
	"github.com/tenantry/tenantry/bench/internal/world"
)

// FootprintOf is what a process takes that runs Tenantry's engine on the SQLite store, with its caches.
type FootprintOf struct {
	Relationships, Accounts int
	File                    int64           // bytes on disk, with the files beside it
	Starts                  []time.Duration // from the start of the process to the answer of a first check
	First, Worked           Memory          // after that check; after a thousand checks and a lookup of all accounts
}

// Memory is what a process has in memory once it has given back what it does not use, in bytes.
type Memory struct{ Resident, Anonymous int64 }

// Of the generated worlds: about so many relationships come with an account, and so many users.
const (
	relationshipsPerAccount = 7.07
	usersPerAccount         = .9
)

// Footprints measures the SQLite store in the sizes of cfg, in processes of their own, one after the other.
func Footprints(ctx context.Context, cfg Config) (all []FootprintOf, err error) {
	dir, err := folder(cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, relationships := range cfg.Footprint {
		accounts := max(1, int(float64(relationships)/relationshipsPerAccount))
		f, err := footprint(ctx, cfg, dir, world.Size{
			Accounts: accounts, Users: max(1, int(float64(accounts)*usersPerAccount)), Seed: cfg.Size.Seed,
		})
		if err != nil {
			return all, fmt.Errorf("footprint of %d relationships: %w", relationships, err)
		}
		all = append(all, f)
		cfg.say("footprint of %d relationships: done", f.Relationships)
	}
	return all, nil
}

func footprint(ctx context.Context, cfg Config, dir string, size world.Size) (f FootprintOf, err error) {
	w, err := world.New(size)
	if err != nil {
		return f, err
	}
	f.Relationships, f.Accounts = len(w.Relationships), w.Summary.Accounts
	from, at := filepath.Join(dir, "footprint"), filepath.Join(dir, "content.db")
	defer func() { err = errors.Join(err, os.Remove(from), removeSQLite(at)) }()
	if err := worker.WriteFile(from, w.Relationships); err != nil {
		return f, err
	}
	p, err := start(ctx, cfg, wire.Request{Do: wire.Open, Kind: wire.SQLite, At: at})
	if err != nil {
		return f, err
	}
	_, err = p.Do(ctx, wire.Request{Do: wire.Import, File: from})
	if err := errors.Join(err, p.Close()); err != nil {
		return f, err
	}
	if f.File, err = onDisk(at); err != nil {
		return f, err
	}

	questions := w.Questions(2)
	for range cfg.Restarts {
		first := questions.Next(1)
		begun := time.Now()
		p, err := start(ctx, cfg, wire.Request{Do: wire.Open, Kind: wire.SQLite, At: at, Caches: true})
		if err != nil {
			return f, err
		}
		if err := f.life(ctx, p, begun, w, first, questions.Next(1000)); err != nil {
			return f, errors.Join(err, p.Close())
		}
		if err := p.Close(); err != nil {
			return f, err
		}
	}
	return f, nil
}

// onDisk adds up a database and the files beside it.
func onDisk(at string) (int64, error) {
	files, err := filepath.Glob(at + "*")
	var total int64
	for _, name := range files {
		info, bad := os.Stat(name)
		if bad != nil {
			return 0, bad
		}
		total += info.Size()
	}
	return total, err
}

// life measures one process.
func (f *FootprintOf) life(ctx context.Context, p *process.Process, begun time.Time, w *world.World, first, more []wire.Question) error {
	ask := func(questions []wire.Question) error {
		a, err := p.Do(ctx, wire.Request{Do: wire.Checks, Questions: questions})
		return errors.Join(err, right(wire.SQLite, questions, a))
	}
	if err := ask(first); err != nil {
		return err
	}
	f.Starts = append(f.Starts, time.Since(begun))
	a, err := p.Do(ctx, wire.Request{Do: wire.Usage})
	if err != nil {
		return err
	}
	f.First = Memory{a.Resident, a.Anonymous}
	if err := ask(more); err != nil {
		return err
	}
	if _, err := p.Do(ctx, wire.Request{Do: wire.Lookup, User: w.Root().User}); err != nil {
		return err
	}
	a, err = p.Do(ctx, wire.Request{Do: wire.Usage})
	f.Worked = Memory{a.Resident, a.Anonymous}
	return err
}
