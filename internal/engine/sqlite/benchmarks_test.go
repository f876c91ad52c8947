package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/benchmarks"
	dsconfig "github.com/authzed/spicedb/pkg/cmd/datastore"
	spicedb "github.com/authzed/spicedb/pkg/cmd/server"
	"github.com/authzed/spicedb/pkg/cmd/util"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// TestBenchmarksAnswerAlike asks SpiceDB the questions of its own benchmarks, once on this
// datastore and once on its datastore in memory, and wants the same answers. Nothing is cached.
func TestBenchmarksAnswerAlike(t *testing.T) {
	for _, b := range cases() {
		t.Run(b.Name, func(t *testing.T) {
			disk, memory := durable(t), inMemory(t)
			questions := prepared(t, b, disk)
			prepared(t, b, memory)
			on, beside := serving(t, disk), serving(t, memory)
			for _, c := range questions.Checks {
				t.Run(fmt.Sprintf("check %v", c), func(t *testing.T) {
					if !on.checks(t, c) || !beside.checks(t, c) {
						t.Error("the subject has the permission, and one of the datastores denies it")
					}
					c.SubjectID = "stranger"
					if on.checks(t, c) || beside.checks(t, c) {
						t.Error("a stranger has the permission")
					}
				})
			}
			for _, q := range lookups(questions) {
				t.Run("lookup "+q.name, func(t *testing.T) {
					got := q.ask(t, on)
					if d := cmp.Diff(q.want, got); q.want != nil && d != "" {
						t.Errorf("-want +got:\n%s", d)
					}
					if d := cmp.Diff(q.ask(t, beside), got); d != "" {
						t.Errorf("-in memory +here:\n%s", d)
					}
				})
			}
		})
	}
}

// BenchmarkQueries times the questions of SpiceDB's benchmarks, uncached, on this datastore and
// on SpiceDB's in memory.
func BenchmarkQueries(b *testing.B) {
	for _, one := range cases() {
		for _, name := range []string{"sqlite", "memory"} {
			ds := durable(b)
			if name == "memory" {
				ds = inMemory(b)
			}
			questions := prepared(b, one, ds)
			c := serving(b, ds)
			for _, q := range questions.Checks[:1] {
				b.Run(fmt.Sprintf("%s/check/%s", one.Name, name), func(b *testing.B) {
					for b.Loop() {
						if !c.checks(b, q) {
							b.Fatal("denied")
						}
					}
				})
			}
			for _, q := range lookups(questions) {
				b.Run(fmt.Sprintf("%s/%s/%s", one.Name, strings.Fields(q.name)[0], name), func(b *testing.B) {
					for b.Loop() {
						q.ask(b, c)
					}
				})
			}
		}
	}
}

// cases are SpiceDB's benchmarks, in an order.
func cases() []benchmarks.Benchmark {
	return slices.SortedFunc(slices.Values(benchmarks.All()), func(a, b benchmarks.Benchmark) int {
		return strings.Compare(a.Name, b.Name)
	})
}

func durable(tb testing.TB) datastore.Datastore {
	tb.Helper()
	ds, err := opened(tb, sqlite.Config{Synchronous: sqlite.Normal})
	if err != nil {
		tb.Fatal(err)
	}
	return ds
}

func inMemory(tb testing.TB) datastore.Datastore {
	tb.Helper()
	ds, err := dsconfig.NewDatastore(tb.Context(), storeSettings().ToOption())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := ds.Close(); err != nil {
			tb.Error(err)
		}
	})
	return ds
}

func storeSettings() *dsconfig.Config {
	return dsconfig.NewConfigWithOptionsAndDefaults(dsconfig.WithEngine(dsconfig.MemoryEngine), dsconfig.WithRevisionQuantization(0))
}

// prepared writes a benchmark's schema and relationships.
func prepared(tb testing.TB, b benchmarks.Benchmark, ds datastore.Datastore) *benchmarks.QuerySets {
	tb.Helper()
	questions, err := b.Setup(tb.Context(), ds)
	if err != nil {
		tb.Fatalf("preparing %s: %v", b.Name, err)
	}
	return questions
}

// api is SpiceDB's.
type api struct{ v1.PermissionsServiceClient }

// serving runs a SpiceDB in this process that caches no answers.
func serving(tb testing.TB, ds datastore.Datastore) api {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	server, err := spicedb.NewConfigWithOptionsAndDefaults(
		spicedb.WithDatastore(ds),
		spicedb.WithDatastoreConfig(*storeSettings()),
		spicedb.WithGRPCServer(util.GRPCServerConfig{Network: util.BufferedNetwork, Address: "test", Enabled: true}),
		spicedb.WithGRPCAuthFunc(func(ctx context.Context) (context.Context, error) { return ctx, nil }),
		spicedb.WithHTTPGateway(util.HTTPServerConfig{}),
		spicedb.WithMetricsAPI(util.HTTPServerConfig{}),
		spicedb.WithDispatchServer(util.GRPCServerConfig{}),
		spicedb.WithSilentlyDisableTelemetry(true),
		spicedb.WithEnableMemoryProtectionMiddleware(false),
		spicedb.WithDispatchChunkSize(100),
		spicedb.WithDispatchCacheConfig(spicedb.CacheConfig{}),
		spicedb.WithClusterDispatchCacheConfig(spicedb.CacheConfig{}),
		spicedb.WithLR3ResourceChunkCacheConfig(spicedb.CacheConfig{}),
	).Complete(ctx)
	if err != nil {
		stop()
		tb.Fatalf("configuring SpiceDB: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			tb.Errorf("SpiceDB: %v", err)
		}
	})
	conn, err := server.NewClient(grpc.WithDefaultServiceConfig(`{}`))
	if err != nil {
		tb.Fatalf("connecting to SpiceDB: %v", err)
	}
	tb.Cleanup(func() { _ = conn.Close() }) // a pipe in memory
	return api{v1.NewPermissionsServiceClient(conn)}
}

func newest() *v1.Consistency {
	return &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}}
}

// checks asks whether a subject has a permission.
func (a api) checks(tb testing.TB, c benchmarks.CheckQuery) bool {
	tb.Helper()
	answer, err := a.CheckPermission(tb.Context(), &v1.CheckPermissionRequest{
		Consistency: newest(), Permission: c.Permission,
		Resource: &v1.ObjectReference{ObjectType: c.ResourceType, ObjectId: c.ResourceID},
		Subject:  subject(c.SubjectType, c.SubjectID, c.SubjectRelation),
	})
	if err != nil {
		tb.Fatalf("checking %v: %v", c, err)
	}
	return answer.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
}

func subject(typ, id, relation string) *v1.SubjectReference {
	if relation == tuple.Ellipsis {
		relation = ""
	}
	return &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: typ, ObjectId: id}, OptionalRelation: relation}
}

// lookup is a question for many ids.
type lookup struct {
	name string
	want []string // sorted; nil if the benchmark does not say
	ask  func(testing.TB, api) []string
}

// lookups are a benchmark's, and for each check what it says in both directions.
func lookups(q *benchmarks.QuerySets) []lookup {
	var out []lookup
	for _, r := range q.IterResources {
		out = append(out, lookup{
			name: fmt.Sprintf("resources %s %s %s", r.FilterResourceType, r.Permission, r.SubjectID), want: sorted(r.ExpectedResourceIDs),
			ask: func(tb testing.TB, a api) []string {
				return a.resources(tb, r.FilterResourceType, r.Permission, subject(r.SubjectType, r.SubjectID, r.SubjectRelation))
			},
		})
	}
	for _, s := range q.IterSubjects {
		out = append(out, lookup{
			name: fmt.Sprintf("subjects %s %s %s", s.ResourceID, s.Permission, s.FilterSubjectType), want: sorted(s.ExpectedSubjectIDs),
			ask: func(tb testing.TB, a api) []string {
				return a.subjects(tb, s.ResourceType, s.ResourceID, s.Permission, s.FilterSubjectType)
			},
		})
	}
	if len(out) > 0 {
		return out
	}
	for _, c := range q.Checks[:1] {
		out = append(out, lookup{
			name: fmt.Sprintf("resources %s %s %s", c.ResourceType, c.Permission, c.SubjectID),
			ask: func(tb testing.TB, a api) []string {
				return a.resources(tb, c.ResourceType, c.Permission, subject(c.SubjectType, c.SubjectID, c.SubjectRelation))
			},
		}, lookup{
			name: fmt.Sprintf("subjects %s %s %s", c.ResourceID, c.Permission, c.SubjectType),
			ask: func(tb testing.TB, a api) []string {
				return a.subjects(tb, c.ResourceType, c.ResourceID, c.Permission, c.SubjectType)
			},
		})
	}
	return out
}

func (a api) resources(tb testing.TB, typ, permission string, of *v1.SubjectReference) []string {
	tb.Helper()
	stream, err := a.LookupResources(tb.Context(), &v1.LookupResourcesRequest{
		Consistency: newest(), ResourceObjectType: typ, Permission: permission, Subject: of,
	})
	return ids(tb, err, func() (string, error) {
		one, err := stream.Recv()
		return one.GetResourceObjectId(), err
	})
}

func (a api) subjects(tb testing.TB, typ, id, permission, of string) []string {
	tb.Helper()
	stream, err := a.LookupSubjects(tb.Context(), &v1.LookupSubjectsRequest{
		Consistency: newest(), Permission: permission, SubjectObjectType: of,
		Resource: &v1.ObjectReference{ObjectType: typ, ObjectId: id},
	})
	return ids(tb, err, func() (string, error) {
		one, err := stream.Recv()
		return one.GetSubject().GetSubjectObjectId(), err
	})
}

// ids reads a stream to its end.
func ids(tb testing.TB, err error, next func() (string, error)) []string {
	tb.Helper()
	out := []string{}
	for err == nil {
		var id string
		if id, err = next(); err == nil {
			out = append(out, id)
		}
	}
	if !errors.Is(err, io.EOF) {
		tb.Fatalf("looking up: %v", err)
	}
	return sorted(out)
}

func sorted(ids []string) []string { return slices.Sorted(slices.Values(ids)) }
