// Package service is Tenantry: its own binary, asked over HTTP with a client's token.
package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tenantry/tenantry/bench/internal/bulk"
	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/peer/spice"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// Content is a world in Tenantry, for one or more servers. The first system to load fills it, in
// bulk; the last to close removes it.
type Content struct {
	binary, dir string
	remote      *remote // nil for the embedded shape
	token       string

	mu    sync.Mutex // loading waits for loading
	users int
}

// remote is the shape with PostgreSQL and a SpiceDB elsewhere.
type remote struct {
	postgres *postgres.Server
	database string
	spice    *spice.Server
}

// Embedded is content in SQLite files below dir: the default shape.
func Embedded(binary, dir string) *Content {
	return &Content{binary: binary, dir: filepath.Join(dir, "tenantry")}
}

// Cluster is content in a PostgreSQL database and a SpiceDB on another.
func Cluster(binary, dir string, source *spice.Source, pg *postgres.Server) *Content {
	return &Content{
		binary: binary, dir: filepath.Join(dir, "tenantry-cluster"),
		remote: &remote{postgres: pg, spice: spice.NewServer(source)},
	}
}

// flags say where the content is, for every command that works on it.
func (c *Content) flags(data string) []string {
	if c.remote == nil {
		return []string{"--data", data}
	}
	return []string{
		"--data", data, "--database", c.remote.database,
		"--engine", c.remote.spice.Address, "--engine-key", c.remote.spice.Key, "--engine-plaintext",
	}
}

// fill brings the world in, and makes a client to ask with.
func (c *Content) fill(ctx context.Context, w *tree.World) error {
	if err := os.MkdirAll(c.data(), 0o700); err != nil {
		return err
	}
	fill := c.fillFiles
	if c.remote != nil {
		fill = c.fillDatabases
	}
	if err := fill(ctx, w); err != nil {
		return err
	}
	args := append([]string{"client", "create", "bench", "--environment", string(tree.Environment), "--role", "admin"}, c.flags(c.data())...)
	token, err := child.Run(ctx, child.Command{Program: c.binary, Args: args})
	c.token = strings.TrimSpace(token)
	return err
}

func (c *Content) data() string { return filepath.Join(c.dir, "data") }

func (c *Content) fillFiles(ctx context.Context, w *tree.World) error {
	if err := bulk.Directory(ctx, filepath.Join(c.data(), "directory.db"), w); err != nil {
		return err
	}
	return bulk.EngineFile(ctx, filepath.Join(c.data(), "engine.db"), w)
}

// fillDatabases fills those of the remote shape, and starts its SpiceDB.
func (c *Content) fillDatabases(ctx context.Context, w *tree.World) (err error) {
	if c.remote.database, err = c.remote.postgres.Create(ctx); err != nil {
		return err
	}
	if err := bulk.Directory(ctx, c.remote.database, w); err != nil {
		return err
	}
	if err := c.remote.postgres.Analyze(ctx, c.remote.database); err != nil {
		return err
	}
	if err := c.remote.spice.Prepare(ctx, w); err != nil {
		return err
	}
	return c.remote.spice.Start(ctx)
}

// copyTo gives a server files of its own: only one process may work on them.
func (c *Content) copyTo(folder string) error {
	if c.remote != nil {
		return nil
	}
	return os.CopyFS(folder, os.DirFS(c.data()))
}

// close removes the content once nobody uses it.
func (c *Content) close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users--; c.users > 0 {
		return nil
	}
	err := os.RemoveAll(c.dir)
	if c.remote == nil {
		return err
	}
	err = errors.Join(err, c.remote.spice.Close())
	if c.remote.database != "" {
		err = errors.Join(err, c.remote.postgres.Drop(ctx, c.remote.database))
		c.remote.database = ""
	}
	if err != nil {
		return fmt.Errorf("remove Tenantry's databases: %w", err)
	}
	return nil
}
