package store_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/internal/testpg"
)

// servers are two on one database, with an environment prod.
type servers struct {
	*testing.T
	at  time.Time
	dbs [2]*store.DB
	env account.Environment
}

func newServers(t *testing.T, dsn string) *servers {
	s := &servers{T: t, at: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	for i := range s.dbs {
		db, err := store.Open(t.Context(), dsn, store.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		s.dbs[i] = db
	}
	s.env = account.Environment{ID: "prod", TokenMinutes: 15, CreatedAt: s.at}.WithDefaults()
	err := s.dbs[0].CreateEnvironment(t.Context(), account.Entry{At: s.at, Kind: account.EnvironmentCreated, Changes: []account.Change{{After: account.Of(s.env)}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signs has several callers at both servers ask at once, no two by the same clock,
// and returns the key that all of them are told.
func (s *servers) signs(apart time.Duration) string {
	s.Helper()
	const callers = 8
	var ids [callers]string
	var errs [callers]error
	var together sync.WaitGroup
	for i := range callers {
		at := s.at.Add(time.Duration(i) * apart)
		ring := identity.NewKeyring(s.dbs[i%2], identity.KeyConfig{Now: func() time.Time { return at }})
		together.Go(func() {
			var key account.SigningKey
			key, _, errs[i] = ring.Signing(s.Context(), s.env.ID)
			ids[i] = key.ID
		})
	}
	together.Wait()
	for i, id := range ids {
		if errs[i] != nil || id != ids[0] {
			s.Fatalf("caller %d signs with %q (%v), the first with %q", i, id, errs[i], ids[0])
		}
	}
	return ids[0]
}

func (s *servers) kept(wanted int) {
	s.Helper()
	ring, err := s.dbs[1].KeyRing(s.Context(), s.env.ID)
	if err != nil || len(ring.Keys) != wanted {
		s.Errorf("%d keys are kept (%v), want %d", len(ring.Keys), err, wanted)
	}
}

// revoke has the keys made before a time count no more.
func (s *servers) revoke(at time.Time) {
	s.Helper()
	before := s.env
	s.env.KeysRotatedAt, s.env.KeysRevokedAt = &at, &at
	err := s.dbs[0].Write(s.Context(), s.env.ID, func(tx directory.Tx) error {
		_, err := tx.Append(s.Context(), account.Entry{At: at, Kind: account.KeysRotated, Changes: []account.Change{{Before: account.Of(before), After: account.Of(s.env)}}})
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

// TestKeysOfReplicas: however many servers need a key at once, one is made and all sign with it.
func TestKeysOfReplicas(t *testing.T) {
	for name, dsn := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "directory.db") },
		"PostgreSQL": func(t *testing.T) string { return testpg.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServers(t, dsn(t))
			first := s.signs(time.Second)
			s.kept(1)
			s.at = s.at.Add(account.KeyAge + time.Minute)
			if s.signs(time.Second) != first {
				t.Error("the next key signs before it is known")
			}
			s.kept(2)
			s.at = s.at.Add(account.KeyLead + time.Minute)
			second := s.signs(time.Second)
			if second == first {
				t.Error("the next key does not sign")
			}
			s.revoke(s.at.Add(time.Minute))
			third := s.signs(-time.Second)
			if third == first || third == second {
				t.Error("a revoked key signs")
			}
			s.kept(1)
			for _, id := range []string{first, second} {
				for i, db := range s.dbs {
					if _, err := db.SigningKey(t.Context(), id); err == nil || fault.From(err).Code != "signing_key_not_found" {
						t.Errorf("revoked key %s at server %d: %v", id, i, err)
					}
				}
			}
		})
	}
}
