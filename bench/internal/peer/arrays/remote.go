package arrays

import (
	"context"
	"fmt"
	"os"

	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/peer/web"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// Remote is the sketch behind a bare net/http server, in a process of its own.
type Remote struct {
	*web.Client

	world   *tree.World
	process *child.Process
}

// NewRemote returns one that does not run yet.
func NewRemote() *Remote { return &Remote{} }

// Load notes which world it is: the process makes it again for itself.
func (r *Remote) Load(_ context.Context, w *tree.World) error {
	r.world = w
	return nil
}

// Start runs this program as the server, which includes making the world.
func (r *Remote) Start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	address, err := child.FreeAddress()
	if err != nil {
		return err
	}
	size := r.world.Size
	r.process, err = child.Start(child.Command{
		Program: self, Env: []string{fmt.Sprintf("%s=%s %d %d %d", role, address, size.Accounts, size.Users, size.Seed)},
	})
	if err != nil {
		return err
	}
	r.Client = web.NewClient(address)
	return r.process.Await(ctx, func(ctx context.Context) error {
		_, err := r.Check(ctx, r.world.Stranger, 0, tree.Read)
		return err
	})
}

// Stop ends the process.
func (r *Remote) Stop() error {
	r.Client.Close()
	err := r.process.Stop()
	r.process = nil
	return err
}

// Close ends the process.
func (r *Remote) Close() error { return r.Stop() }

// Processes returns the server's.
func (r *Remote) Processes() []int {
	if r.process == nil {
		return nil
	}
	return []int{r.process.PID()}
}
