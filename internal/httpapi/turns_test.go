package httpapi

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// takeAtOnce takes a turn if one is free.
func takeAtOnce(t *testing.T, line *turns, by party) (release func(), err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // who would have to wait gives up
	return line.take(ctx, by)
}

// taking takes a turn that has to be free.
func taking(t *testing.T, line *turns, caller string) (release func()) {
	t.Helper()
	release, err := takeAtOnce(t, line, party{name: caller})
	if err != nil {
		t.Fatalf("%s has no turn: %v", caller, err)
	}
	return release
}

func noTurn(t *testing.T, line *turns, caller string) {
	t.Helper()
	if release, err := takeAtOnce(t, line, party{name: caller}); err == nil {
		release()
		t.Fatalf("%s has a turn", caller)
	}
}

// TestTurnsLeaveHalfToOthers: where others are, or were a moment ago; who is alone may have all.
func TestTurnsLeaveHalfToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newTurns(4, time.Hour)
		var held []func()
		for range 4 {
			held = append(held, taking(t, line, "a"))
		}
		noTurn(t, line, "a")
		noTurn(t, line, "b") // but it is there now
		held[0]()
		held[0]() // is nothing
		noTurn(t, line, "a")
		b := taking(t, line, "b")
		held[1]()
		held[2]()
		held[1] = taking(t, line, "a")
		noTurn(t, line, "a")
		held[2] = taking(t, line, "c")
		noTurn(t, line, "d")
		if line.working() != 4 {
			t.Errorf("%d are at work", line.working())
		}
		b()
		held[2]()
		noTurn(t, line, "a")
		<-time.After(2 * present) // in the bubble: nobody waits
		taking(t, line, "a")
		taking(t, line, "a")
		noTurn(t, line, "a")
	})
}

// TestTurnsGoToWhoHasLeast: who comes last with nothing at work goes before those who came with much.
func TestTurnsGoToWhoHasLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newTurns(3, time.Hour)
		other := taking(t, line, "other")
		held := []func(){other, taking(t, line, "flood"), taking(t, line, "flood")}
		var mu sync.Mutex
		var order []string
		wait := func(caller string) {
			go func() {
				release, err := line.take(t.Context(), party{name: caller})
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
		for _, release := range held {
			release()
			synctest.Wait()
		}
		// While the first turn goes round the flood has as many as it may.
		if got, want := strings.Join(order, ","), "other,late,later,flood,flood,flood"; got != want {
			t.Errorf("turns came to %s, want %s", got, want)
		}
		if line.working() != 0 || len(line.waiting) != 0 {
			t.Errorf("in the end %d are at work, %d wait", line.working(), len(line.waiting))
		}
	})
}

func TestTurnsAreNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newTurns(2, 3*time.Second)
		release, other := taking(t, line, "a"), taking(t, line, "b")
		start := time.Now()
		if _, err := line.take(t.Context(), party{name: "a"}); !fault.HasCode(err, "too_busy") || time.Since(start) != 3*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := line.take(ctx, party{name: "a"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who gave up: %v", err)
		}
		release()
		other()
		<-time.After(2 * present) // in the bubble: nobody waits
		taking(t, line, "c")()
		if len(line.lines) != 1 || len(line.waiting) != 0 {
			t.Errorf("%d callers are remembered, %d wait", len(line.lines), len(line.waiting))
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
				release, err := line.take(ctx, party{name: fmt.Sprint("caller ", worker%4), environment: fmt.Sprint("e", worker%2)})
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
	if line.working() != 0 || len(line.waiting) != 0 {
		t.Errorf("in the end %d are at work, %d callers wait", line.working(), len(line.waiting))
	}
}

// TestManyCallersOfOneEnvironmentComeAfterOthers: an environment that makes many clients has no more turns for that.
func TestManyCallersOfOneEnvironmentComeAfterOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newTurns(4, time.Hour)
		var held []func()
		for i := range 4 {
			release, err := line.take(t.Context(), party{name: fmt.Sprint("dev ", i), environment: "dev"})
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, release)
		}
		came, stop := make(chan string, 6), make(chan struct{})
		wait := func(by party) {
			go func() {
				release, err := line.take(t.Context(), by)
				if err != nil {
					t.Errorf("%s: %v", by.name, err)
					return
				}
				came <- by.environment
				<-stop
				release()
			}()
			synctest.Wait()
		}
		for i := range 4 {
			wait(party{name: fmt.Sprint("dev ", 4+i), environment: "dev"})
		}
		wait(party{name: "shop", environment: "prod"})
		wait(party{name: "shop", environment: "prod"})
		for _, release := range held {
			release()
			synctest.Wait()
		}
		for i, want := range []string{"prod", "prod", "dev", "dev"} {
			if got := <-came; got != want {
				t.Errorf("turn %d came to %s, want %s", i, got, want)
			}
		}
		close(stop)
		for range 2 { // the two that were still waiting: their context ends with the test
			if got := <-came; got != "dev" {
				t.Errorf("a last turn came to %s", got)
			}
		}
	})
}

// TestStrangersHaveAQuarterOfTheTurns: from however many addresses they come; all while nobody else is there.
func TestStrangersHaveAQuarterOfTheTurns(t *testing.T) {
	line := newTurns(8, time.Hour)
	var held []func()
	for i := range 5 { // nobody else is there
		held = append(held, taking(t, line, fmt.Sprint("address ", i)))
	}
	shop, err := takeAtOnce(t, line, party{name: "shop", environment: "prod"})
	if err != nil {
		t.Fatalf("a client has no turn: %v", err)
	}
	for _, release := range held[:4] {
		release()
	}
	taking(t, line, "address 7") // the second stranger at work
	noTurn(t, line, "address 8")
	shop()
}
