package sqlite

import (
	"errors"
	"fmt"
	"time"

	"github.com/authzed/spicedb/pkg/datastore/options"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	sqlite3 "zombiezen.com/go/sqlite"
)

// rows are those of a plan, under way on a connection.
type rows struct {
	plan   *plan
	at     Revision
	now    time.Time
	arms   []source // those still to be read; in a sorted plan all of them have begun
	conn   *conn
	left   int64 // how many may still come; -1 is no limit
	merged bool  // the sources are read together, for the sake of the order
	inside bool  // a read transaction is ours to end
}

// source is an arm in one of the tables.
type source struct {
	arm     *arm
	from    table
	slot    int
	stmt    *sqlite3.Stmt
	current tuple.Relationship // of sources that are merged: the next to give
}

// begin starts reading a plan at a revision, from the live table and, if history is asked for,
// also from the past. Several statements are kept on one state of the file by a transaction,
// unless the connection is in one already.
func begin(c *conn, p *plan, at Revision, now time.Time, history, inside bool) (*rows, error) {
	r := &rows{plan: p, at: at, now: now, conn: c, left: p.limit}
	tables := []table{live}
	if history {
		tables = append(tables, past)
	}
	for i := range p.arms {
		for _, from := range tables {
			r.arms = append(r.arms, source{arm: &p.arms[i], from: from, slot: len(r.arms)})
		}
	}
	r.merged = p.order != options.Unsorted && len(r.arms) > 1
	if !r.merged {
		for i := range r.arms {
			r.arms[i].slot = 0
		}
	}
	if len(r.arms) > 1 && !inside {
		if err := c.exec("BEGIN"); err != nil {
			return nil, err
		}
		r.inside = true
	}
	return r, r.prime()
}

// prime takes the first row of every source that is merged, so that they can be compared.
func (r *rows) prime() error {
	if !r.merged {
		return nil
	}
	ready := r.arms[:0]
	for _, s := range r.arms {
		more, err := r.advance(&s)
		if err != nil {
			return errors.Join(err, r.end())
		}
		if more {
			ready = append(ready, s)
		}
	}
	r.arms = ready
	return nil
}

// advance takes the next row of a source into its current one.
func (r *rows) advance(s *source) (bool, error) {
	more, err := r.step(s)
	if err != nil || !more {
		return false, err
	}
	s.current, err = r.read(s)
	return err == nil, err
}

// step moves a source's statement, which it starts if need be and resets at its end.
func (r *rows) step(s *source) (bool, error) {
	if s.stmt == nil {
		var st statement
		st.of(r.plan, s.arm, s.from, r.at, r.now, s.slot)
		var err error
		if s.stmt, err = st.start(r.conn); err != nil {
			return false, err
		}
	}
	more, err := s.stmt.Step()
	if err != nil || !more {
		_ = s.stmt.Reset() // repeats the error
		return false, meaning(err)
	}
	return true, nil
}

// next gives the next row; false at the end, when nothing is held any more except a transaction.
func (r *rows) next() (tuple.Relationship, bool, error) {
	if r.left == 0 {
		return tuple.Relationship{}, false, nil
	}
	rel, more, err := r.take()
	if more && r.left > 0 {
		r.left--
	}
	return rel, more, err
}

func (r *rows) take() (tuple.Relationship, bool, error) {
	if r.merged {
		return r.least()
	}
	for len(r.arms) > 0 {
		s := &r.arms[0]
		more, err := r.step(s)
		if err != nil {
			return tuple.Relationship{}, false, err
		}
		if more {
			rel, err := r.read(s)
			return rel, err == nil, err
		}
		r.arms = r.arms[1:]
	}
	return tuple.Relationship{}, false, nil
}

// least gives the first of the sources' rows in the plan's order.
func (r *rows) least() (tuple.Relationship, bool, error) {
	if len(r.arms) == 0 {
		return tuple.Relationship{}, false, nil
	}
	first := 0
	for i := 1; i < len(r.arms); i++ {
		if before(r.plan.order, &r.arms[i].current, &r.arms[first].current) < 0 {
			first = i
		}
	}
	rel := r.arms[first].current
	more, err := r.advance(&r.arms[first])
	if err != nil {
		return tuple.Relationship{}, false, err
	}
	if !more {
		r.arms = append(r.arms[:first], r.arms[first+1:]...)
	}
	return rel, true, nil
}

// end stops reading. It may be called at any time, and again.
func (r *rows) end() error {
	for _, s := range r.arms {
		if s.stmt != nil {
			_ = s.stmt.Reset() // repeats an error that was reported
		}
	}
	r.arms = nil
	if !r.inside {
		return nil
	}
	r.inside = false
	return r.conn.exec("COMMIT")
}

// read makes a relationship of a source's row.
func (r *rows) read(s *source) (tuple.Relationship, error) {
	k := s.arm.kind
	rel := tuple.Relationship{RelationshipReference: tuple.RelationshipReference{
		Resource: tuple.ObjectAndRelation{ObjectType: k.resourceType, ObjectID: s.stmt.ColumnText(0), Relation: k.relation},
		Subject:  tuple.ObjectAndRelation{ObjectType: k.subjectType, ObjectID: s.stmt.ColumnText(1), Relation: k.subjectRelation},
	}}
	column := 2
	if !r.plan.skipExpiration {
		rel.OptionalExpiration = expiry(s.stmt, column)
		column++
	}
	if !r.plan.skipCaveats {
		var err error
		if rel.OptionalCaveat, err = caveat(s.stmt, column); err != nil {
			return tuple.Relationship{}, fmt.Errorf("the caveat of %s: %w", tuple.StringWithoutCaveatOrExpiration(rel), err)
		}
	}
	return rel, nil
}

func expiry(s *sqlite3.Stmt, column int) *time.Time {
	if s.ColumnIsNull(column) {
		return nil
	}
	at := time.UnixMicro(s.ColumnInt64(column)).UTC()
	return &at
}

func caveat(s *sqlite3.Stmt, column int) (*core.ContextualizedCaveat, error) {
	if s.ColumnIsNull(column) {
		return nil, nil //nolint:nilnil // there is none
	}
	c := &core.ContextualizedCaveat{CaveatName: s.ColumnText(column)}
	content, err := contextOf(blob(s, column+1))
	c.Context = content
	return c, err
}

// contextOf reads a caveat's context; no bytes are an empty one.
func contextOf(b []byte) (*structpb.Struct, error) {
	content := &structpb.Struct{}
	return content, proto.Unmarshal(b, content)
}
