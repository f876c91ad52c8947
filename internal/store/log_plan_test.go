package store

import (
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// TestL1_SQLiteLooksTheLogUp sees that a page of the log is found by what was asked
// for, and is led by the index that fits.
func TestL1_SQLiteLooksTheLogUp(t *testing.T) {
	db := openedFile(t)
	ada := account.Ref{Type: "user", ID: "ada"}
	for name, c := range map[string]struct {
		q  directory.LogQuery
		by string // the index that leads
	}{
		"all":             {directory.LogQuery{}, "j USING COVERING INDEX sqlite_autoindex_journal_1 (environment=? AND version>?"},
		"since":           {directory.LogQuery{Since: time.Now()}, "version>?"},
		"actor":           {directory.LogQuery{Actors: []string{"user:ada"}}, "journal_actor (environment=? AND actor=? AND version>?"},
		"kind":            {directory.LogQuery{Kinds: []account.Kind{account.MembershipSet}}, "journal_kind (environment=? AND kind=? AND version>?"},
		"kinds":           {directory.LogQuery{Kinds: []account.Kind{account.MembershipSet, account.MembershipRemoved}}, "journal_kind (environment=? AND kind=? AND version>?"},
		"subject":         {directory.LogQuery{Subject: ada}, "PRIMARY KEY (environment=? AND type=? AND id=? AND version>?"},
		"account":         {directory.LogQuery{Account: "globex"}, "PRIMARY KEY (environment=? AND type=? AND id=? AND version>?"},
		"account present": {directory.LogQuery{Account: "globex", Present: true, Subject: ada}, "PRIMARY KEY (environment=? AND type=? AND id=? AND version>?"},
		"branch":          {directory.LogQuery{Account: "globex", Branch: true}, "PRIMARY KEY (environment=? AND type=? AND id=? AND version>?"},
		"all conditions": {directory.LogQuery{
			Account: "globex", Branch: true, Present: true, Subject: ada, Kinds: []account.Kind{account.MembershipSet}, Actors: []string{"operator:*", "system"},
		}, "PRIMARY KEY (environment=? AND type=? AND id=? AND version>?"},
	} {
		for _, newest := range []bool{false, true} {
			c.q.Newest, c.q.Before, c.q.Limit = newest, forever, 50
			statement, args := logStatement("dev", c.q)
			plan := logPlan(t, db, statement, args...)
			for line := range strings.Lines(plan) {
				line = strings.TrimSpace(line)
				given := strings.HasPrefix(line, "SCAN named") || strings.HasPrefix(line, "SCAN s") || strings.HasPrefix(line, "SCAN p") || strings.HasPrefix(line, "SCAN k") || strings.HasPrefix(line, "SCAN all_kinds") ||
					strings.HasPrefix(line, "SCAN n") || strings.HasPrefix(line, "SCAN (subquery") || strings.HasPrefix(line, "SCAN CONSTANT")
				if strings.HasPrefix(line, "SCAN ") && !given || strings.HasSuffix(line, "(environment=?)") {
					t.Errorf("%s: %s\nreads too much: %s", name, plan, line)
				}
			}
			if !strings.Contains(plan, c.by) {
				t.Errorf("%s: is not led by %q:\n%s", name, c.by, plan)
			}
		}
	}
}

func logPlan(t *testing.T, db *DB, statement string, args ...any) string {
	t.Helper()
	steps, err := list(t.Context(), &session{dialect: db.dialect, run: db.writer}, func(r row) (detail string, err error) {
		var id, parent, unused int
		err = r.Scan(&id, &parent, &unused, &detail)
		return detail, err
	}, `EXPLAIN QUERY PLAN `+statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return strings.Join(steps, "\n")
}
