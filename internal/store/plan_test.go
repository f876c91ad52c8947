package store

import (
	"strings"
	"testing"
)

// TestSQLiteLooksRowsUp sees that what changes state rows, and what goes down the
// tree, finds rows by their keys: no step reads a table from end to end, or all of an environment's rows.
func TestSQLiteLooksRowsUp(t *testing.T) {
	db := openedFile(t)
	looksUp(t, db, childrenOf, "[]", "dev")
	looksUp(t, db, switchesAt, "[]", "dev", "[]")
	looksUp(t, db, deliveriesOf, "[]", "dev")
	for _, table := range []*table{
		clientsTable, accountsTable, usersTable, rolesTable, rolePermissionsTable, membershipsTable, membershipRolesTable, assignmentsTable,
		featuresTable, plansTable, planFeaturesTable, featureSwitchesTable, invitationsTable,
	} {
		statements := []string{table.insert, table.remove}
		if table.columns > table.key {
			statements = append(statements, table.update)
		}
		for _, statement := range statements {
			looksUp(t, db, statement, "dev", "[]")
		}
	}
}

// looksUp checks the plan of one statement.
func looksUp(t *testing.T, db *DB, statement string, args ...any) {
	t.Helper()
	type step struct {
		id, parent, unused int
		detail             string
	}
	s := &session{dialect: db.dialect, run: db.writer}
	plan, err := list(t.Context(), s, func(r row) (p step, err error) {
		err = r.Scan(&p.id, &p.parent, &p.unused, &p.detail)
		return p, err
	}, `EXPLAIN QUERY PLAN `+statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	for _, p := range plan {
		parameter := strings.HasPrefix(p.detail, "SCAN v") || strings.HasPrefix(p.detail, "SCAN named VIRTUAL TABLE")
		scan := strings.HasPrefix(p.detail, "SCAN ") && !parameter
		if scan || strings.HasSuffix(p.detail, "(environment=?)") {
			t.Errorf("%s\nreads too much: %s", statement, p.detail)
		}
	}
}
