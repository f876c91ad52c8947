package sqlite

import (
	"encoding/binary"
	"fmt"
	"time"

	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"
)

// operation is what a transaction did to a relationship.
type operation byte

const (
	touched operation = 1 // created, or changed
	deleted operation = 2
	undone  operation = 3 // deleted, after it was created in the same transaction
)

// partSize is about how many bytes of changes lie in one row.
const partSize = 64 << 10

// change is one operation of a transaction, as a watch reads it.
type change struct {
	operation operation
	rel       tuple.Relationship
}

// changeLog collects the changes of a transaction, in the order in which they were made, for
// watches. Each is: the operation (a byte), the kind, the ids of the resource and the subject
// and, if it was touched, the expiry (0, or 1 and microseconds), the caveat's name and its
// context. Numbers are varints; texts follow their length.
type changeLog struct {
	buffer []byte
	parts  int64
}

func (l *changeLog) add(op operation, k *kind, resource, subject string, content content) {
	b := l.buffer
	b = append(b, byte(op))
	b = binary.AppendUvarint(b, uint64(k.id)) //nolint:gosec // numbers of kinds are positive
	b = text(b, resource)
	b = text(b, subject)
	if op == touched {
		if content.expires == nil {
			b = append(b, 0)
		} else {
			b = binary.AppendVarint(append(b, 1), *content.expires)
		}
		b = text(b, content.caveat)
		b = text(b, string(content.context))
	}
	l.buffer = b
}

func text(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// spill writes what has been collected if it is enough for a row.
func (l *changeLog) spill(c *conn, tx Revision) error {
	if len(l.buffer) < partSize {
		return nil
	}
	return l.flush(c, tx)
}

// flush writes what has been collected.
func (l *changeLog) flush(c *conn, tx Revision) error {
	if len(l.buffer) == 0 {
		return nil
	}
	l.parts++
	err := c.exec("INSERT INTO change (tx, part, updates) VALUES (?, ?, ?)", tx, l.parts, l.buffer)
	l.buffer = l.buffer[:0]
	return err
}

// decodeChanges reads a row of changes; ErrCorrupt if it makes no sense.
func decodeChanges(b []byte, k *kinds, each func(change) error) error {
	r := logReader{rest: b}
	for len(r.rest) > 0 {
		c, err := r.change(k)
		if err != nil {
			return err
		}
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}

// logReader reads changes from bytes. After the first mistake it reads zeros.
type logReader struct {
	rest []byte
	bad  bool
}

func (r *logReader) change(k *kinds) (change, error) {
	op := operation(r.byte())
	of := k.numbers[int64(r.uvarint())] //nolint:gosec // what is too large is not found
	resource, subject := r.text(), r.text()
	if r.bad || of == nil || op < touched || op > undone {
		return change{}, fmt.Errorf("reading the changes of a transaction: %w", ErrCorrupt)
	}
	c := change{operation: op, rel: tuple.Relationship{RelationshipReference: tuple.RelationshipReference{
		Resource: tuple.ObjectAndRelation{ObjectType: of.resourceType, ObjectID: resource, Relation: of.relation},
		Subject:  tuple.ObjectAndRelation{ObjectType: of.subjectType, ObjectID: subject, Relation: of.subjectRelation},
	}}}
	if op != touched {
		return c, nil
	}
	if r.byte() != 0 {
		at := time.UnixMicro(r.varint()).UTC()
		c.rel.OptionalExpiration = &at
	}
	if name, content := r.text(), r.text(); name != "" {
		given, err := contextOf([]byte(content))
		if err != nil {
			return change{}, fmt.Errorf("reading a caveat's context: %w: %w", ErrCorrupt, err)
		}
		c.rel.OptionalCaveat = &core.ContextualizedCaveat{CaveatName: name, Context: given}
	}
	if r.bad {
		return change{}, fmt.Errorf("reading the changes of a transaction: %w", ErrCorrupt)
	}
	return c, nil
}

func (r *logReader) byte() byte {
	if len(r.rest) == 0 {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *logReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if !r.skip(n) {
		return 0
	}
	return v
}

func (r *logReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if !r.skip(n) {
		return 0
	}
	return v
}

// skip passes over a number of n bytes; false if there is none.
func (r *logReader) skip(n int) bool {
	if n <= 0 {
		r.bad, r.rest = true, nil
		return false
	}
	r.rest = r.rest[n:]
	return true
}

func (r *logReader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
