package sqlite

import (
	"bytes"
	"context"
	"fmt"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
	sqlite3 "zombiezen.com/go/sqlite"
)

// content is what a relationship says beyond who is related to what.
type content struct {
	expires *int64 // microseconds of Unix time; nil is never
	caveat  string // "" is none
	context []byte
}

func contentOf(r tuple.Relationship) (content, error) {
	var c content
	if r.OptionalExpiration != nil {
		at := r.OptionalExpiration.UnixMicro()
		c.expires = &at
	}
	if r.OptionalCaveat == nil || r.OptionalCaveat.GetCaveatName() == "" {
		return c, nil
	}
	c.caveat = r.OptionalCaveat.GetCaveatName()
	if given := r.OptionalCaveat.GetContext(); len(given.GetFields()) > 0 {
		var err error
		if c.context, err = stable(given); err != nil {
			return c, fmt.Errorf("the context of caveat %s: %w", c.caveat, err)
		}
	}
	return c, nil
}

func (c content) equal(other content) bool {
	same := c.expires == nil && other.expires == nil ||
		c.expires != nil && other.expires != nil && *c.expires == *other.expires
	return same && c.caveat == other.caveat && bytes.Equal(c.context, other.context)
}

// parameters are the content as a statement takes it.
func (c content) parameters() (expires, caveat, context any) {
	if c.expires != nil {
		expires = *c.expires
	}
	if c.caveat != "" {
		caveat = c.caveat
	}
	if c.context != nil {
		context = c.context
	}
	return expires, caveat, context
}

// held is a relationship that is in the live table.
type held struct {
	since   Revision
	content content
}

// WriteRelationships creates, touches and deletes relationships. Creating one that is there,
// be it expired, is a CreateRelationshipExistsError; to touch one that is there and the same,
// or to delete one that is not there, changes nothing.
func (tx *transaction) WriteRelationships(ctx context.Context, updates []tuple.RelationshipUpdate) error {
	return tx.do(ctx, func() error {
		for _, u := range updates {
			r := u.Relationship.RelationshipReference
			c, err := contentOf(u.Relationship)
			if err != nil {
				return err
			}
			switch u.Operation {
			case tuple.UpdateOperationCreate:
				err = tx.create(r, c)
			case tuple.UpdateOperationTouch:
				err = tx.touch(r, c)
			case tuple.UpdateOperationDelete:
				err = tx.delete(r)
			default:
				err = fmt.Errorf("there is no operation %d", u.Operation)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *transaction) create(r tuple.RelationshipReference, c content) error {
	k, err := tx.kind(r)
	if err != nil {
		return err
	}
	err = tx.insert(k, r, c)
	if sqlite3.ErrCode(err).ToPrimary() == sqlite3.ResultConstraint {
		return datastore.NewCreateRelationshipExistsError(&tuple.Relationship{RelationshipReference: r})
	}
	return err
}

func (tx *transaction) touch(r tuple.RelationshipReference, c content) error {
	k, err := tx.kind(r)
	if err != nil {
		return err
	}
	switch there, found, err := tx.held(k, r); {
	case err != nil:
		return err
	case !found:
		return tx.insert(k, r, c)
	case there.content.equal(c):
		return nil
	default:
		return tx.replace(k, r, there, c)
	}
}

// held looks a relationship up; false if it is not there.
func (tx *transaction) held(k *kind, r tuple.RelationshipReference) (h held, found bool, _ error) {
	err := tx.conn.query("SELECT since, expires_at, caveat, context FROM live WHERE kind = ? AND resource_id = ? AND subject_id = ?",
		func(s *sqlite3.Stmt) error {
			found = true
			h.since = Revision(s.ColumnInt64(0))
			if !s.ColumnIsNull(1) {
				at := s.ColumnInt64(1)
				h.content.expires = &at
			}
			h.content.caveat, h.content.context = s.ColumnText(2), blob(s, 3)
			return nil
		}, k.id, r.Resource.ObjectID, r.Subject.ObjectID)
	return h, found, err
}

func (tx *transaction) insert(k *kind, r tuple.RelationshipReference, c content) error {
	expires, caveat, context := c.parameters()
	err := tx.conn.exec("INSERT INTO live (kind, resource_id, subject_id, since, expires_at, caveat, context) VALUES (?, ?, ?, ?, ?, ?, ?)",
		k.id, r.Resource.ObjectID, r.Subject.ObjectID, tx.number, expires, caveat, context)
	if err != nil {
		return err
	}
	tx.relationships++
	return tx.note(touched, k, r, c)
}

// replace gives a relationship another content.
func (tx *transaction) replace(k *kind, r tuple.RelationshipReference, there held, c content) error {
	if err := tx.end(k, r, there); err != nil {
		return err
	}
	expires, caveat, context := c.parameters()
	err := tx.conn.exec("UPDATE live SET since = ?, expires_at = ?, caveat = ?, context = ? WHERE kind = ? AND resource_id = ? AND subject_id = ?",
		tx.number, expires, caveat, context, k.id, r.Resource.ObjectID, r.Subject.ObjectID)
	if err != nil {
		return err
	}
	return tx.note(touched, k, r, c)
}

// end keeps a relationship as it was for readers of older revisions, unless there are none that
// have seen it.
func (tx *transaction) end(k *kind, r tuple.RelationshipReference, there held) error {
	if there.since == tx.number {
		return nil
	}
	tx.ended = true
	expires, caveat, context := there.content.parameters()
	return tx.conn.exec("INSERT INTO past (kind, resource_id, until, subject_id, since, expires_at, caveat, context) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		k.id, r.Resource.ObjectID, tx.number, r.Subject.ObjectID, there.since, expires, caveat, context)
}

// note adds a change to the log.
func (tx *transaction) note(op operation, k *kind, r tuple.RelationshipReference, c content) error {
	tx.changed = true
	if c.expires != nil && *c.expires > tx.store.cfg.Now().UnixMicro() {
		tx.expires = sooner(tx.expires, *c.expires)
	}
	tx.log.add(op, k, r.Resource.ObjectID, r.Subject.ObjectID, c)
	return tx.log.spill(tx.conn, tx.number)
}
