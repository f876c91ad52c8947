package plan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tenantry/tenantry/bench/internal/figures"
	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/bench/internal/world"
)

// checks asks all stores the same new questions, in two ways.
func (r *run) checks(ctx context.Context, round int) error {
	for _, way := range []struct {
		name, file string
		fresh      bool
	}{
		{"check, as fresh as the last write", "check-fresh", true},
		{"check, fully consistent", "check", false},
	} {
		questions := r.questions.Next(r.cfg.Checks)
		for _, kind := range r.cfg.Stores {
			a, err := r.ask(ctx, kind, wire.Request{
				Do: wire.Checks, Questions: questions, Fresh: way.fresh, Limit: r.cfg.Limit, Profile: r.profile(round, kind, way.file),
			})
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			if err := right(kind, questions, a); err != nil {
				return err
			}
			r.percentiles(way.name, kind, round, a, .5, .95, .99)
			r.processor(way.name+": processor time of one", kind, round, a, a.Count)
		}
	}
	return nil
}

// ask has a store with the whole content do something. The processor time in the answer is
// that of the client, of SpiceDB and of the store together.
func (r *run) ask(ctx context.Context, kind wire.Kind, request wire.Request) (wire.Answer, error) {
	if kind != wire.Postgres {
		return r.held[kind].Do(ctx, request)
	}
	before := r.postgres.Processor()
	a, err := r.held[kind].Do(ctx, request)
	if server := r.postgres.Processor() - before; before > 0 && a.CPU > 0 {
		a.CPU += server
	} else {
		a.CPU = 0
	}
	return a, err
}

// processor records the processor time of one of n, where it is known.
func (r *run) processor(name string, kind wire.Kind, round int, a wire.Answer, n int) {
	if a.CPU > 0 && n > 0 {
		r.result.Table.Add(figures.Metric{Name: name, Unit: figures.Millisecond}, kind, round, figures.Milliseconds([]time.Duration{a.CPU})[0]/float64(n))
	}
}

// right compares answers with those of the model.
func right(kind wire.Kind, questions []wire.Question, a wire.Answer) error {
	for i, allowed := range a.Answers {
		if q := questions[i]; allowed != q.Allowed {
			return fmt.Errorf("%s is wrong: that %s may %s in %s is %t", kind, q.User, q.Permission, q.Account, q.Allowed)
		}
	}
	return nil
}

func (r *run) percentiles(name string, kind wire.Kind, round int, a wire.Answer, shares ...float64) {
	times := figures.Milliseconds(a.Times)
	for _, p := range shares {
		label := "median"
		if p != .5 {
			label = fmt.Sprintf("p%.0f", 100*p)
		}
		r.result.Table.Add(figures.Metric{Name: name + ": " + label, Unit: figures.Millisecond}, kind, round, figures.Percentile(times, p))
	}
}

// lookups looks up all accounts of two users.
func (r *run) lookups(ctx context.Context, round int) error {
	w := r.result.World
	for _, who := range []struct {
		world.Reader
		file string
	}{{w.Reader(), "lookup-some"}, {w.Root(), "lookup-all"}} {
		name := fmt.Sprintf("lookup of %s accounts", figures.Thousands(who.Accounts))
		m := figures.Metric{Name: name, Unit: figures.Millisecond}
		var digest uint64
		for _, kind := range r.cfg.Stores {
			if r.slow[m][kind] {
				continue
			}
			a, err := r.ask(ctx, kind, wire.Request{Do: wire.Lookup, User: who.User, Limit: r.cfg.Limit, Profile: r.profile(round, kind, who.file)})
			switch {
			case err != nil:
				return fmt.Errorf("%s: %w", kind, err)
			case a.Cut:
				r.cut(m, kind, a.Count, who.Accounts)
				continue
			case a.Count != who.Accounts:
				return fmt.Errorf("%s is wrong: %s is a member of %d accounts, not %d", kind, who.User, who.Accounts, a.Count)
			case digest != 0 && digest != a.Digest:
				return fmt.Errorf("%s finds other accounts for %s than the store before", kind, who.User)
			}
			digest = a.Digest
			r.result.Table.Add(m, kind, round, figures.Milliseconds([]time.Duration{a.Took})[0])
			r.processor(name+": processor time", kind, round, a, 1)
		}
	}
	return nil
}

// cut notes that a store is too slow for a case, and spares it the case from now on.
func (r *run) cut(m figures.Metric, kind wire.Kind, done, of int) {
	if r.slow[m] == nil {
		r.slow[m] = map[wire.Kind]bool{}
	}
	r.slow[m][kind] = true
	r.result.Table.Note(m, kind, fmt.Sprintf("%s in %s", figures.Thousands(done), r.cfg.Limit))
	r.cfg.say("%s: %s cut off after %s, with %d of %d done", kind, m.Name, r.cfg.Limit, done, of)
}

// imports fills new, empty stores, in the two ways there are.
func (r *run) imports(ctx context.Context, round int) error {
	total := len(r.result.World.Relationships)
	bulk, fill := min(r.cfg.Imported*2/3, total*2/3), min(r.cfg.Imported/3, total/3)
	for _, kind := range r.cfg.Stores {
		p, at, err := r.fresh(ctx, kind, fmt.Sprintf("import-%d", round))
		if err != nil {
			return err
		}
		for _, way := range []struct {
			name, file string
			request    wire.Request
		}{
			{"bulk import", "import", wire.Request{Do: wire.Import, File: r.file, Count: bulk}},
			{"writes of 998 touches, as a relay fills an engine", "fill", wire.Request{Do: wire.Fill, File: r.file, Skip: bulk, Count: fill}},
		} {
			m := figures.Metric{
				Name: fmt.Sprintf("%s, %s relationships", way.name, figures.Thousands(way.request.Count)),
				Unit: figures.PerSecond,
			}
			way.request.Profile = r.profile(round, kind, way.file)
			a, err := p.Do(ctx, way.request)
			if err != nil {
				return errors.Join(fmt.Errorf("%s: %w", kind, err), p.Close())
			}
			r.result.Table.Add(m, kind, round, perSecond(a))
		}
		if err := errors.Join(p.Close(), r.remove(ctx, kind, at)); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a store's content.
func (r *run) remove(ctx context.Context, kind wire.Kind, at string) error {
	switch kind {
	case wire.Postgres:
		return r.postgres.Drop(ctx, at)
	case wire.SQLite:
		return removeSQLite(at)
	default:
		return nil
	}
}

// removeSQLite removes a database and the files beside it.
func removeSQLite(at string) error {
	files, err := filepath.Glob(at + "*")
	for _, f := range files {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// writes does so with one writer and with sixteen.
func (r *run) writes(ctx context.Context, round int) error {
	for _, writers := range []int{1, 16} {
		name := fmt.Sprintf("%d writers", writers)
		if writers == 1 {
			name = "1 writer"
		}
		for _, kind := range r.cfg.Stores {
			a, err := r.ask(ctx, kind, wire.Request{
				Do: wire.Writes, Writers: writers, Limit: r.cfg.Writing, Profile: r.profile(round, kind, fmt.Sprintf("write-%d", writers)),
			})
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			r.result.Table.Add(figures.Metric{Name: name + ": writes of 2 touches", Unit: figures.PerSecond}, kind, round, perSecond(a))
			r.percentiles(name, kind, round, a, .5, .99)
			r.processor(name+": processor time of a write", kind, round, a, a.Count)
		}
	}
	return nil
}
