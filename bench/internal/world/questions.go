package world

import (
	"math/rand/v2"

	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/internal/relation"
)

// Questions hands out checks, none of them twice.
type Questions struct {
	world *World
	dice  *rand.Rand
	asked map[wire.Question]bool
	turn  int
}

// Questions starts a sequence of questions; equal seeds give equal sequences.
func (w *World) Questions(seed uint64) *Questions {
	return &Questions{world: w, dice: rand.New(rand.NewPCG(w.Size.Seed, seed)), asked: map[wire.Question]bool{}} //nolint:gosec // the same questions each time are wanted
}

// Next returns n new questions with the answers of the model. Accounts come from all levels of the
// tree alike. Half of the users are drawn at random, and so almost always denied; the other half are
// members of the account or, with sub-account access, of one above it, and asked about what their
// roles give them, and so allowed unless they are blocked.
func (q *Questions) Next(n int) []wire.Question {
	out := make([]wire.Question, 0, n)
	for tries := 0; len(out) < n && tries < 100*n; tries++ {
		next := q.draw()
		if key := (wire.Question{User: next.User, Account: next.Account, Permission: next.Permission}); !q.asked[key] {
			q.asked[key] = true
			out = append(out, next)
		}
	}
	return out
}

func (q *Questions) draw() wire.Question {
	w := q.world
	level := w.levels[q.turn%len(w.levels)]
	at := level[q.dice.IntN(len(level))]
	user, permission := q.dice.IntN(len(w.users)), w.names[q.dice.IntN(len(w.names))]
	if q.turn/len(w.levels)%2 == 0 {
		user, permission = q.holder(at, user, permission)
	}
	q.turn++
	return wire.Question{
		User:       relation.UserObject(Environment, w.users[user].id).ID,
		Account:    relation.AccountObject(Environment, w.accounts[at].id).ID,
		Permission: permission,
		Allowed:    w.allowed(user, at, permission),
	}
}

// holder returns one of those who may open an account, and something that they may do there.
// If there is nobody but root, it returns what it was given.
func (q *Questions) holder(at, user int, permission string) (int, string) {
	w := q.world
	var found []membership
	for i := at; i >= 0; i = w.accounts[i].parent {
		for _, m := range w.accounts[i].members {
			if (i == at || m.branch) && m.user != 0 {
				found = append(found, m)
			}
		}
	}
	if len(found) == 0 {
		return user, permission
	}
	m := found[q.dice.IntN(len(found))]
	rights := append([]string{"access"}, w.rights[m.roles[0]]...)
	return m.user, rights[q.dice.IntN(len(rights))]
}
