package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/internal/relation"
)

// writes lets writers write, each the next as soon as its last is acknowledged, until the limit.
func (w *Worker) writes(ctx context.Context, r wire.Request) (wire.Answer, error) {
	var (
		mu    sync.Mutex
		a     wire.Answer
		first error
		all   sync.WaitGroup
	)
	start := time.Now()
	for range r.Writers {
		all.Go(func() {
			var times []time.Duration
			var err error
			for err == nil && time.Since(start) < r.Limit {
				mu.Lock()
				rels := w.fresh(2)
				mu.Unlock()
				sent := time.Now()
				if _, err = w.touch(ctx, rels...); err == nil {
					times = append(times, time.Since(sent))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			a.Times = append(a.Times, times...)
			if first == nil {
				first = err
			}
		})
	}
	all.Wait()
	a.Took, a.Count = time.Since(start), len(a.Times)
	return a, first
}

// fresh returns relationships that are not there yet, each pair a new member with sub-account
// access of an account that nobody asks about, so that the questions keep their answers.
func (w *Worker) fresh(n int) []*v1.Relationship {
	out := make([]*v1.Relationship, 0, n)
	for i := range n {
		if i%2 == 0 {
			w.made++
		}
		out = append(out, &v1.Relationship{
			Resource: object(relation.TypeAssignment, fmt.Sprintf("bench/written-%d/viewer", w.made%1000)),
			Relation: []string{"member", "branch_member"}[i%2],
			Subject:  user(fmt.Sprintf("bench/writer-%d", w.made)),
		})
	}
	return out
}
