package contest

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// Contestant is a system with its names.
type Contestant struct {
	Name, Title string
	System      peer.System
}

// Config says how to measure.
type Config struct {
	Rounds   int
	Restarts int           // of each system, before the rounds; 0 is one start and no figures of it
	Each     time.Duration // for each case, system and round
	Limit    time.Duration // for one operation
	Until    time.Time     // no round begins later; zero is any time
	Growth   bool          // only the cases that are shown against the number of accounts
	Extent   peer.Extent   // of the comparison of answers
	Log      io.Writer
	Settle   func(context.Context) error // is called when all have loaded, so that nobody writes what was loaded while others are timed; may be nil

	Postmaster int // process whose memory, and that of its children, is shared by systems; 0 is none
}

// Run loads, starts and compares all contestants, and measures them by turns. A system that
// fails is left out from then on, and the result says why. Run closes every system. Its error is ctx's.
func Run(ctx context.Context, w *tree.World, all []Contestant, cfg Config) (*Result, error) {
	r := &Result{World: w, Cells: map[string]map[string]*Cell{}}
	r.Cases = few(w)
	if !cfg.Growth {
		r.Cases = append(cases(w), changeCases()...)
	}
	run := runner{cfg: cfg, result: r}
	for _, c := range all {
		entry := &System{Name: c.Name, Title: c.Title}
		r.Systems = append(r.Systems, entry)
		run.all = append(run.all, &entrant{Contestant: c, entry: entry})
	}
	defer func() {
		for _, e := range run.all {
			if err := e.System.Close(); err != nil {
				run.say("%s: close: %v", e.Name, err)
			}
		}
	}()
	run.loads(ctx)
	run.settle(ctx)
	for _, step := range []func(context.Context, *entrant) error{run.start, run.verify} {
		run.each(ctx, 0, step)
	}
	for round := range cfg.Rounds {
		if ctx.Err() != nil || !cfg.Until.IsZero() && round > 0 && time.Now().After(cfg.Until) {
			break
		}
		run.say("round %d of %d", round+1, cfg.Rounds)
		run.each(ctx, round, func(ctx context.Context, e *entrant) error { return run.round(ctx, e, round) })
		if ctx.Err() == nil {
			r.Rounds++
		}
	}
	run.each(ctx, 0, run.weigh)
	if cfg.Postmaster != 0 && ctx.Err() == nil {
		var err error
		if r.Shared, err = child.Memory(child.Family(cfg.Postmaster)...); err != nil {
			run.say("the memory of PostgreSQL: %v", err)
		}
	}
	return r, context.Cause(ctx)
}

// entrant is a contestant in the run.
type entrant struct {
	Contestant
	entry *System
}

type runner struct {
	cfg    Config
	result *Result
	all    []*entrant
}

func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.cfg.Log, "%s %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// each does a step for every system that has not failed, beginning with another one in each round.
func (r *runner) each(ctx context.Context, round int, step func(context.Context, *entrant) error) {
	for i := range r.all {
		e := r.all[(i+round)%len(r.all)]
		if ctx.Err() != nil {
			return
		}
		if e.entry.Failed != "" {
			continue
		}
		r.attempt(ctx, e, step)
	}
}

// attempt does a step for a system, which is left out from then on if it fails.
func (r *runner) attempt(ctx context.Context, e *entrant, step func(context.Context, *entrant) error) {
	if err := step(ctx, e); err != nil && ctx.Err() == nil {
		e.entry.Failed = firstLine(err)
		r.say("%s fails: %v", e.Name, err)
	}
}

// loads brings the content into some systems at once: nothing is timed that counts, and it is most of what a run takes.
func (r *runner) loads(ctx context.Context) {
	const together = 3
	var group errgroup.Group
	group.SetLimit(together)
	for _, e := range r.all {
		group.Go(func() error {
			r.attempt(ctx, e, r.load)
			return nil
		})
	}
	_ = group.Wait() // what fails is left out
}

func (r *runner) settle(ctx context.Context) {
	if r.cfg.Settle == nil {
		return
	}
	if err := r.cfg.Settle(ctx); err != nil && ctx.Err() == nil {
		r.say("what was loaded is perhaps not on the disks yet: %v", err)
	}
}

func (r *runner) load(ctx context.Context, e *entrant) error {
	begun := time.Now()
	err := e.System.Load(ctx, r.result.World)
	e.entry.Loading = time.Since(begun)
	r.say("%s: loaded in %s", e.Name, e.entry.Loading.Round(time.Millisecond))
	return err
}

// start starts a system, and again so often as it is to be restarted.
func (r *runner) start(ctx context.Context, e *entrant) error {
	w := r.result.World
	for again := range max(1, r.cfg.Restarts) {
		if again > 0 {
			if err := e.System.Stop(); err != nil {
				return err
			}
		}
		begun := time.Now()
		if err := e.System.Start(ctx); err != nil {
			return err
		}
		if _, err := e.System.Check(ctx, w.Stranger, w.Leaf(), tree.Read); err != nil {
			return err
		}
		s := Start{Ready: time.Since(begun)}
		begun = time.Now()
		if _, err := e.System.Page(ctx, Ninth(w).User, ""); err != nil {
			return err
		}
		s.FirstPage = time.Since(begun)
		var err error
		if s.Memory, err = child.Memory(e.System.Processes()...); err != nil {
			return err
		}
		if s.Resident, s.Most, err = child.Resident(e.System.Processes()...); err != nil {
			return err
		}
		if r.cfg.Restarts > 0 {
			e.entry.Starts = append(e.entry.Starts, s)
		}
	}
	return nil
}

func (r *runner) verify(ctx context.Context, e *entrant) (err error) {
	e.entry.Verdict, err = peer.Verify(ctx, e.System, r.result.World, r.cfg.Extent)
	if !e.entry.Verdict.Right() {
		r.say("%s: %d answers compared: %s", e.Name, e.entry.Verdict.Asked, strings.Join(e.entry.Verdict.Faults, "; "))
	}
	return err
}

// round measures every case of one system.
func (r *runner) round(ctx context.Context, e *entrant, round int) error {
	runtime.GC() // of what the benchmark itself left behind
	p := pace{r.cfg.Each, r.cfg.Limit}
	for _, c := range r.result.Cases {
		if c.do == nil {
			continue
		}
		cell := r.result.cell(c.Key, e.Name)
		if cell.Note != "" {
			continue
		}
		f, err := measure(ctx, c, e.System, round, p)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			cell.Note = note(err, r.cfg.Limit)
			r.say("%s: %s: %s", e.Name, c.Key, cell.Note)
			continue
		}
		cell.Rounds[round] = f
	}
	if r.cfg.Growth {
		return nil
	}
	found, err := changes(ctx, e.System, r.result.World, round, p)
	if err != nil {
		return fmt.Errorf("changes: %w", err)
	}
	for key, f := range found {
		r.result.cell(key, e.Name).Rounds[round] = f
	}
	return nil
}

// weigh takes down the memory after all work.
func (r *runner) weigh(_ context.Context, e *entrant) (err error) {
	e.entry.Memory, err = child.Memory(e.System.Processes()...)
	return err
}

func firstLine(err error) string {
	const most = 200
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line[:min(most, len(line))]
}
