package engine

import (
	"context"
	"time"

	dsconfig "github.com/authzed/spicedb/pkg/cmd/datastore"
	spicedb "github.com/authzed/spicedb/pkg/cmd/server"
	"github.com/authzed/spicedb/pkg/cmd/util"
	"github.com/authzed/spicedb/pkg/datastore"
)

const (
	// chunk is the greatest number of ids that SpiceDB puts into one query.
	chunk = 100
	// maxPage is the greatest page that a lookup may ask for.
	maxPage = 10_000
	// history is how long the datastore keeps old revisions, for tokens and watches.
	history = 2 * time.Hour
	// headroom is what SpiceDB's depth limit needs beyond the levels of accounts: the steps
	// from an account into an assignment, and from there to a member.
	headroom = 10
	// silence is how long a stream may go without an answer before SpiceDB cuts it off.
	silence = 2 * time.Minute
)

// settings are those of a SpiceDB that serves this process and nobody else.
func settings(cfg EmbeddedConfig, store datastore.Datastore) *spicedb.Config {
	return spicedb.NewConfigWithOptionsAndDefaults(
		spicedb.WithServerName("tenantry"),
		spicedb.WithDatastore(store),
		spicedb.WithDatastoreConfig(storeSettings(cfg.Quantum)),

		// A pipe in memory: only the client that we make can reach it, so it needs no key,
		// and its one connection need not be renewed for the sake of balance.
		spicedb.WithGRPCServer(util.GRPCServerConfig{Network: util.BufferedNetwork, Address: "tenantry", Enabled: true}),
		spicedb.WithGRPCAuthFunc(func(ctx context.Context) (context.Context, error) { return ctx, nil }),
		spicedb.WithHTTPGateway(util.HTTPServerConfig{}),
		spicedb.WithMetricsAPI(util.HTTPServerConfig{}),
		spicedb.WithDispatchServer(util.GRPCServerConfig{}),
		spicedb.WithSilentlyDisableTelemetry(true),
		spicedb.WithEnableMemoryProtectionMiddleware(false),
		spicedb.WithShutdownGracePeriod(cfg.Grace),
		spicedb.WithUnaryMiddlewareModification(unaryLog(cfg.Log)),
		spicedb.WithStreamingMiddlewareModification(streamLog(cfg.Log)),

		spicedb.WithDispatchMaxDepth(uint32(cfg.Levels+headroom)), //nolint:gosec // a small number
		spicedb.WithDispatchChunkSize(chunk),
		spicedb.WithMaximumUpdatesPerWrite(maxUpdates),
		spicedb.WithMaximumPreconditionCount(maxUpdates),
		spicedb.WithMaxLookupResourcesLimit(maxPage),
		spicedb.WithStreamingAPITimeout(silence),

		spicedb.WithNamespaceCacheConfig(cache("namespace", "16MiB")),
		spicedb.WithStoredSchemaCacheConfig(cache("stored_schema", "16MiB")),
		spicedb.WithDispatchCacheConfig(cache("dispatch", "64MiB")),
		spicedb.WithClusterDispatchCacheConfig(spicedb.CacheConfig{}),
		spicedb.WithLR3ResourceChunkCacheConfig(spicedb.CacheConfig{}),
		// Two to three times as fast where many accounts are found: docs/decisions/0013-embedded-engine.md.
		spicedb.WithExperimentalLookupResourcesVersion("lr3"),
	)
}

func cache(name, size string) spicedb.CacheConfig {
	return spicedb.CacheConfig{Name: name, MaxCost: size, Enabled: true}
}

func storeSettings(quantum time.Duration) dsconfig.Config {
	return *dsconfig.NewConfigWithOptionsAndDefaults(
		dsconfig.WithEngine(dsconfig.MemoryEngine),
		dsconfig.WithRevisionQuantization(quantum),
		dsconfig.WithFollowerReadDelay(0), // there are no followers; it would only lengthen the cache's memory
		dsconfig.WithGCWindow(history),
		dsconfig.WithDisableStats(true),
	)
}

// memory returns SpiceDB's datastore in memory, made safe for concurrent writers.
func memory(ctx context.Context, quantum time.Duration) (datastore.Datastore, error) {
	cfg := storeSettings(quantum)
	store, err := dsconfig.NewDatastore(ctx, cfg.ToOption())
	if err != nil {
		return nil, err
	}
	return serialise(store), nil
}
