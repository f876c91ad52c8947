package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// forever is the end of a life that has not ended.
const forever = math.MaxInt64

// Log returns the entries that q selects, up to q.Limit, and whether there are
// more of them. An answer holds about q.MaxBytes (8 MB if 0) of JSON, or else one entry.
func (r *reader) Log(ctx context.Context, q directory.LogQuery) ([]account.Entry, bool, error) {
	if q.Before == 0 {
		q.Before = forever
	}
	possible, err := r.narrow(ctx, &q)
	if err != nil || !possible {
		return nil, false, err
	}
	statement, args := logStatement(r.env, q)
	type found struct {
		entry  account.Entry
		picked int
	}
	all, err := list(ctx, r.session, func(row row) (f found, err error) {
		var text []byte
		if err := row.Scan(&text, &f.picked); err != nil {
			return f, err
		}
		err = json.Unmarshal(text, &f.entry)
		return f, err
	}, statement, args...)
	if err != nil {
		return nil, false, err
	}
	entries := make([]account.Entry, len(all))
	for i, f := range all {
		entries[i] = f.entry
	}
	return entries, len(all) > 0 && all[0].picked > len(all), nil
}

// narrow turns what is asked of times and of lives into bounds of versions, so
// that what is outside is not gone through. It reports whether anything can be inside.
func (r *reader) narrow(ctx context.Context, q *directory.LogQuery) (bool, error) {
	bound := func(query string, args ...any) (account.Version, bool, error) {
		v, err := one(ctx, r.session, nil, scanValue[sql.NullInt64], query, args...)
		return account.Version(v.Int64), v.Valid, err
	}
	if !q.Since.IsZero() {
		first, any, err := bound(firstSince, r.env, microsUp(q.Since))
		if err != nil || !any {
			return false, err
		}
		q.After = max(q.After, first-1)
	}
	if !q.Until.IsZero() {
		last, any, err := bound(lastUntil, r.env, microsUp(q.Until))
		if err != nil || !any {
			return false, err
		}
		q.Before = min(q.Before, last+1)
	}
	if q.Account != "" && !q.Branch && q.Present {
		born, alive, err := bound(presentLife, r.env, q.Account)
		if err != nil || !alive {
			return false, err
		}
		q.After = max(q.After, born-1)
	}
	return q.After < q.Before, nil
}

const (
	firstSince  = `SELECT MIN(version) FROM journal WHERE environment = ? AND at >= ?`
	lastUntil   = `SELECT MAX(version) FROM journal WHERE environment = ? AND at < ?`
	presentLife = `SELECT born FROM journal_lives WHERE environment = ? AND account_id = ? AND ended IS NULL`
)

// microsUp is the first microsecond that is not before t: times are kept in microseconds.
func microsUp(t time.Time) int64 {
	at := micros(t)
	if timeOf(at).Before(t) {
		at++
	}
	return at
}

// logStatement returns the statement that reads what q selects. It goes through
// as little as the conditions allow: the entries that concern a thing, or those of
// an actor, of a kind, or all; in the order asked for, as far as an index has it.
func logStatement(env account.EnvironmentID, q directory.LogQuery) (string, []any) {
	s := selection{from: `journal j`}
	version := `j.version`
	anchor := account.Ref{Type: account.RefAccount, ID: string(q.Account)}
	rest := q.Subject
	if q.Account == "" {
		anchor, rest = q.Subject, account.Ref{}
	}
	distinct := ``
	var begin []any // the arguments of s.with
	switch {
	case q.Branch:
		s.with, begin = scopeOf(env, q)
		s.with += `, `
		distinct = `DISTINCT `
		s.from = `scope s CROSS JOIN journal_concerns c CROSS JOIN journal j`
		s.where(`c.environment = ? AND c.type = ? AND c.id = s.id AND c.version BETWEEN s.born AND s.ended`, env, account.RefAccount)
		s.where(`j.environment = ? AND j.version = c.version`, env)
		version = `c.version`
	case anchor.ID != "":
		s.with = `WITH `
		s.from = `journal_concerns c CROSS JOIN journal j`
		s.where(`c.environment = ? AND c.type = ? AND c.id = ?`, env, anchor.Type, anchor.ID)
		s.where(`j.environment = ? AND j.version = c.version`, env)
		version = `c.version`
	default:
		s.with = `WITH `
		s.where(`j.environment = ?`, env)
	}
	s.where(version+` > ? AND `+version+` < ?`, q.After, q.Before)
	if rest.ID != "" {
		s.where(`EXISTS (SELECT 1 FROM journal_concerns x WHERE x.environment = ? AND x.type = ? AND x.id = ? AND x.version = `+version+`)`,
			env, rest.Type, rest.ID)
	}
	s.actors(q.Actors)
	if !q.Since.IsZero() {
		s.where(`j.at >= ?`, microsUp(q.Since))
	}
	if !q.Until.IsZero() {
		s.where(`j.at < ?`, microsUp(q.Until))
	}
	direction := ` ASC`
	if q.Newest {
		direction = ` DESC`
	}
	limit := max(q.Limit, 1)
	picked, args := s.pick(distinct+version, direction, limit+1, q)
	// picked is one more than asked for, to know whether there are more; sized has
	// no entry in it, so that large ones are not read to be left out.
	statement := s.with + `picked AS (` + picked + `),
		sized AS (SELECT p.version, octet_length(e.entry) AS size FROM picked p CROSS JOIN journal e WHERE e.environment = ? AND e.version = p.version),
		numbered AS (SELECT version, SUM(size) OVER w - size AS preceding, ROW_NUMBER() OVER w AS number, COUNT(*) OVER () AS picked
			FROM sized WINDOW w AS (ORDER BY version` + direction + `))
		SELECT e.entry, n.picked FROM numbered n CROSS JOIN journal e
		WHERE n.preceding < ? AND n.number <= ? AND e.environment = ? AND e.version = n.version ORDER BY n.number`
	return statement, slices.Concat(begin, args, []any{env, cmp.Or(q.MaxBytes, pageBytes), limit, env})
}

// pick returns the statement for the first limit versions that the selection
// selects. Where kinds are what leads to them, each is asked for by itself, since an
// index has the versions of one kind in order, but not those of several.
func (s *selection) pick(version, direction string, limit int, q directory.LogQuery) (string, []any) {
	kinds := texts(q.Kinds)
	singly := len(kinds) > 1 && q.Account == "" && q.Subject.ID == "" && len(q.Actors) == 0
	if !singly {
		s.among(`j.kind`, kinds)
		kinds = nil
	}
	one := `SELECT ` + version + ` AS version FROM ` + s.from + ` WHERE ` + strings.Join(s.conditions, ` AND `)
	order := ` ORDER BY version` + direction + ` LIMIT ?`
	if !singly {
		return one + order, append(s.args, limit)
	}
	var parts []string
	var args []any
	for _, kind := range kinds {
		parts = append(parts, `SELECT version FROM (`+one+` AND j.kind = ?`+order+`) AS k`)
		args = append(append(args, s.args...), kind, limit)
	}
	return `SELECT version FROM (` + strings.Join(parts, ` UNION ALL `) + `) AS all_kinds` + order, append(args, limit)
}

// among keeps the rows whose column has one of the values; all if there are none.
func (s *selection) among(column string, values []string) {
	switch len(values) {
	case 0:
	case 1:
		s.where(column+` = ?`, values[0])
	default:
		text, _ := jsonOf(values) // strings, which JSON can hold
		s.where(column+` IN (SELECT value FROM @texts(?) AS named)`, text)
	}
}

// actors keeps the entries of the actors named; "operator:*" is every operator.
func (s *selection) actors(names []string) {
	if len(names) <= 1 && (len(names) == 0 || !strings.HasSuffix(names[0], "*")) {
		s.among(`j.actor`, names)
		return
	}
	var exact, choices []string
	var args []any
	for _, name := range names {
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			choices = append(choices, `(j.actor >= ? AND j.actor < ?)`)
			args = append(args, prefix, prefix+"\U0010FFFF")
			continue
		}
		exact = append(exact, name)
	}
	for _, name := range exact {
		choices = append(choices, `j.actor = ?`)
		args = append(args, name)
	}
	s.where(`(`+strings.Join(choices, ` OR `)+`)`, args...)
}

// scopeOf is the accounts that a log is about: each with the versions between which it
// belongs there. That is the account itself, in its present life or whenever; and,
// with q.Branch, those that live below it now, and those that ended their lives there.
func scopeOf(env account.EnvironmentID, q directory.LogQuery) (string, []any) {
	start := `SELECT account_id, CAST(0 AS BIGINT), CAST(? AS BIGINT) FROM journal_lives WHERE environment = ? AND account_id = ?`
	if q.Present {
		start = `SELECT account_id, born, CAST(? AS BIGINT) FROM journal_lives WHERE environment = ? AND account_id = ? AND ended IS NULL`
	}
	args := []any{int64(forever), env, q.Account}
	if !q.Branch {
		return `WITH scope (id, born, ended) AS (` + start + `)`, args
	}
	return `WITH RECURSIVE scope (id, born, ended) AS (` + start + `
		UNION
		SELECT l.account_id, l.born, COALESCE(l.ended, CAST(? AS BIGINT)) FROM scope s CROSS JOIN journal_lives l
		WHERE l.environment = ? AND l.parent = s.id AND COALESCE(l.ended, CAST(? AS BIGINT)) BETWEEN s.born AND s.ended)`,
		append(args, int64(forever), env, int64(forever))
}

// LogSpans returns for those of the accounts named that a log is about between
// which versions it is: see [directory.Reader].
func (r *reader) LogSpans(ctx context.Context, q directory.LogQuery, among []account.ID) ([]directory.LogSpan, error) {
	named, err := jsonOf(among)
	if err != nil {
		return nil, err
	}
	with, args := scopeOf(r.env, q)
	return list(ctx, r.session, func(row row) (s directory.LogSpan, err error) {
		err = row.Scan(&s.Account, &s.From, &s.To)
		return s, err
	}, with+` SELECT DISTINCT s.id, s.born, s.ended FROM scope s WHERE s.id IN (SELECT value FROM @texts(?) AS named)`, append(args, named)...)
}
