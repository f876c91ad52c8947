package sqlite_test

import (
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/test"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// TestConformance runs SpiceDB's own suite for datastores. One category is left out: its tests
// open a second write transaction while the first is open, and here writers take turns. Those
// of its tests that only ask for writers to get on with each other are run below.
func TestConformance(t *testing.T) {
	test.AllWithExceptions(t, suite(), test.WithCategories(test.ConcurrentWriteCategory))
}

// TestConformanceOfConcurrentWriters runs what taking turns can fulfil of the category that
// TestConformance leaves out. Only ConcurrentWriteSerializationTest is missing: its first
// transaction waits inside for the second one to end.
func TestConformanceOfConcurrentWriters(t *testing.T) {
	for name, run := range map[string]func(*testing.T, test.DatastoreTester){
		"TestConcurrentWriteDeadlock":                       test.ConcurrentWriteDeadlockTest,
		"TestStoredSchemaConcurrentSchemaWins":              test.StoredSchemaConcurrentSchemaWinsTest,
		"TestStoredSchemaWriteSucceedsUnderRelWriteTraffic": test.StoredSchemaWriteSucceedsUnderRelWriteTrafficTest,
	} {
		t.Run(name, func(t *testing.T) { run(t, suite()) })
	}
}

// suite gives SpiceDB's tests a datastore each, in a file of its own.
func suite() test.DatastoreTester {
	return test.NewTesterFactory(sqlite.ErrRetry).NewTester(test.DatastoreTesterFunc(
		func(tb testing.TB, quantum, gcInterval, gcWindow time.Duration, buffer uint16) (datastore.Datastore, error) {
			return opened(tb, sqlite.Config{
				Quantum: quantum, GCInterval: gcInterval, GCWindow: gcWindow, WatchBuffer: buffer,
			})
		}))
}
