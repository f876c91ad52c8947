package store_test

import (
	"testing"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/internal/store/storetest"
	"github.com/tenantry/tenantry/internal/testpg"
)

func TestMain(m *testing.M) { testpg.Main(m) }

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T, cfg store.Config) *store.DB {
		t.Helper()
		return open(t, testpg.Database(t), cfg)
	})
}

func TestPostgresOpenedByManyAtOnce(t *testing.T) { openMany(t, testpg.Database(t)) }

func TestPostgresAwayIsUnavailable(t *testing.T) {
	_, err := store.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=5", store.Config{})
	if f := fault.From(err); err == nil || f.Kind != fault.Unavailable || f.Code != "database_unavailable" {
		t.Errorf("opened: %v", err)
	}
}
