package store

import (
	"testing"
)

// TestSQLiteLooksUpWhatIsIssued sees that what is asked at each request, and by
// lists, finds API tokens and keys by their keys.
func TestSQLiteLooksUpWhatIsIssued(t *testing.T) {
	db := openedFile(t)
	looksUp(t, db, `SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.environment = ? AND t.id = ?`, "dev", "t")
	looksUp(t, db, `SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.environment = ? AND t.creator = ? ORDER BY t.id`, "dev", "user:u")
	looksUp(t, db, `UPDATE api_tokens SET last_used_at = ? WHERE environment = ? AND id = ?`, 1, "dev", "t")
	looksUp(t, db, `SELECT t.id FROM api_tokens t WHERE t.environment = ? AND t.id IN (SELECT value FROM @texts(?) AS named)`, "dev", "[]")
	looksUp(t, db, signingKeyByID, "k")
	looksUp(t, db, ringOf, "dev")
	looksUp(t, db, identitiesOf, "[]", "dev")
	looksUp(t, db, `SELECT `+identityColumns+` FROM identities i WHERE i.environment = ? AND i.issuer = ? AND i.subject = ?`, "dev", "i", "s")
	looksUp(t, db, `SELECT `+operatorColumns+` FROM operators o WHERE o.environment = ? AND o.issuer = ? AND o.subject = ?`, "dev", "i", "s")
	looksUp(t, db, subjectUnlinked, "dev", "i", "s")
	looksUp(t, db, userUnlinked, "dev", "u")
	looksUp(t, db, forgetUnlinked, "dev", "[]")
	for _, table := range []*table{apiTokensTable, apiTokenRolesTable, impersonationsTable} {
		statements := []string{table.insert, table.remove}
		if table.columns > table.key {
			statements = append(statements, table.update)
		}
		for _, statement := range statements {
			looksUp(t, db, statement, "dev", "[]")
		}
	}
}
