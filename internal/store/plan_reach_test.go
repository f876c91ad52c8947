package store

import (
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/testpg"
)

type statement struct {
	sql  string
	args []any
}

// reachStatements are those that ask who comes by access to what.
func reachStatements() map[string]statement {
	const env, named, at = "dev", `["a"]`, 1
	return map[string]statement{
		"branch reach":   {branchReach, []any{env, named, env, at, env}},
		"reach of users": {reachOf, []any{env, named, at, env}},
		"branch roles":   {branchRoles, []any{env, env, named, env, env, at, env, at, env}},
		"openers": {
			openersWhere([]string{`@position(u.search, ?) > 0`}),
			[]any{"a", env, named, env, at, env, "x", true, env, at, "x", true, "", 10, env, env},
		},
	}
}

// TestS5_SQLiteLooksReachUp sees that who can open an account is found by keys:
// only the members of the accounts above are read, however many others there are.
func TestS5_SQLiteLooksReachUp(t *testing.T) {
	db := openedFile(t)
	for name, of := range reachStatements() {
		plan := explain(t, db, "EXPLAIN QUERY PLAN ", of, func(r row) (detail string, err error) {
			var id, parent, unused int
			return detail, r.Scan(&id, &parent, &unused, &detail)
		})
		for _, step := range plan {
			scanned, scan := strings.CutPrefix(step, "SCAN ")
			own := strings.HasPrefix(scanned, "named VIRTUAL TABLE") || slices.Contains([]string{"l", "n", "p", "p LEFT-JOIN", "openers"}, scanned)
			if scan && !own || strings.HasSuffix(step, "(environment=?)") {
				t.Errorf("%s reads too much: %s, in\n%s", name, step, strings.Join(plan, "\n"))
			}
		}
	}
}

// TestS5_PostgresLooksReachUp sees that there is an index for every table that is read.
func TestS5_PostgresLooksReachUp(t *testing.T) {
	db := opened(t, testpg.Database(t))
	for name, of := range reachStatements() {
		plan := explain(t, db, "EXPLAIN ", of, scanValue[string])
		text := strings.Join(plan, "\n")
		if strings.Contains(text, "Seq Scan") || !strings.Contains(text, "Index") {
			t.Errorf("%s reads too much, in\n%s", name, text)
		}
	}
}

// explain returns the plan of a statement, in a transaction in which PostgreSQL takes an index where there is one.
func explain(t *testing.T, db *DB, how string, of statement, scan func(row) (string, error)) []string {
	t.Helper()
	tx, err := db.reader.BeginTx(t.Context(), db.dialect.reading)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	s := &session{dialect: db.dialect, run: tx}
	if db.dialect.numbered {
		if _, err := s.exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := list(t.Context(), s, scan, how+of.sql, of.args...)
	if err != nil {
		t.Fatalf("%s: %v", of.sql, err)
	}
	return plan
}
