package testspice_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/tenantry/tenantry/internal/testpg"
	"github.com/tenantry/tenantry/internal/testspice"
)

func TestBuild_IsDoneOnce(t *testing.T) {
	if first, second := testspice.Build(t), testspice.Build(t); first != second {
		t.Errorf("two binaries: %s and %s", first, second)
	}
}

func TestServer_ComesBackOnTheSameAddress(t *testing.T) {
	s := testspice.Start(t, testpg.Database(t))
	for _, end := range []func(){s.Stop, s.Kill, s.Kill} {
		serves(t, s.Address)
		end()
		if conn, err := net.DialTimeout("tcp", s.Address, time.Second); err == nil {
			_ = conn.Close()
			t.Fatal("a server that has ended takes connections")
		}
		s.Restart()
	}
	serves(t, s.Address)
}

func serves(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "authzed.api.v1.PermissionsService"})
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.GetStatus(); got != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Fatalf("its health is %s", got)
	}
}
