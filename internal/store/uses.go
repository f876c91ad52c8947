package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// noteUses keeps when credentials of an environment were used last, by a statement
// that takes the time, the environment, the id and the time again.
func noteUses[ID ~string](ctx context.Context, db *DB, env account.EnvironmentID, uses map[ID]time.Time, statement string) error {
	return db.write(ctx, db.brief, func(s *session) error {
		for _, id := range slices.Sorted(maps.Keys(uses)) { // in one order, so that replicas do not wait for each other in circles
			at := micros(uses[id])
			if _, err := s.exec(ctx, statement, at, env, id, at); err != nil {
				return err
			}
		}
		return nil
	})
}

// lastUses returns what a query for ids and times selects.
func lastUses[ID ~string](ctx context.Context, s *session, query string, args ...any) (map[ID]time.Time, error) {
	type use struct {
		id ID
		at int64
	}
	found, err := list(ctx, s, func(r row) (u use, err error) {
		err = r.Scan(&u.id, &u.at)
		return u, err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	uses := make(map[ID]time.Time, len(found))
	for _, u := range found {
		uses[u.id] = timeOf(u.at)
	}
	return uses, nil
}
