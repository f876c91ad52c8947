package service

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/peer/web"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// The values of --index.
const (
	On  = "on"
	Off = "off"
)

// System is one Tenantry server on a content.
type System struct {
	*web.Client

	content *Content
	index   string
	data    string // folder of the server's own files
	world   *tree.World
	process *child.Process
}

// New returns a server with its defaults, but for the index, which is on or off: the value of the flag --index.
func New(c *Content, index string) *System { return &System{content: c, index: index} }

// Load fills the content, if no other system has, and takes the server's copy of it.
func (s *System) Load(ctx context.Context, w *tree.World) error {
	s.world = w
	s.content.mu.Lock()
	defer s.content.mu.Unlock()
	if s.content.users++; s.content.users == 1 {
		if err := s.content.fill(ctx, w); err != nil {
			return err
		}
	}
	s.data = filepath.Join(s.content.dir, "server-"+s.index)
	return s.content.copyTo(s.data)
}

// Start runs the server until a first check is answered, by the index if that is on. From then on
// every answer has to be by whom it is asked of. There is no limit of rates, which would stop a
// benchmark; all else is as it is by default.
func (s *System) Start(ctx context.Context) error {
	address, err := child.FreeAddress()
	if err != nil {
		return err
	}
	args := append([]string{"serve", "--listen", address, "--log-level", "warn", "--rate-limit", "0", "--address-rate-limit", "0", "--index", s.index}, s.content.flags(s.data)...)
	if s.process, err = child.Start(child.Command{Program: s.content.binary, Args: args}); err != nil {
		return err
	}
	s.Client = web.NewClient(address)
	s.Token, s.Teller = s.content.token, "engine"
	if s.index == On {
		s.Teller = "index"
	}
	return s.process.Await(ctx, func(ctx context.Context) error {
		_, err := s.Check(ctx, s.world.Stranger, 0, tree.Read)
		return err
	})
}

// Stop ends the process; a SpiceDB elsewhere goes on.
func (s *System) Stop() error {
	s.Client.Close()
	err := s.process.Stop()
	s.process = nil
	return err
}

// Close ends the server, and removes the content once no other server uses it.
func (s *System) Close() error { return errors.Join(s.Stop(), s.content.close(context.Background())) }

// Processes returns the server's, and that of its SpiceDB elsewhere.
func (s *System) Processes() []int {
	if s.process == nil {
		return nil
	}
	all := []int{s.process.PID()}
	if s.content.remote != nil {
		all = append(all, s.content.remote.spice.Processes()...)
	}
	return all
}
