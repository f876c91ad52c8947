package spice

import (
	"context"
	"errors"
	"sync"

	"github.com/tenantry/tenantry/bench/internal/bulk"
	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// Source is a database with a world's relationships, of which every server gets a copy. The
// first server to be prepared fills it, the last to close drops it.
type Source struct {
	binary   string
	postgres *postgres.Server

	mu     sync.Mutex // copying waits for filling
	url    string
	filled bool
	copies int
}

// NewSource returns one that is yet to be made.
func NewSource(binary string, pg *postgres.Server) *Source {
	return &Source{binary: binary, postgres: pg}
}

// copyOf returns a new database with the world.
func (s *Source) copyOf(ctx context.Context, w *tree.World) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.filled {
		if err := s.fill(ctx, w); err != nil {
			return "", err
		}
		s.filled = true
	}
	url, err := s.postgres.Copy(ctx, s.url)
	if err == nil {
		s.copies++
	}
	return url, err
}

// fill makes the database by SpiceDB's own migrations, and imports through a server of it.
func (s *Source) fill(ctx context.Context, w *tree.World) error {
	url, err := s.postgres.Create(ctx)
	if err != nil {
		return err
	}
	s.url = url
	if _, err := child.Run(ctx, child.Command{Program: s.binary, Args: []string{
		"datastore", "migrate", "head", "--skip-release-check", "--log-level=warn", "--datastore-engine=postgres", "--datastore-conn-uri=" + url,
	}}); err != nil {
		return err
	}
	filler := NewServer(s)
	filler.url = url
	err = filler.Start(ctx)
	if err == nil {
		err = bulk.Engine(ctx, filler.conn, w)
	}
	return errors.Join(err, filler.Stop(), s.postgres.Analyze(ctx, url))
}

// drop removes a copy, and the source with the last of them.
func (s *Source) drop(url string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.postgres.Drop(context.Background(), url)
	if s.copies--; s.copies == 0 {
		err = errors.Join(err, s.postgres.Drop(context.Background(), s.url))
		s.url, s.filled = "", false
	}
	return err
}
