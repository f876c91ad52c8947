package httpapi

import "sync"

// tally counts what there is at once, under several names each.
type tally struct {
	mu *sync.Mutex
	by map[string]int
}

func newTally() tally { return tally{mu: &sync.Mutex{}, by: map[string]int{}} }

// take adds one to each of the names, unless one of them is at its bound already. release takes it away again.
func (t tally) take(bounds map[string]int) (release func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, most := range bounds {
		if t.by[name] >= most {
			return nil, false
		}
	}
	for name := range bounds {
		t.by[name]++
	}
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for name := range bounds {
			if t.by[name]--; t.by[name] == 0 {
				delete(t.by, name)
			}
		}
	}), true
}

// places bounds how many requests are under way at once, from when their caller is
// known until they are answered: in all, and with one credential. A request that
// has a place may still have to wait for its turn.
type places struct {
	most, each int
	taken      tally
}

func newPlaces(most, each int) *places {
	return &places{most: most, each: each, taken: newTally()}
}

// take takes a place, which release gives back; an Unavailable fault (too_busy) if there
// is none. All those without a credential have a quarter of the places together.
func (p *places) take(caller string, known bool) (release func(), err error) {
	bounds := map[string]int{"all": p.most, "by " + caller: p.each}
	if !known {
		bounds["unknown"] = (p.most + 3) / 4
	}
	release, ok := p.taken.take(bounds)
	if !ok {
		return nil, tooBusy()
	}
	return release, nil
}
