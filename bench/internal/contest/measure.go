package contest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/bench/internal/figures"
	"github.com/tenantry/tenantry/bench/internal/peer"
)

const (
	quick = 5 * time.Microsecond   // operations shorter than this are timed many at once
	many  = 256                    // of them
	slow  = 500 * time.Millisecond // operations longer than this are done once a round
)

// errLate is that an operation took longer than it may.
var errLate = errors.New("took longer than allowed")

// pace is how long a case goes on for.
type pace struct {
	each  time.Duration // for each case and system
	limit time.Duration // for one operation
}

// measure does a case for a while. The first operation only warms up and finds out how long one
// takes, but where nothing comes twice. An error is errLate, or the system's.
func measure(ctx context.Context, c Case, s peer.System, round int, p pace) (Figure, error) {
	do := func(i int) (bool, error) {
		bounded, cancel := context.WithTimeout(ctx, p.limit)
		defer cancel()
		right, err := c.do(bounded, s, round, i)
		if err != nil && bounded.Err() != nil && ctx.Err() == nil {
			err = errLate
		}
		return right, err
	}
	if c.Clients > 1 {
		return together(c, do, p.each)
	}
	if c.fresh {
		return alone(do, 1, coldChecks, p.each)
	}
	begun := time.Now()
	right, err := do(0)
	took := time.Since(begun)
	switch {
	case err != nil:
		return Figure{}, err
	case took > slow && round > 0: // it is warm from the round before, and there is no time for two
		return figure([]time.Duration{took}, took, count(!right)), nil
	case took > slow:
		return alone(do, 1, 1, p.each)
	case quicker(do):
		return alone(func(int) (bool, error) { return c.do(ctx, s, round, 0) }, many, many*many, p.each)
	default:
		return alone(do, 1, many*many, p.each)
	}
}

// quicker reports whether an operation takes so little that the clock would be in the way.
func quicker(do func(int) (bool, error)) bool {
	begun := time.Now()
	for i := range many / 16 {
		if _, err := do(i); err != nil || time.Since(begun) > many*quick {
			return false
		}
	}
	return time.Since(begun) < many/16*quick
}

// alone does one operation after the other, timing batches of them: at least one batch, at most so many, until the time is over.
func alone(do func(int) (bool, error), batch, most int, each time.Duration) (Figure, error) {
	var times []time.Duration
	wrong := 0
	begun := time.Now()
	for len(times) < most && (len(times) == 0 || time.Since(begun) < each) {
		started := time.Now()
		for range batch {
			right, err := do(len(times))
			if err != nil {
				return Figure{}, err
			}
			wrong += count(!right)
		}
		times = append(times, time.Since(started)/time.Duration(batch))
	}
	f := figure(times, time.Since(begun), wrong)
	f.Count, f.Rate = f.Count*batch, f.Rate*float64(batch)
	return f, nil
}

// together lets a case's clients work at once until the time is over, each once at least.
func together(c Case, do func(int) (bool, error), each time.Duration) (Figure, error) {
	var mu sync.Mutex
	var times []time.Duration
	var errs []error
	var wrong, turn atomic.Int64
	var clients sync.WaitGroup
	begun := time.Now()
	for range c.Clients {
		clients.Go(func() {
			var own []time.Duration
			var err error
			for err == nil && (len(own) == 0 || time.Since(begun) < each) {
				started := time.Now()
				var right bool
				if right, err = do(int(turn.Add(1))); err == nil {
					own = append(own, time.Since(started))
					wrong.Add(int64(count(!right)))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			times, errs = append(times, own...), append(errs, err)
		})
	}
	clients.Wait()
	return figure(times, time.Since(begun), int(wrong.Load())), errors.Join(errs...)
}

func figure(times []time.Duration, all time.Duration, wrong int) Figure {
	values := make([]float64, len(times))
	for i, t := range times {
		values[i] = microseconds(t)
	}
	const nearlyAll = .99
	return Figure{
		Median: figures.Median(values), P99: figures.Percentile(values, nearlyAll),
		Rate: float64(len(times)) / all.Seconds(), Count: len(times), Wrong: wrong,
	}
}

func microseconds(t time.Duration) float64 { return float64(t) / float64(time.Microsecond) }

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func thousands(n int) string { return figures.Thousands(n) }

// note says in a cell why there is no figure.
func note(err error, limit time.Duration) string {
	if errors.Is(err, errLate) {
		return fmt.Sprintf("over %s", limit)
	}
	return "error: " + firstLine(err)
}
