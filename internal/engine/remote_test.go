package engine_test

import (
	"context"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/testpg"
	"github.com/tenantry/tenantry/internal/testspice"
)

func remote(t *testing.T, cfg engine.RemoteConfig) *engine.Engine {
	t.Helper()
	e, err := engine.Remote(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

func TestRemote_SurvivesTheDeathOfSpiceDB(t *testing.T) {
	server := testspice.Start(t, testpg.Database(t))
	e := remote(t, engine.RemoteConfig{Address: server.Address, Key: server.Key, Insecure: true})
	if !e.Durable() || e.Name() != "remote" || e.MaxUpdates() != 1000 {
		t.Errorf("it calls itself %q, durable %v, with %d updates a call", e.Name(), e.Durable(), e.MaxUpdates())
	}
	if err := e.Ready(c30(t)); err != nil {
		t.Fatalf("without a schema: %v", err)
	}
	c := newClient(t, e)
	c.applyBuilt()
	c.applyBuilt()
	token := c.write(branch(1500, 10)...)
	if !c.check("account:t/1499", "access", "user:t/root", token) {
		t.Error("a branch member is refused")
	}
	if ids, _ := c.lookup("member_access", "user:t/root", 0, nil, token); len(ids) != 1500 {
		t.Errorf("the lookup finds %d accounts, want 1500", len(ids))
	}

	server.Kill()
	hasCode(t, e.Ready(c30(t)), fault.Unavailable, engine.CodeUnavailable)
	_, err := c.permissions.WriteRelationships(c.ctx(), &v1.WriteRelationshipsRequest{Updates: touch(rel("account:t/x#parent@account:t/0"))})
	hasCode(t, engine.Fault(err), fault.Unavailable, engine.CodeUnavailable)

	server.Restart()
	awaitReady(t, e)
	if !c.check("account:t/1499", "access", "user:t/root", token) {
		t.Error("what was written before the death is gone after it")
	}
	token = c.write("account:t/x#parent@account:t/0")
	if !c.check("account:t/x", "access", "user:t/root", token) {
		t.Error("a write after the restart is not in force")
	}

	stranger := remote(t, engine.RemoteConfig{Address: server.Address, Key: "wrong", Insecure: true})
	hasCode(t, stranger.Ready(c30(t)), fault.Unavailable, engine.CodeUnauthorized)
	mistrusting := remote(t, engine.RemoteConfig{Address: server.Address, Key: server.Key})
	hasCode(t, mistrusting.Ready(c30(t)), fault.Unavailable, engine.CodeUnavailable)
}

func c30(tb testing.TB) context.Context {
	tb.Helper()
	return within(tb, 30*time.Second)
}

// awaitReady asks until the engine is ready. The client sets the pace: it repeats a read after a pause before it gives up.
func awaitReady(t *testing.T, e *engine.Engine) {
	t.Helper()
	ctx := c30(t)
	for {
		err := e.Ready(ctx)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("not ready in time: %v", err)
		}
	}
}

func TestRemote_StartsWithoutSpiceDB(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	e := remote(t, engine.RemoteConfig{Address: address, Key: "k", Insecure: true, MaxUpdates: 250})
	if e.MaxUpdates() != 250 {
		t.Errorf("MaxUpdates is %d, want 250", e.MaxUpdates())
	}
	hasCode(t, e.Ready(c30(t)), fault.Unavailable, engine.CodeUnavailable)
}

func TestRemote_RefusesAConfigurationThatCannotWork(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		cfg   engine.RemoteConfig
		field string
	}{
		"no address":          {engine.RemoteConfig{Key: "k"}, "address"},
		"no address at all":   {engine.RemoteConfig{Address: "unix:%zz\x00", Key: "k"}, "address"},
		"no key":              {engine.RemoteConfig{Address: "spicedb:50051", Key: " "}, "key"},
		"plaintext with a CA": {engine.RemoteConfig{Address: "spicedb:50051", Key: "k", Insecure: true, CAFile: empty}, "ca_file"},
		"a CA file not there": {engine.RemoteConfig{Address: "spicedb:50051", Key: "k", CAFile: empty + "x"}, "ca_file"},
		"a CA file that is":   {engine.RemoteConfig{Address: "spicedb:50051", Key: "k", CAFile: empty}, "ca_file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := engine.Remote(t.Context(), tc.cfg)
			hasCode(t, err, fault.Invalid, engine.CodeInvalidConfig)
			if got := fault.From(err).Field; got != tc.field {
				t.Errorf("the field is %q, want %q", got, tc.field)
			}
		})
	}
}

// schemaServer is a SpiceDB of two calls, which is away for the first few of them.
type schemaServer struct {
	v1.UnimplementedSchemaServiceServer
	away          atomic.Int32 // calls yet to fail
	reads, writes atomic.Int32
	key           atomic.Value // the authorization of the last call
}

func (s *schemaServer) answer(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	s.key.Store(md.Get("authorization"))
	if s.away.Add(-1) >= 0 {
		return status.Error(codes.Unavailable, "away")
	}
	return nil
}

func (s *schemaServer) ReadSchema(ctx context.Context, _ *v1.ReadSchemaRequest) (*v1.ReadSchemaResponse, error) {
	s.reads.Add(1)
	return &v1.ReadSchemaResponse{SchemaText: "definition user {}"}, s.answer(ctx)
}

func (s *schemaServer) WriteSchema(ctx context.Context, _ *v1.WriteSchemaRequest) (*v1.WriteSchemaResponse, error) {
	s.writes.Add(1)
	return &v1.WriteSchemaResponse{}, s.answer(ctx)
}

// serveTLS starts the server and returns its address and a file with its certificate.
func serveTLS(t *testing.T, s *schemaServer) (address, caFile string) {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // only for its certificate
	t.Cleanup(certified.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})
	if err := os.WriteFile(caFile, block, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(certified.TLS)))
	v1.RegisterSchemaServiceServer(server, s)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return l.Addr().String(), caFile
}

func TestRemote_SendsTheKeyOnlyToWhomItTrusts(t *testing.T) {
	s := &schemaServer{}
	address, ca := serveTLS(t, s)
	mistrusting := remote(t, engine.RemoteConfig{Address: address, Key: "secret"})
	hasCode(t, mistrusting.Ready(c30(t)), fault.Unavailable, engine.CodeUnavailable)
	if got := s.key.Load(); got != nil {
		t.Errorf("a server that is not trusted was sent %v", got)
	}
	if err := remote(t, engine.RemoteConfig{Address: address, Key: "secret", CAFile: ca}).Ready(c30(t)); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.key.Load().([]string); len(got) != 1 || got[0] != "Bearer secret" {
		t.Errorf("a server that is trusted was sent %v", got)
	}
}

func TestRemote_RepeatsReadsAndNotWrites(t *testing.T) {
	s := &schemaServer{}
	address, ca := serveTLS(t, s)
	e := remote(t, engine.RemoteConfig{Address: address, Key: "secret", CAFile: ca})
	s.away.Store(2)
	if err := e.Ready(c30(t)); err != nil {
		t.Errorf("a read gave up: %v", err)
	}
	if got := s.reads.Load(); got != 3 {
		t.Errorf("a read was tried %d times, want 3", got)
	}
	s.away.Store(1)
	_, err := v1.NewSchemaServiceClient(e.Conn()).WriteSchema(c30(t), &v1.WriteSchemaRequest{Schema: "definition user {}"})
	hasCode(t, engine.Fault(err), fault.Unavailable, engine.CodeUnavailable)
	if got := s.writes.Load(); got != 1 {
		t.Errorf("a write was tried %d times, want 1", got)
	}
}
