package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/internal/testpg"
)

// databases runs a benchmark on each kind of database, with an environment in it.
func databases(b *testing.B, run func(*testing.B, *store.DB)) {
	b.Helper()
	for _, name := range []string{"SQLite", "Postgres"} {
		b.Run(name, func(b *testing.B) {
			dsn := filepath.Join(b.TempDir(), "directory.db")
			if name == "Postgres" {
				dsn = testpg.Database(b)
			}
			db := open(b, dsn, store.Config{})
			if err := db.CreateEnvironment(b.Context(), first("dev")); err != nil {
				b.Fatal(err)
			}
			run(b, db)
		})
	}
}

// accounts returns the creation of accounts from..to-1 of a tree in which every account has ten children.
func accounts(from, to int) account.Entry {
	e := account.Entry{At: time.Now(), Actor: account.Actor{System: true}, Kind: account.Imported}
	for i := from; i < to; i++ {
		a := account.Account{ID: accountID(i), Name: fmt.Sprintf("Account %d", i), AccessMode: account.DefaultOff, CreatedAt: e.At}
		if i > 0 {
			a.Parent = accountID((i - 1) / 10)
		}
		e.Changes = append(e.Changes, account.Change{After: account.Of(a)})
	}
	return e
}

func accountID(i int) account.ID { return account.ID(fmt.Sprintf("acc_%08d", i)) }

func add(b *testing.B, db *store.DB, e account.Entry) {
	b.Helper()
	err := db.Write(b.Context(), "dev", func(tx directory.Tx) error {
		_, err := tx.Append(b.Context(), e)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d", size), func(b *testing.B) {
			databases(b, func(b *testing.B, db *store.DB) {
				b.Helper()
				for n := 0; b.Loop(); n += size {
					add(b, db, accounts(n, n+size))
				}
			})
		})
	}
}

func BenchmarkWithAncestors10000(b *testing.B) {
	databases(b, func(b *testing.B, db *store.DB) {
		b.Helper()
		const n = 10_000
		add(b, db, accounts(0, n))
		ids := make([]account.ID, n)
		for i := range ids {
			ids[i] = accountID(i)
		}
		for b.Loop() {
			err := db.Read(b.Context(), "dev", func(r directory.Reader) error {
				found, err := r.WithAncestors(b.Context(), ids)
				if err == nil && len(found) != n {
					err = fmt.Errorf("found %d accounts", len(found))
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkReadAccount(b *testing.B) {
	databases(b, func(b *testing.B, db *store.DB) {
		b.Helper()
		const n = 10_000
		add(b, db, accounts(0, n))
		for i := 0; b.Loop(); i++ {
			err := db.Read(b.Context(), "dev", func(r directory.Reader) error {
				_, err := r.Account(b.Context(), accountID(i%n))
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCredential is what it costs to read who may be calling.
func BenchmarkCredential(b *testing.B) {
	databases(b, func(b *testing.B, db *store.DB) {
		add(b, db, account.Entry{At: time.Now(), Actor: account.Actor{System: true}, Kind: account.ClientCreated, Changes: []account.Change{
			{After: account.Of(account.Client{ID: "shop", Name: "Shop", Roles: []account.PortalRole{account.PortalAdmin}})},
			{After: account.Of(account.ClientSecret{ID: "sec_1", Client: "shop"})},
		}})
		for b.Loop() {
			if _, err := db.Credential(b.Context(), "dev", "shop"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
