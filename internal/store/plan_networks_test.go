package store

import (
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/testpg"
)

// requestStatements are asked of each request, or each time that letters are claimed.
func requestStatements(d *dialect) map[string]statement {
	return map[string]statement{
		"the environment's list": {allowListOf, []any{"dev"}},
		"lists of accounts":      {allowListsOf, []any{"dev", `["a"]`, "dev", "dev", "dev"}},
		"a claim":                {claimLetters(d), []any{"dev", 1, 4, 1, 1}},
	}
}

// TestE3_SQLiteLooksListsUp sees that a request's lists are found by keys, and
// that an index tells whether there are any.
func TestE3_SQLiteLooksListsUp(t *testing.T) {
	db := openedFile(t)
	for name, of := range requestStatements(db.dialect) {
		plan := explain(t, db, "EXPLAIN QUERY PLAN ", of, func(r row) (detail string, err error) {
			var id, parent, unused int
			return detail, r.Scan(&id, &parent, &unused, &detail)
		})
		for _, step := range plan {
			scanned, scan := strings.CutPrefix(step, "SCAN ")
			own := strings.HasPrefix(scanned, "named VIRTUAL TABLE") || scanned == "u" || scanned == "due"
			whole := strings.HasSuffix(step, "(environment=?)") && !strings.Contains(step, "accounts_ip_allow_list")
			if scan && !own || whole {
				t.Errorf("%s reads too much: %s, in\n%s", name, step, strings.Join(plan, "\n"))
			}
		}
		if text := strings.Join(plan, "\n"); name == "a claim" && !strings.Contains(text, "mail_queue_turns") {
			t.Errorf("the letters of an environment are not found by their index:\n%s", text)
		}
	}
}

// TestE3_PostgresLooksListsUp sees that there is an index for every table that is read.
func TestE3_PostgresLooksListsUp(t *testing.T) {
	db := opened(t, testpg.Database(t))
	for name, of := range requestStatements(db.dialect) {
		if name == "a claim" { // which a transaction that reads cannot ask for
			continue
		}
		if text := strings.Join(explain(t, db, "EXPLAIN ", of, scanValue[string]), "\n"); strings.Contains(text, "Seq Scan") {
			t.Errorf("%s reads too much, in\n%s", name, text)
		}
	}
}
