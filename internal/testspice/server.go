package testspice

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/tenantry/tenantry/internal/testpg"
)

// patience is how long the server gets to start, or to end when asked to.
const patience = 60 * time.Second

// Server is a SpiceDB process. Its methods belong to the test's goroutine and end the test if they fail.
type Server struct {
	Address string // host:port, in plaintext; stays the same over a restart
	Key     string // the pre-shared key

	t      testing.TB
	binary string
	url    string
	output output
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has ended; nil if none was started
}

// Start prepares the PostgreSQL database at url for SpiceDB, runs a server on it, waits until
// it serves, and ends it with the test. The server reports nothing to anybody and listens on
// Address only.
func Start(tb testing.TB, url string) *Server {
	tb.Helper()
	migrate(tb, Build(tb), url)
	return serve(tb, url)
}

// New is as [Start], on a database of its own in the cluster of testpg. It takes less time:
// databases are prepared once, and copied. Servers so made say that they are one datastore.
func New(tb testing.TB) *Server {
	tb.Helper()
	binary := Build(tb)
	return serve(tb, testpg.Copy(tb, "spicedb", func(url string) { migrate(tb, binary, url) }))
}

func migrate(tb testing.TB, binary, url string) {
	tb.Helper()
	run(tb, binary, "datastore", "migrate", "head", "--skip-release-check", "--log-level=warn",
		"--datastore-engine=postgres", "--datastore-conn-uri="+url)
}

// serve runs a server on a database that is prepared.
func serve(tb testing.TB, url string) *Server {
	tb.Helper()
	s := &Server{Address: freeAddress(tb), Key: rand.Text(), t: tb, binary: Build(tb), url: url}
	tb.Cleanup(func() {
		s.Stop()
		if tb.Failed() {
			tb.Logf("testspice: the server said:\n%s", s.output.String())
		}
	})
	s.Restart()
	return s
}

// Restart ends the server if it runs, starts it on the same database and address, and waits until it serves.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.cmd = exec.Command(s.binary, "serve", "--skip-release-check", "--log-level=warn", "--log-format=json",
		"--grpc-addr="+s.Address, "--grpc-preshared-key="+s.Key, "--grpc-shutdown-grace-period=1s",
		"--datastore-engine=postgres", "--datastore-conn-uri="+s.url,
		"--datastore-conn-pool-read-max-open=5", "--datastore-conn-pool-read-min-open=1",
		"--datastore-conn-pool-write-max-open=5", "--datastore-conn-pool-write-min-open=1",
		"--telemetry-endpoint=", "--metrics-enabled=false", "--http-enabled=false", "--dispatch-cluster-enabled=false",
		"--enable-memory-protection-middleware=false")
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	bind(s.cmd)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("testspice: %v", err)
	}
	ended := make(chan struct{})
	s.ended = ended
	go func(cmd *exec.Cmd) {
		defer close(ended)
		_ = cmd.Wait() // how it ended is in its output
	}(s.cmd)
	s.awaitServing()
}

// Stop asks the server to end and waits until it has. It does nothing if the server does not run.
func (s *Server) Stop() {
	s.t.Helper()
	s.end(os.Interrupt)
}

// Kill ends the server without warning, as a crash would, and waits until it is gone.
func (s *Server) Kill() {
	s.t.Helper()
	s.end(os.Kill)
}

func (s *Server) end(signal os.Signal) {
	s.t.Helper()
	if s.ended == nil {
		return
	}
	select {
	case <-s.ended:
		return
	default:
	}
	_ = s.cmd.Process.Signal(signal) // fails only if it has ended meanwhile
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-s.ended:
	case <-late.C:
		_ = s.cmd.Process.Kill()
		<-s.ended
		s.t.Errorf("testspice: the server did not end within %s of %s", patience, signal)
	}
}

// awaitServing follows the server's health until it is good.
func (s *Server) awaitServing() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ended := s.ended
	go func() {
		select {
		case <-ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	conn, err := grpc.NewClient(s.Address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond},
			MinConnectTimeout: time.Second,
		}))
	if err != nil {
		s.t.Fatalf("testspice: %v", err)
	}
	defer func() { _ = conn.Close() }()
	health, err := grpc_health_v1.NewHealthClient(conn).Watch(ctx,
		&grpc_health_v1.HealthCheckRequest{Service: "authzed.api.v1.SchemaService"}, grpc.WaitForReady(true))
	for err == nil {
		var answer *grpc_health_v1.HealthCheckResponse
		if answer, err = health.Recv(); err == nil && answer.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING {
			return
		}
	}
	s.t.Fatalf("testspice: the server does not serve: %v\n%s", err, s.output.String())
}

// freeAddress is a port of the loopback interface that was free a moment ago.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("testspice: %v", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// output keeps the newest part of what the server prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	const most = 64 << 10
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p)
	if extra := o.buf.Len() - most; extra > 0 {
		o.buf.Next(extra)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
