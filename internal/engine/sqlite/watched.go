package sqlite

import (
	"context"

	"github.com/authzed/spicedb/pkg/datastore"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	sqlite3 "zombiezen.com/go/sqlite"
)

// changes hands over the changes of a transaction, row by row.
func (w *watch) changes(ctx context.Context, tx Revision, row func([]change) error) error {
	for part := int64(1); ; part++ {
		var raw []byte
		err := w.read(ctx, func(c *conn) error {
			return c.query("SELECT updates FROM change WHERE tx = ? AND part = ?", func(s *sqlite3.Stmt) error {
				raw = blob(s, 0)
				return nil
			}, tx, part)
		})
		if err != nil || raw == nil {
			return err
		}
		var all []change
		err = decodeChanges(raw, w.store.kinds.Load(), func(c change) error {
			all = append(all, c)
			return nil
		})
		if err != nil {
			return err
		}
		if err := row(all); err != nil {
			return err
		}
	}
}

// parts sends the changes of a transaction as they lie in the log.
func (w *watch) parts(ctx context.Context, tx Revision) error {
	return w.changes(ctx, tx, func(some []change) error {
		message := datastore.RevisionChanges{Revision: tx}
		for _, c := range some {
			message.RelationshipChanges = append(message.RelationshipChanges, c.update())
		}
		return w.send(ctx, message)
	})
}

// net gives what a transaction did in the end: for each relationship the last operation.
func (w *watch) net(ctx context.Context, tx Revision) ([]tuple.RelationshipUpdate, error) {
	last := make(map[tuple.RelationshipReference]int)
	var all []change
	var bytes uint64
	err := w.changes(ctx, tx, func(some []change) error {
		for _, c := range some {
			if i, again := last[c.rel.RelationshipReference]; again {
				all[i] = c
				continue
			}
			last[c.rel.RelationshipReference] = len(all)
			all = append(all, c)
			bytes += uint64(max(0, c.rel.SizeVT()))
			if w.maxBytes > 0 && bytes > w.maxBytes {
				return datastore.NewMaximumChangesSizeExceededError(w.maxBytes)
			}
		}
		return nil
	})
	updates := make([]tuple.RelationshipUpdate, 0, len(all))
	for _, c := range all {
		if c.operation != undone {
			updates = append(updates, c.update())
		}
	}
	return updates, err
}

// definitionsChanged adds to a message what its transaction did to object definitions and caveats.
func definitionsChanged(c *conn, to *datastore.RevisionChanges) error {
	tx := to.Revision
	err := c.query("SELECT category, name, content FROM document WHERE since = ? ORDER BY category, name", func(s *sqlite3.Stmt) error {
		d := document{name: s.ColumnText(1), content: blob(s, 2)}
		switch category(s.ColumnText(0)) {
		case namespaces:
			m, err := decode[core.NamespaceDefinition](d)
			to.ChangedDefinitions = append(to.ChangedDefinitions, m)
			return err
		case caveats:
			m, err := decode[core.CaveatDefinition](d)
			to.ChangedDefinitions = append(to.ChangedDefinitions, m)
			return err
		default:
			return nil
		}
	}, tx)
	if err != nil {
		return err
	}
	return c.query(`SELECT category, name FROM document AS old WHERE until = ? AND NOT EXISTS (
			SELECT 1 FROM document AS new WHERE new.category = old.category AND new.name = old.name AND new.since = old.until)
		ORDER BY category, name`, func(s *sqlite3.Stmt) error {
		switch name := s.ColumnText(1); category(s.ColumnText(0)) {
		case namespaces:
			to.DeletedNamespaces = append(to.DeletedNamespaces, name)
		case caveats:
			to.DeletedCaveats = append(to.DeletedCaveats, name)
		default:
		}
		return nil
	}, tx)
}
