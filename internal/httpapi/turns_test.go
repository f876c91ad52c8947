package httpapi

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// taking takes a turn that has to be free.
func taking(t *testing.T, line *turns, caller string) (release func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // who would have to wait gives up
	release, err := line.take(ctx, caller)
	if err != nil {
		t.Fatalf("%s has no turn: %v", caller, err)
	}
	return release
}

func noTurn(t *testing.T, line *turns, caller string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if release, err := line.take(ctx, caller); err == nil {
		release()
		t.Fatalf("%s has a turn", caller)
	}
}

func TestTurnsLeaveHalfToOthers(t *testing.T) {
	line := newTurns(4, time.Hour)
	first := taking(t, line, "a")
	taking(t, line, "a")
	noTurn(t, line, "a")
	taking(t, line, "b")
	taking(t, line, "c")
	noTurn(t, line, "d")
	first()
	first() // is nothing
	taking(t, line, "d")
	noTurn(t, line, "e")
	if line.working() != 4 {
		t.Errorf("%d are at work", line.working())
	}
}

// TestTurnsGoToWhoHasLeast: who comes last with nothing at work goes before those who came with much.
func TestTurnsGoToWhoHasLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newTurns(3, time.Hour)
		held := []func(){taking(t, line, "flood"), taking(t, line, "flood"), taking(t, line, "other")}
		var mu sync.Mutex
		var order []string
		wait := func(caller string) {
			go func() {
				release, err := line.take(t.Context(), caller)
				if err != nil {
					t.Errorf("%s: %v", caller, err)
					return
				}
				mu.Lock()
				order = append(order, caller)
				mu.Unlock()
				release()
			}()
			synctest.Wait() // it stands in line
		}
		for range 3 {
			wait("flood")
		}
		wait("other")
		wait("late")
		wait("later")
		held[2]()
		synctest.Wait()
		if got, want := fmt.Sprint(order), "[other late later]"; got != want { // the flood has as many as it may
			t.Errorf("turns came to %s, want %s", got, want)
		}
		held[0]()
		held[1]()
		synctest.Wait()
		if len(order) != 6 || len(line.lines) != 0 || line.working() != 0 {
			t.Errorf("in the end: %v, %d lines, %d at work", order, len(line.lines), line.working())
		}
	})
}

func TestTurnsAreNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newTurns(2, 3*time.Second)
		release := taking(t, line, "a")
		start := time.Now()
		if _, err := line.take(t.Context(), "a"); !fault.HasCode(err, "too_busy") || time.Since(start) != 3*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := line.take(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who gave up: %v", err)
		}
		release()
		if len(line.lines) != 0 {
			t.Errorf("%d lines are remembered", len(line.lines))
		}
	})
}

// TestTurnsInParallel: the bounds hold, and nothing is lost, whoever gives up when.
func TestTurnsInParallel(t *testing.T) {
	line := newTurns(5, time.Minute)
	var done sync.WaitGroup
	for worker := range 24 {
		done.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			for range 300 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(200))*time.Microsecond)
				release, err := line.take(ctx, fmt.Sprint("caller ", worker%4))
				if err == nil {
					if n := line.working(); n > 5 {
						t.Errorf("%d at work", n)
					}
					release()
				}
				cancel()
			}
		})
	}
	done.Wait()
	if line.working() != 0 || len(line.lines) != 0 {
		t.Errorf("in the end %d are at work, %d callers are remembered", line.working(), len(line.lines))
	}
}

func TestPlaces(t *testing.T) {
	p := newPlaces(8, 3)
	var releases []func()
	take := func(caller string, known, want bool) {
		t.Helper()
		release, err := p.take(caller, known)
		if (err == nil) != want {
			t.Fatalf("%s: %v", caller, err)
		}
		if err == nil {
			releases = append(releases, release)
		} else if !fault.HasCode(err, "too_busy") {
			t.Errorf("%v", err)
		}
	}
	take("x", false, true)
	take("y", false, true)
	take("z", false, false) // a quarter for all of those who are not known
	for range 3 {
		take("a", true, true)
	}
	take("a", true, false)
	for range 3 {
		take("b", true, true)
	}
	take("c", true, false) // as many as there are
	for _, release := range releases {
		release()
	}
	if len(p.taken.by) != 0 {
		t.Errorf("%v is remembered", p.taken.by)
	}
}
