package memo_test

import (
	"context"
	"testing"

	"github.com/tenantry/tenantry/internal/memo"
)

// state is something that changes.
type state memo.Mark

func (s *state) Mark() memo.Mark { return memo.Mark(*s) }

func TestMemoryHoldsForOneMark(t *testing.T) {
	m := memo.New[string, int](2)
	has := func(at memo.Mark, key string, want int, known bool) {
		t.Helper()
		if got, ok := m.Get(at, key); got != want || ok != known {
			t.Errorf("%s at %d: %d, %t", key, at, got, ok)
		}
	}
	m.Put(0, "a", 1)
	has(0, "a", 0, false) // no telling
	m.Put(5, "a", 1)
	has(5, "a", 1, true)
	has(4, "a", 0, false)
	has(6, "a", 0, false)
	has(5, "b", 0, false)
	m.Put(4, "a", 9) // who was slow to read
	has(5, "a", 1, true)
	has(4, "a", 0, false)
	m.Put(5, "b", 2)
	m.Put(5, "b", 3)
	has(5, "a", 1, true)
	has(5, "b", 3, true)
	m.Put(5, "c", 4) // more than it holds
	has(5, "a", 0, false)
	has(5, "c", 4, true)
	m.Put(6, "b", 5)
	has(5, "c", 0, false)
	has(6, "c", 0, false)
	has(6, "b", 5, true)
	var none memo.Memory[string, int]
	none.Put(1, "a", 1)
	if _, ok := none.Get(1, "a"); ok {
		t.Error("the zero Memory remembers")
	}
}

func TestOneMarkForAContext(t *testing.T) {
	now := state(3)
	ctx := context.Background()
	held := memo.At(ctx, &now)
	now = 4
	if got := memo.For(held, &now); got != 3 {
		t.Errorf("it is held at %d", got)
	}
	if got := memo.For(ctx, &now); got != 4 {
		t.Errorf("now is %d", got)
	}
	if got := memo.For(memo.At(ctx, nil), nil); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
	untold := state(0)
	if got := memo.For(memo.At(ctx, &untold), &now); got != 0 {
		t.Errorf("there was no telling: %d", got)
	}
}
