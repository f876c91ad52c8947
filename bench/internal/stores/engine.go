package stores

import (
	"context"
	"errors"
	"fmt"
	"time"

	dsconfig "github.com/authzed/spicedb/pkg/cmd/datastore"
	spicedb "github.com/authzed/spicedb/pkg/cmd/server"
	"github.com/authzed/spicedb/pkg/cmd/util"
	"github.com/authzed/spicedb/pkg/datastore"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/schema"
)

// Engine is a SpiceDB that runs in this process.
type Engine struct {
	Conn  grpc.ClientConnInterface
	Close func() error
}

// Tenantry starts the engine as Tenantry runs it, with its caches.
func Tenantry(ctx context.Context, store datastore.Datastore) (Engine, error) {
	e, err := engine.Embedded(ctx, engine.EmbeddedConfig{Datastore: store, Quantum: Quantum})
	if err != nil {
		return Engine{}, err
	}
	return withSchema(ctx, Engine{Conn: e.Conn(), Close: e.Close})
}

// Uncached starts an engine with Tenantry's settings that remembers no answer and no part of
// one: every check and every lookup goes down to the relationships.
func Uncached(ctx context.Context, store datastore.Datastore) (Engine, error) {
	runnable, err := uncached(store).Complete(ctx)
	if err != nil {
		return Engine{}, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- runnable.Run(running) }()
	finish := func() error {
		stop()
		return <-ended
	}
	conn, err := runnable.NewClient(grpc.WithDefaultServiceConfig(`{}`))
	if err != nil {
		return Engine{}, errors.Join(err, finish())
	}
	return withSchema(ctx, Engine{Conn: conn, Close: func() error { return errors.Join(finish(), conn.Close()) }})
}

func withSchema(ctx context.Context, e Engine) (Engine, error) {
	if _, err := engine.ApplySchema(ctx, e.Conn, schema.Built(), engine.Apply); err != nil {
		return Engine{}, errors.Join(fmt.Errorf("apply the schema: %w", err), e.Close())
	}
	return e, nil
}

func uncached(store datastore.Datastore) *spicedb.Config {
	const (
		chunk   = 100              // ids in one query, as in Tenantry
		depth   = 110              // likewise
		updates = 1000             // likewise
		silence = 10 * time.Minute // of a stream, so that a slow store is measured and not cut off
		grace   = time.Second
	)
	memory := func(name string) spicedb.CacheConfig {
		return spicedb.CacheConfig{Name: name, MaxCost: "16MiB", Enabled: true}
	}
	return spicedb.NewConfigWithOptionsAndDefaults(
		spicedb.WithServerName("tenantry-bench"),
		spicedb.WithDatastore(store),
		spicedb.WithDatastoreConfig(*dsconfig.NewConfigWithOptionsAndDefaults(
			dsconfig.WithEngine(dsconfig.MemoryEngine), // not used, as there is a datastore
			dsconfig.WithRevisionQuantization(Quantum),
			dsconfig.WithFollowerReadDelay(0),
		)),
		spicedb.WithGRPCServer(util.GRPCServerConfig{Network: util.BufferedNetwork, Address: "bench", Enabled: true}),
		spicedb.WithGRPCAuthFunc(func(ctx context.Context) (context.Context, error) { return ctx, nil }),
		spicedb.WithHTTPGateway(util.HTTPServerConfig{}),
		spicedb.WithMetricsAPI(util.HTTPServerConfig{}),
		spicedb.WithDispatchServer(util.GRPCServerConfig{}),
		spicedb.WithSilentlyDisableTelemetry(true),
		spicedb.WithEnableMemoryProtectionMiddleware(false),
		spicedb.WithShutdownGracePeriod(grace),

		spicedb.WithDispatchMaxDepth(depth),
		spicedb.WithDispatchChunkSize(chunk),
		spicedb.WithMaximumUpdatesPerWrite(updates),
		spicedb.WithMaximumPreconditionCount(updates),
		spicedb.WithStreamingAPITimeout(silence),

		// The schema is still remembered; answers are not.
		spicedb.WithNamespaceCacheConfig(memory("namespace")),
		spicedb.WithStoredSchemaCacheConfig(memory("stored_schema")),
		spicedb.WithDispatchCacheConfig(spicedb.CacheConfig{}),
		spicedb.WithClusterDispatchCacheConfig(spicedb.CacheConfig{}),
		spicedb.WithLR3ResourceChunkCacheConfig(spicedb.CacheConfig{}),
		spicedb.WithExperimentalLookupResourcesVersion("lr3"),
	)
}
