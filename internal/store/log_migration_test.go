package store

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/testpg"
)

// TestL1_MigrationFindsWhatEntriesConcern: a database made before the log could be
// looked up gets the same tables as one that noted each entry as it came.
func TestL1_MigrationFindsWhatEntriesConcern(t *testing.T) {
	for _, database := range []struct {
		name string
		dsn  func() string
	}{
		{"SQLite", func() string { return filepath.Join(t.TempDir(), "directory.db") }},
		{"PostgreSQL", func() string { return testpg.Database(t) }},
	} {
		t.Run(database.name, func(t *testing.T) {
			noted := opened(t, database.dsn())
			fillLog(t, noted)
			dsn := database.dsn()
			atVersion2(t, dsn, noted)
			migrated := opened(t, dsn)
			for _, table := range []string{
				`SELECT environment, type, id, version, 0, '' FROM journal_concerns ORDER BY environment, type, id, version`,
				`SELECT environment, account_id, '', born, COALESCE(ended, 0), parent FROM journal_lives ORDER BY environment, account_id, born`,
			} {
				want, got := rowsOf(t, noted, table), rowsOf(t, migrated, table)
				if diff := cmp.Diff(want, got); diff != "" || len(want) < 5 {
					t.Errorf("%d rows (-noted as they came +migrated):\n%s", len(want), diff)
				}
			}
		})
	}
}

func rowsOf(t *testing.T, db *DB, query string) []string {
	t.Helper()
	all, err := list(t.Context(), db.outside(), func(r row) (string, error) {
		var a, b, c, f string
		var d, e int64
		err := r.Scan(&a, &b, &c, &d, &e, &f)
		return fmt.Sprint(a, " ", b, " ", c, " ", d, " ", e, " ", f), err
	}, query)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// fillLog appends entries with every sort of entity, created, changed and removed, and accounts that die, return and move.
func fillLog(t *testing.T, db *DB) {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, env := range []account.EnvironmentID{"one", "two"} {
		settings := account.Environment{ID: env, Name: `"\u0000" 'quoted'`, CreatedAt: at}
		err := db.CreateEnvironment(t.Context(), account.Entry{At: at, Kind: account.EnvironmentCreated, Changes: []account.Change{{After: account.Of(settings)}}})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range logHistory(at) {
			err := db.Write(t.Context(), env, func(tx directory.Tx) error {
				_, err := tx.Append(t.Context(), e)
				return err
			})
			if err != nil {
				t.Fatalf("entry %d: %v", i, err)
			}
		}
	}
}

func logHistory(at time.Time) []account.Entry {
	tenant := func(id, parent account.ID) *account.Entity {
		return account.Of(account.Account{ID: id, Name: "a \\u0000 in a name", Parent: parent, CreatedAt: at, Plan: "gold"})
	}
	fresh := func(all ...*account.Entity) (changes []account.Change) {
		for _, e := range all {
			changes = append(changes, account.Change{After: e})
		}
		return changes
	}
	gone := func(all ...*account.Entity) (changes []account.Change) {
		for _, e := range all {
			changes = append(changes, account.Change{Before: e})
		}
		return changes
	}
	things := []*account.Entity{
		account.Of(account.Client{ID: "shop", Roles: []account.PortalRole{account.PortalAdmin}, CreatedAt: at}),
		account.Of(account.User{ID: "ada", Email: "ada@example.com", CreatedAt: at}),
		account.Of(account.Role{Key: "admin", Permissions: []account.PermissionKey{"p"}}),
		account.Of(account.Role{Key: "own", Account: "leaf", Permissions: []account.PermissionKey{}}),
		account.Of(account.Membership{Account: "leaf", User: "ada", Roles: []account.RoleKey{"admin", "own"}, CreatedAt: at}),
		account.Of(account.Assignment{Account: "leaf", Role: "admin"}),
		account.Of(account.Feature{Key: "sso"}),
		account.Of(account.FeatureSwitch{Account: "leaf", Feature: "sso", On: true}),
		account.Of(account.Invitation{ID: "inv", Account: "leaf", Email: "b@example.com", Roles: []account.RoleKey{"own"}, CreatedAt: at, ExpiresAt: at}),
		account.Of(account.APIToken{ID: "tok", Account: "leaf", Roles: []account.RoleKey{"admin"}, CreatedAt: at}),
		account.Of(account.Impersonation{ID: "imp", User: "ada", Operator: "shop", CreatedAt: at, ExpiresAt: at}),
	}
	plan, better := account.Plan{Key: "gold", Features: []account.FeatureKey{"sso"}}, account.Plan{Key: "gold", Name: "Gold"}
	operator := account.Actor{Client: "shop"}
	history := []account.Entry{
		{Changes: fresh(account.Of(account.Feature{Key: "old"}), account.Of(account.Plan{Key: "gold"}))},
		{Changes: fresh(tenant("top", ""), tenant("mid", "top"), tenant("other", ""))},
		{Changes: fresh(tenant("leaf", "mid")), Actor: operator},
		{Changes: fresh(things...), Actor: account.Actor{User: "ada", Client: "shop", Impersonation: "imp"}},
		{Changes: []account.Change{{Before: account.Of(account.Plan{Key: "gold"}), After: account.Of(plan)}}},
		{Changes: []account.Change{{Before: account.Of(plan), After: account.Of(better)}}, Actor: account.Actor{User: "ada", Invitation: "inv"}},
	}
	slices.Reverse(things)
	history = append(history,
		account.Entry{Changes: gone(things...), Actor: account.Actor{APIToken: "tok"}},
		account.Entry{Changes: gone(tenant("leaf", "mid"))},
		account.Entry{Changes: fresh(tenant("leaf", "other"))},
		account.Entry{Changes: []account.Change{{Before: tenant("leaf", "other"), After: tenant("leaf", "")}}},
		account.Entry{Changes: gone(tenant("leaf", ""))},
		account.Entry{Changes: fresh(tenant("leaf", "top"))},
		account.Entry{Changes: []account.Change{{Before: tenant("mid", "top"), After: tenant("mid", "other")}}},
		account.Entry{},
	)
	for i := range history {
		history[i].At, history[i].Kind = at, account.Imported
	}
	return history
}

// atVersion2 makes a database as it was before the log could be looked up, with the journal and the accounts of another.
func atVersion2(t *testing.T, dsn string, from *DB) {
	t.Helper()
	open, kind, folder := openSQLite, goose.DialectSQLite3, "migrations/sqlite"
	if isPostgres(dsn) {
		open, kind, folder = openPostgres, goose.DialectPostgres, "migrations/postgres"
	}
	db, err := open(dsn, Config{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	closing(t, db)
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(kind, db.writer, files, goose.WithDisableGlobalRegistry(true), goose.WithTableName("tenantry_migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	copyRows(t, from, db, "environments", "id", "name", "sub_accounts_enabled", "default_access_mode", "max_depth", "created_at", "version", "head")
	copyRows(t, from, db, "accounts", "environment", "id", "parent", "name", "search", "sub_account_management", "access_mode", "plan", "created_at", "version")
	copyRows(t, from, db, "journal", "environment", "version", "at", "actor", "kind", "entry")
}

func copyRows(t *testing.T, from, to *DB, table string, columns ...string) {
	t.Helper()
	names, marks := columns[0], "?"
	for _, c := range columns[1:] {
		names, marks = names+", "+c, marks+", ?"
	}
	rows, err := list(t.Context(), from.outside(), func(r row) ([]any, error) {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		err := r.Scan(into...)
		return values, err
	}, `SELECT `+names+` FROM `+table)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %d rows, %v", table, len(rows), err)
	}
	err = to.write(t.Context(), to.writer, func(s *session) error {
		for _, row := range rows {
			if _, err := s.exec(context.Background(), `INSERT INTO `+table+` (`+names+`) VALUES (`+marks+`)`, row...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
