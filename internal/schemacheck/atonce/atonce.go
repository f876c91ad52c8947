// Package atonce does many independent things, as many at a time as there are processors.
package atonce

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Each calls do with every number below n, until ctx ends: none is begun after that. It
// returns when all calls have returned. Whether all were made, ctx tells.
func Each(ctx context.Context, n int, do func(i int)) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			do(i)
			return nil
		})
	}
	_ = group.Wait() // none fails
}
