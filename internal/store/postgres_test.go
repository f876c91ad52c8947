package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
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

// TestPostgresWritersOfOneEnvironmentLeaveConnectionsForOthers has more writers
// of dev than there are connections, all waiting for one that does not end; what
// does not concern dev goes on.
func TestPostgresWritersOfOneEnvironmentLeaveConnectionsForOthers(t *testing.T) {
	db := open(t, testpg.Database(t), store.Config{Connections: 2})
	for _, env := range []account.EnvironmentID{"dev", "other"} {
		if err := db.CreateEnvironment(t.Context(), first(env)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	nothing := func(directory.Tx) error { return nil }
	held, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := db.Write(ctx, "dev", func(directory.Tx) error {
			close(held)
			<-release
			return nil
		})
		if err != nil {
			t.Errorf("the writer that held dev: %v", err)
		}
	})
	<-held
	for range 8 {
		all.Go(func() {
			if err := db.Write(ctx, "dev", nothing); err != nil {
				t.Errorf("a writer that waited for dev: %v", err)
			}
		})
	}
	if err := db.Write(ctx, "other", nothing); err != nil {
		t.Errorf("a write of another environment: %v", err)
	}
	if err := db.SavePosition(ctx, "dev", "remote", 1, "token"); err != nil {
		t.Errorf("a position: %v", err)
	}
	if err := db.ForgetPosition(ctx, "dev", "remote"); err != nil {
		t.Errorf("forgetting a position: %v", err)
	}
	impatient, give := context.WithTimeout(ctx, 50*time.Millisecond)
	defer give()
	if err := db.Write(impatient, "dev", nothing); err == nil {
		t.Error("a write went through while dev was held")
	}
	close(release)
	all.Wait()
}
