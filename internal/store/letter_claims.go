package store

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// DueLetters claims up to n letters that are due: nobody else gets them until the
// lease ends. A claim counts as an attempt. Environments take turns, so that the
// many letters of one do not delay those of others; within one, those come first
// that have waited longest.
func (db *DB) DueLetters(ctx context.Context, n int, lease time.Duration) ([]directory.LetterJob, error) {
	// who looks and finds nothing does not make writers wait
	envs, err := list(ctx, db.outside(), scanValue[account.EnvironmentID], environmentsDue, db.now().UnixMicro())
	if err != nil || len(envs) == 0 {
		return nil, err
	}
	envs = db.turns.order(envs)
	var jobs []directory.LetterJob
	err = db.write(ctx, db.brief, func(s *session) (err error) {
		jobs, err = db.claimInTurn(ctx, s, slices.Clone(envs), max(n, 0), lease)
		return err
	})
	if err == nil && len(jobs) > 0 {
		db.turns.served(jobs[len(jobs)-1].Environment)
	}
	return jobs, err
}

// claimInTurn gives each environment its share of n, and what one has no use for to those after it.
func (db *DB) claimInTurn(ctx context.Context, s *session, envs []account.EnvironmentID, n int, lease time.Duration) ([]directory.LetterJob, error) {
	var jobs []directory.LetterJob
	for len(envs) > 0 && len(jobs) < n {
		share := max(1, (n-len(jobs))/len(envs))
		more := envs[:0]
		for _, env := range envs {
			if len(jobs) == n {
				break
			}
			now := db.now()
			got, err := list(ctx, s, scanJob, claimLetters(s.dialect),
				env, now.UnixMicro(), share, now.Add(lease).UnixMicro(), now.UnixMicro())
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, got...)
			if len(got) == share { // there may be more of them
				more = append(more, env)
			}
		}
		envs = more
	}
	return jobs, nil
}

func scanJob(r row) (j directory.LetterJob, err error) {
	err = r.Scan(&j.Environment, &j.ID, &j.Attempt)
	return j, err
}

const environmentsDue = `SELECT e.id FROM environments e
	WHERE EXISTS (SELECT 1 FROM mail_queue m WHERE m.environment = e.id AND m.state = 'queued' AND m.due_at <= ?)`

// claimLetters takes rows that no other transaction is about to take. Materialized,
// so that PostgreSQL chooses and locks them once.
func claimLetters(d *dialect) string {
	return `WITH due AS MATERIALIZED (
			SELECT environment, invitation FROM mail_queue WHERE environment = ? AND state = 'queued' AND due_at <= ?
			ORDER BY due_at LIMIT ?` + d.skipLocked + `)
		UPDATE mail_queue SET attempts = attempts + 1, due_at = ?, changed_at = ? FROM due
		WHERE mail_queue.environment = due.environment AND mail_queue.invitation = due.invitation
		RETURNING mail_queue.environment, mail_queue.id, mail_queue.attempts`
}

// turns remembers which environment's letters this process claimed last. The zero value is ready.
type turns struct {
	mu   sync.Mutex
	last account.EnvironmentID
}

func (t *turns) served(env account.EnvironmentID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = env
}

// order puts environments in the order of their turns: by id, those after the one that was served last before all others.
func (t *turns) order(envs []account.EnvironmentID) []account.EnvironmentID {
	t.mu.Lock()
	last := t.last
	t.mu.Unlock()
	slices.SortFunc(envs, func(a, b account.EnvironmentID) int {
		if (a > last) != (b > last) {
			if a > last {
				return -1
			}
			return 1
		}
		return strings.Compare(string(a), string(b))
	})
	return envs
}
