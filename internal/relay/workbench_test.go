package relay_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/relay"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

type workbench struct {
	t      *testing.T
	store  *store.DB
	engine *engine.Engine
	atOnce int // updates in one call; 0 is what the engine takes
	wrap   func(relay.Engine) relay.Engine
}

type inSmallParts struct {
	*engine.Engine
	atOnce int
}

func (e inSmallParts) MaxUpdates() int { return e.atOnce }

func setUp(t *testing.T) *workbench {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, filepath.Join(t.TempDir(), "directory.db"), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Embedded(ctx, engine.EmbeddedConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := engine.ApplySchema(ctx, e.Conn(), schema.Built(), engine.Refuse); err != nil {
		t.Fatal(err)
	}
	w := &workbench{t: t, store: db, engine: e}
	err = db.CreateEnvironment(ctx, account.Entry{
		Environment: "prod", At: time.Now(), Kind: account.EnvironmentCreated,
		Changes: []account.Change{{After: account.Of(account.Environment{ID: "prod", Name: "prod", SubAccountsEnabled: true, DefaultAccessMode: account.DefaultOff, MaxDepth: 8})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *workbench) run(cfg relay.Config) *relay.Relay {
	w.t.Helper()
	catalogue, err := schema.Default()
	if err != nil {
		w.t.Fatal(err)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	var e relay.Engine = w.engine
	if w.atOnce > 0 {
		e = inSmallParts{w.engine, w.atOnce}
	}
	if w.wrap != nil {
		e = w.wrap(e)
	}
	r := relay.New(w.store, e, relation.NewProjector(catalogue), cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("relay: %v", err)
		}
	})
	return r
}

func (w *workbench) append(changes ...account.Change) account.Version {
	w.t.Helper()
	var version account.Version
	err := w.store.Write(w.t.Context(), "prod", func(tx directory.Tx) error {
		var err error
		version, err = tx.Append(w.t.Context(), account.Entry{Environment: "prod", At: time.Now(), Kind: account.Imported, Changes: changes})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return version
}

func creates[T account.Account | account.Role | account.User | account.Membership | account.Assignment](v T) account.Change {
	return account.Change{After: account.Of(v)}
}

func (w *workbench) inForce(r *relay.Relay, version account.Version) relay.Position {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	p, err := r.Wait(ctx, "prod", version)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *workbench) change(op v1.RelationshipUpdate_Operation, r relation.Relationship) {
	w.t.Helper()
	_, err := v1.NewPermissionsServiceClient(w.engine.Conn()).WriteRelationships(w.t.Context(), &v1.WriteRelationshipsRequest{
		Updates: []*v1.RelationshipUpdate{{Operation: op, Relationship: r.Proto()}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *workbench) wipe() {
	w.t.Helper()
	for _, kind := range []string{relation.TypeAccount, relation.TypeAssignment, relation.TypeRole, relation.TypeEnvironment} {
		_, err := v1.NewPermissionsServiceClient(w.engine.Conn()).DeleteRelationships(w.t.Context(), &v1.DeleteRelationshipsRequest{
			RelationshipFilter: &v1.RelationshipFilter{ResourceType: kind},
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *workbench) mustNotDrift(r *relay.Relay) {
	w.t.Helper()
	result, err := r.Reconcile(w.t.Context(), "prod", true, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if !result.Drift.Empty() {
		w.t.Fatalf("drift at version %d: %+v", result.Version, result.Drift)
	}
}

func small(i int) account.Change {
	return creates(account.Account{ID: account.ID(fmt.Sprintf("a%d", i)), Name: "small", AccessMode: account.DefaultOff, CreatedAt: time.Now()})
}

func member(user account.UserID, expires *time.Time) account.Membership {
	return account.Membership{Account: "globex", User: user, Roles: []account.RoleKey{"admin"}, ExpiresAt: expires, CreatedAt: time.Now()}
}

func (w *workbench) globex(users ...account.UserID) account.Version {
	changes := []account.Change{
		creates(account.Role{Key: "admin", Permissions: []account.PermissionKey{"fe.secure.read.users"}}),
		creates(account.Account{ID: "globex", Name: "Globex", AccessMode: account.DefaultOff, CreatedAt: time.Now()}),
		creates(account.Assignment{Account: "globex", Role: "admin"}),
	}
	for _, u := range users {
		changes = append(changes, creates(account.User{ID: u, Email: string(u) + "@globex.example", CreatedAt: time.Now()}), creates(member(u, nil)))
	}
	return w.append(changes...)
}
