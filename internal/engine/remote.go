package engine

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/tenantry/tenantry/internal/fault"
)

// RemoteConfig says where SpiceDB is. Address and Key are required.
type RemoteConfig struct {
	Address string // host:port, or a gRPC target such as dns:///spicedb.internal:50051
	Key     string // the pre-shared key; sent with every call

	// CAFile is a PEM file with the authorities to trust instead of the system's.
	CAFile string
	// Insecure sends everything, the key included, in plaintext. It is never chosen by default.
	Insecure bool

	// DialTimeout bounds one attempt to connect; 0 is five seconds.
	DialTimeout time.Duration
	// MaxUpdates is the limit of updates per write call if SpiceDB is set to a lower one than its default of 1000.
	MaxUpdates int
}

// keepAlive is how long a connection with calls under way may be silent before it is probed.
// SpiceDB takes more frequent probes for abuse and hangs up.
const keepAlive = 6 * time.Minute

// readsAreRetried spreads calls over the addresses that a name stands for, and tries a read
// again, a moment later, while SpiceDB is away. A write is never repeated here: whether
// that is harmless only its caller knows.
const readsAreRetried = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{
    "name": [
      {"service": "authzed.api.v1.PermissionsService", "method": "CheckPermission"},
      {"service": "authzed.api.v1.PermissionsService", "method": "CheckBulkPermissions"},
      {"service": "authzed.api.v1.PermissionsService", "method": "LookupResources"},
      {"service": "authzed.api.v1.PermissionsService", "method": "LookupSubjects"},
      {"service": "authzed.api.v1.PermissionsService", "method": "ReadRelationships"},
      {"service": "authzed.api.v1.PermissionsService", "method": "ExpandPermissionTree"},
      {"service": "authzed.api.v1.SchemaService", "method": "ReadSchema"},
      {"service": "authzed.api.v1.SchemaService", "method": "DiffSchema"}
    ],
    "retryPolicy": {
      "maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "0.5s", "backoffMultiplier": 3,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
}`

// Remote returns an engine for a SpiceDB that runs elsewhere. It does not connect yet: a
// SpiceDB that is away shows in Ready and in the calls. Errors are Invalid faults
// (invalid_engine) that name the field.
func Remote(_ context.Context, cfg RemoteConfig) (*Engine, error) {
	transport, err := cfg.transport()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(cfg.Address,
		grpc.WithTransportCredentials(transport),
		grpc.WithPerRPCCredentials(bearer{key: cfg.Key, plaintext: cfg.Insecure}),
		grpc.WithDefaultServiceConfig(readsAreRetried),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepAlive, Timeout: 20 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
			MinConnectTimeout: cmp.Or(cfg.DialTimeout, 5*time.Second),
		}),
	)
	if err != nil {
		return nil, invalid("address", "the address of SpiceDB is not one: use host:port").Because(err)
	}
	most := cfg.MaxUpdates
	if most < 1 || most > maxUpdates {
		most = maxUpdates
	}
	return &Engine{conn: conn, closed: make(chan struct{}), name: "remote", durable: true, maxUpdates: most}, nil
}

func (cfg RemoteConfig) transport() (credentials.TransportCredentials, error) {
	switch {
	case cfg.Address == "":
		return nil, invalid("address", "the address of SpiceDB is missing: give host:port")
	case strings.TrimSpace(cfg.Key) == "":
		return nil, invalid("key", "the pre-shared key of SpiceDB is missing")
	case cfg.Insecure && cfg.CAFile != "":
		return nil, invalid("ca_file", "a connection in plaintext has no use for a CA file: drop one of the two")
	case cfg.Insecure:
		return insecure.NewCredentials(), nil
	case cfg.CAFile == "":
		return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12}), nil
	}
	pem, err := os.ReadFile(cfg.CAFile)
	if err != nil {
		return nil, invalid("ca_file", "the CA file cannot be read").Because(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, invalid("ca_file", "the CA file holds no certificate in PEM form")
	}
	return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}), nil
}

func invalid(field, text string) *fault.Error {
	return fault.New(fault.Invalid, CodeInvalidConfig, "%s", text).In(field)
}

// bearer sends the pre-shared key with every call.
type bearer struct {
	key       string
	plaintext bool
}

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.key}, nil
}

// RequireTransportSecurity keeps the key from going out in plaintext unless that was asked for.
func (b bearer) RequireTransportSecurity() bool { return !b.plaintext }
