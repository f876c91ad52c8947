package indexed

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tenantry/tenantry/bench/internal/tree"
	"github.com/tenantry/tenantry/internal/account"
)

// journal is what the index is fed from: the world as a snapshot at version 1, and the changes since then.
type journal struct {
	world *tree.World

	mu      sync.Mutex
	entries []account.Entry
	members map[[2]int32]account.Membership // as changed
}

func newJournal(w *tree.World) *journal {
	first := account.Entry{Environment: tree.Environment, Version: 1, ID: "ent_1", Kind: account.Imported}
	return &journal{world: w, entries: []account.Entry{first}, members: map[[2]int32]account.Membership{}}
}

// Heads returns the newest version.
func (j *journal) Heads(context.Context) (map[account.EnvironmentID]account.Version, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return map[account.EnvironmentID]account.Version{tree.Environment: j.head()}, nil
}

func (j *journal) head() account.Version { return account.Version(len(j.entries)) }

// Reaching tells of the world without any change: changes come as entries.
func (j *journal) Reaching(
	_ context.Context, _ account.EnvironmentID, fn func(account.Entity) error, more func(account.Membership) error,
) (account.Version, error) {
	return 1, j.world.Entities(func(e account.Entity) error {
		m := e.Membership
		if m == nil {
			return fn(e)
		}
		if err := fn(*account.Of(account.Membership{Account: m.Account, User: m.User, Roles: m.Roles})); err != nil || m.BranchAccess == "" {
			return err
		}
		return more(account.Membership{Account: m.Account, User: m.User, BranchAccess: m.BranchAccess})
	})
}

// Entries returns changes.
func (j *journal) Entries(_ context.Context, _ account.EnvironmentID, after account.Version, limit int) ([]account.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	rest := j.entries[min(int(after), len(j.entries)):]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

// change records that a membership became another, or ended, and returns the version.
func (j *journal) change(m tree.Membership, there bool) account.Version {
	j.mu.Lock()
	defer j.mu.Unlock()
	var c account.Change
	key := [2]int32{m.User, m.Account}
	if before, known := j.member(m); known {
		c.Before = account.Of(before)
	}
	if there {
		c.After = account.Of(m.Domain())
		j.members[key] = m.Domain()
	} else {
		j.members[key] = account.Membership{}
	}
	version := j.head() + 1
	j.entries = append(j.entries, account.Entry{
		Environment: tree.Environment, Version: version, ID: "ent_" + strconv.Itoa(int(version)), At: time.Now(),
		Kind: account.MembershipSet, Changes: []account.Change{c},
	})
	return version
}

// member returns a membership as it is now.
func (j *journal) member(m tree.Membership) (account.Membership, bool) {
	if changed, known := j.members[[2]int32{m.User, m.Account}]; known {
		return changed, changed.User != ""
	}
	for _, own := range j.world.Of(int(m.User)) {
		if own.Account == m.Account {
			return own.Domain(), true
		}
	}
	return account.Membership{}, false
}
