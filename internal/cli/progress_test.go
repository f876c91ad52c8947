package cli

import (
	"fmt"
	"sync"
	"testing"
)

// TestProgressOfSeveralThingsIsTheirSum has many report at once, none of them in step with another.
func TestProgressOfSeveralThingsIsTheirSum(t *testing.T) {
	var last part
	p := &progress{draw: func(done, total int) { last = part{done, total} }}
	var all sync.WaitGroup
	for n := range 8 {
		one := p.one(fmt.Sprint(n))
		all.Go(func() {
			for done := range 100*(n+1) + 1 {
				one(done, 100*(n+1))
			}
		})
	}
	all.Wait()
	if want := (part{3600, 3600}); last != want {
		t.Errorf("in the end: %v, want %v", last, want)
	}
}
