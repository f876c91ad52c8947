package httpapi

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type someKey struct{}

func TestEndingIsWhatADeadlineIs(t *testing.T) {
	for name, wait := range map[string]bool{"somebody waits": true, "nobody waits": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := context.WithCancel(context.WithValue(t.Context(), someKey{}, "v"))
				defer cancel()
				begin := func(after time.Duration) *ending {
					e := endingAt(parent, time.Now().Add(after))
					if wait {
						e.Done()
					}
					if e.Err() != nil || e.Value(someKey{}) != "v" {
						t.Errorf("at first: %v, %v", e.Err(), e.Value(someKey{}))
					}
					return e
				}
				late, ended, left := begin(time.Minute), begin(time.Minute), begin(time.Hour)
				ended.end()
				ended.end()
				<-time.After(time.Minute)
				synctest.Wait()
				cancel()
				for what, c := range map[string]struct {
					ctx  *ending
					want error
				}{
					"its time is over": {late, context.DeadlineExceeded}, "it was ended": {ended, context.Canceled}, "its parent has ended": {left, context.Canceled},
				} {
					if wait || what != "its time is over" { // without a timer the parent, which has ended since, is asked first
						if got := c.ctx.Err(); !errors.Is(got, c.want) || !errors.Is(context.Cause(c.ctx), c.want) {
							t.Errorf("%s: %v, %v", what, got, context.Cause(c.ctx))
						}
					}
					<-c.ctx.Done()
				}
				left.end()
				late.end()
			})
		})
	}
}

func TestEndingSaysThatItsTimeIsOverWithoutATimer(t *testing.T) {
	e := endingAt(t.Context(), time.Now().Add(-time.Second))
	defer e.end()
	if !errors.Is(e.Err(), context.DeadlineExceeded) {
		t.Error(e.Err())
	}
	<-e.Done()
	if !errors.Is(e.Err(), context.DeadlineExceeded) {
		t.Error(e.Err())
	}
}

// Contexts that are made of it end with it, without a goroutine each that waits for that.
func TestEndingEndsWhatIsMadeOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := endingAt(t.Context(), time.Now().Add(time.Minute))
		defer e.end()
		child, cancel := context.WithTimeout(context.WithValue(e, someKey{}, "v"), time.Hour)
		defer cancel()
		if at, ok := child.Deadline(); !ok || !at.Equal(e.until) {
			t.Errorf("the child ends at %v, its parent at %v", at, e.until)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if !errors.Is(child.Err(), context.DeadlineExceeded) {
			t.Error(child.Err())
		}
	})
}

func TestEndingEndsWithItsParent(t *testing.T) {
	soon := time.Now().Add(time.Minute)
	parent, cancel := context.WithDeadline(t.Context(), soon)
	e := endingAt(parent, soon.Add(time.Hour))
	defer e.end()
	if at, _ := e.Deadline(); !at.Equal(soon) {
		t.Errorf("it ends at %v", at)
	}
	child, stop := context.WithCancel(e)
	defer stop()
	cancel()
	<-child.Done()
	if !errors.Is(e.Err(), context.Canceled) || !errors.Is(child.Err(), context.Canceled) {
		t.Error(e.Err(), child.Err())
	}
}
