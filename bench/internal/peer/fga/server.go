// Package fga is OpenFGA on PostgreSQL, asked through its gRPC API, with a model of the same meaning as Tenantry's schema.
package fga

import (
	"context"
	"errors"
	"sync"

	openfga "github.com/openfga/api/proto/openfga/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/postgres"
)

// Database is a database with a store in it, for one or more servers. The first system to load fills it, the last to close drops it.
type Database struct {
	binary   string
	postgres *postgres.Server
	url      string
	store    string
	model    string

	mu    sync.Mutex // loading waits for loading
	users int
}

// NewDatabase returns one that is yet to be made.
func NewDatabase(binary string, pg *postgres.Server) *Database {
	return &Database{binary: binary, postgres: pg}
}

func (d *Database) prepare(ctx context.Context) (err error) {
	if d.url, err = d.postgres.Create(ctx); err != nil {
		return err
	}
	_, err = child.Run(ctx, child.Command{Program: d.binary, Args: []string{
		"migrate", "--datastore-engine=postgres", "--datastore-uri=" + d.url,
	}})
	return err
}

// serve runs a server with OpenFGA's defaults, but for the given arguments.
func (d *Database) serve(ctx context.Context, extra []string) (*child.Process, *grpc.ClientConn, error) {
	address, err := child.FreeAddress()
	if err != nil {
		return nil, nil, err
	}
	process, err := child.Start(child.Command{Program: d.binary, Args: append([]string{
		"run", "--datastore-engine=postgres", "--datastore-uri=" + d.url, "--grpc-addr=" + address,
		"--http-enabled=false", "--metrics-enabled=false", "--playground-enabled=false", "--log-level=warn",
	}, extra...)})
	if err != nil {
		return nil, nil, err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return process, nil, err
	}
	client := openfga.NewOpenFGAServiceClient(conn)
	return process, conn, process.Await(ctx, func(ctx context.Context) error {
		_, err := client.ListStores(ctx, &openfga.ListStoresRequest{})
		if err != nil {
			conn.ResetConnectBackoff()
		}
		return err
	})
}

func (d *Database) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users--; d.users > 0 || d.url == "" {
		return nil
	}
	url := d.url
	d.url = ""
	return d.postgres.Drop(context.Background(), url)
}

// Stop ends the server's process.
func (s *System) Stop() error {
	if s.conn != nil {
		_ = s.conn.Close() // there is nothing under way
		s.conn = nil
	}
	err := s.process.Stop()
	s.process = nil
	return err
}

// Close drops the database once no other server uses it.
func (s *System) Close() error { return errors.Join(s.Stop(), s.database.close()) }

// Processes returns OpenFGA's.
func (s *System) Processes() []int {
	if s.process == nil {
		return nil
	}
	return []int{s.process.PID()}
}
