// Package spice is SpiceDB on PostgreSQL, asked through its own gRPC API, with Tenantry's schema and relationships.
package spice

import (
	"context"
	"crypto/rand"
	"errors"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// Server is a SpiceDB process on a database of its own, with SpiceDB's defaults: its caches are on.
type Server struct {
	Address, Key string

	source  *Source
	url     string
	process *child.Process
	conn    *grpc.ClientConn
}

// NewServer returns a server that has neither database nor process yet.
func NewServer(source *Source) *Server { return &Server{source: source, Key: rand.Text()} }

// Prepare makes the database, with the world in it.
func (s *Server) Prepare(ctx context.Context, w *tree.World) (err error) {
	s.url, err = s.source.copyOf(ctx, w)
	return err
}

// Start runs the server and returns once it serves.
func (s *Server) Start(ctx context.Context) (err error) {
	if s.Address == "" { // it keeps the one that it has
		if s.Address, err = child.FreeAddress(); err != nil {
			return err
		}
	}
	s.process, err = child.Start(child.Command{Program: s.source.binary, Args: []string{
		"serve", "--skip-release-check", "--log-level=warn", "--log-format=json",
		"--grpc-addr=" + s.Address, "--grpc-preshared-key=" + s.Key, "--grpc-shutdown-grace-period=1s",
		"--datastore-engine=postgres", "--datastore-conn-uri=" + s.url,
		"--telemetry-endpoint=", "--metrics-enabled=false", "--http-enabled=false", "--dispatch-cluster-enabled=false",
		"--enable-memory-protection-middleware=false",
	}})
	if err != nil {
		return err
	}
	s.conn, err = grpc.NewClient(s.Address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(bearer(s.Key)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return err
	}
	health := grpc_health_v1.NewHealthClient(s.conn)
	return s.process.Await(ctx, func(ctx context.Context) error {
		answer, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: v1.PermissionsService_ServiceDesc.ServiceName})
		if err == nil && answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
			err = errors.New(answer.GetStatus().String())
		}
		if err != nil {
			s.conn.ResetConnectBackoff()
		}
		return err
	})
}

// Stop ends the process.
func (s *Server) Stop() error {
	if s.conn != nil {
		_ = s.conn.Close() // there is nothing under way
		s.conn = nil
	}
	err := s.process.Stop()
	s.process = nil
	return err
}

// Close ends the process and drops the database.
func (s *Server) Close() error {
	err := s.Stop()
	if s.url == "" {
		return err
	}
	url := s.url
	s.url = ""
	return errors.Join(err, s.source.drop(url))
}

// Processes returns the process's id.
func (s *Server) Processes() []int {
	if s.process == nil {
		return nil
	}
	return []int{s.process.PID()}
}

// bearer is a pre-shared key.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (b bearer) RequireTransportSecurity() bool { return false }
