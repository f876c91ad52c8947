package sqlite

import (
	"strconv"
	"strings"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	sqlite3 "zombiezen.com/go/sqlite"
)

// table is where an arm reads: what is there now, or what was.
type table int

const (
	live table = iota
	past
)

// statement writes the SQL for an arm, and what its parameters are. Texts differ only in the
// shape of the question, so that a connection meets few of them and keeps them prepared.
type statement struct {
	text strings.Builder
	args []any
}

// of writes the statement that reads an arm at a revision. slot tells arms that run at the
// same time apart, so that each has a prepared statement of its own.
func (st *statement) of(p *plan, a *arm, from table, at Revision, now time.Time, slot int) {
	st.add("SELECT resource_id, subject_id")
	if !p.skipExpiration {
		st.add(", expires_at")
	}
	if !p.skipCaveats {
		st.add(", caveat, context")
	}
	if from == live {
		st.add(" FROM live WHERE kind = ?", a.kind.id)
	} else {
		st.add(" FROM past WHERE kind = ? AND until > ?", a.kind.id, at)
	}
	st.in("resource_id", a.resources)
	if a.prefix != "" {
		if !a.begun {
			st.add(" AND resource_id >= ?", a.prefix)
		}
		if end := after(a.prefix); end != "" {
			st.add(" AND resource_id < ?", end)
		}
	}
	st.in("subject_id", a.subjects)
	for _, b := range a.bounds {
		st.add(" AND ")
		if from == past && b.second {
			st.add("+") // not to be searched by: the one id of the first side, and until, lead to fewer rows
		}
		st.add(b.columns + " " + b.operator)
		if len(b.values) == 1 {
			st.add(" ?", b.values[0])
		} else {
			st.add(" (?, ?)", b.values[0], b.values[1])
		}
	}
	st.add(" AND since <= ?", at)
	st.conditions(p, now)
	switch p.order {
	case options.ByResource:
		st.add(" ORDER BY resource_id, subject_id")
	case options.BySubject:
		st.add(" ORDER BY subject_id, resource_id")
	default:
	}
	if p.limit >= 0 {
		st.add(" LIMIT ?", p.limit)
	}
	if slot > 0 {
		st.add(" /* " + strconv.Itoa(slot) + " */")
	}
}

// conditions are what no index helps with.
func (st *statement) conditions(p *plan, now time.Time) {
	if !p.skipExpiration {
		st.add(" AND (expires_at IS NULL OR expires_at > ?)", now.UnixMicro())
		switch p.expiration {
		case datastore.ExpirationFilterOptionHasExpiration:
			st.add(" AND expires_at IS NOT NULL")
		case datastore.ExpirationFilterOptionNoExpiration:
			st.add(" AND expires_at IS NULL")
		default:
		}
	}
	switch p.caveat.Option {
	case datastore.CaveatFilterOptionHasMatchingCaveat:
		st.add(" AND caveat = ?", p.caveat.CaveatName)
	case datastore.CaveatFilterOptionNoCaveat:
		st.add(" AND caveat IS NULL")
	default:
	}
}

func (st *statement) add(text string, args ...any) {
	st.text.WriteString(text)
	st.args = append(st.args, args...)
}

// in compares a column with ids. Their number is rounded up, by repeating the last, so that few
// numbers make different texts.
func (st *statement) in(column string, ids []string) {
	switch len(ids) {
	case 0:
		return
	case 1:
		st.add(" AND "+column+" = ?", ids[0])
		return
	}
	n := 2
	for n < len(ids) {
		n *= 2
	}
	st.text.WriteString(" AND " + column + " IN (?" + strings.Repeat(", ?", n-1) + ")")
	for i := range n {
		st.args = append(st.args, ids[min(i, len(ids)-1)])
	}
}

// after is the least string that is greater than all that begin with a prefix; "" if there is none.
func after(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}

// start prepares a statement and binds it.
func (st *statement) start(c *conn) (*sqlite3.Stmt, error) {
	s, err := c.prepare(st.text.String())
	if err != nil {
		return nil, err
	}
	bind(s, st.args...)
	return s, nil
}
