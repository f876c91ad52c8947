package directory

import (
	"context"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

const recordsPerEntry = 250

// unit is what must be written together: one account, one role, or a user with all new memberships.
type unit struct {
	records int
	changes []account.Change
}

// carryOut writes a checked load, and returns the environment's version after it; 0 if nothing was written.
func (d *Directory) carryOut(ctx context.Context, l *load, wrote func(records int)) (account.Version, error) {
	var version account.Version
	if l.create != nil {
		result, err := d.CreateEnvironment(ctx, l.req, *l.create.NewEnvironment)
		if err != nil {
			return 0, atLine(err, l.create.Line)
		}
		version, l.head = result.Version, result.Version
		wrote(1)
	}
	for _, batch := range batches(l.units()) {
		v, err := d.writeBatch(ctx, l, batch)
		if err != nil {
			return version, err
		}
		version = v
		for _, u := range batch {
			wrote(u.records)
		}
	}
	return version, nil
}

// units returns what is to be written, in an order in which each can refer to those before.
func (l *load) units() []unit {
	now := l.d.newPlan(l.req).now
	stamp := func(t *time.Time) {
		if t.IsZero() {
			*t = now
		}
	}
	var out []unit
	one := func(e *account.Entity) { out = append(out, unit{1, []account.Change{{After: e}}}) }
	for _, r := range l.newRoles {
		if r.Account == "" {
			one(account.Of(r))
		}
	}
	for _, f := range l.newFeatures {
		one(account.Of(f))
	}
	for _, p := range l.newPlans {
		one(account.Of(p))
	}
	for _, a := range l.newAccounts {
		stamp(&a.CreatedAt)
		one(account.Of(a))
	}
	for _, r := range l.newRoles {
		if r.Account != "" {
			one(account.Of(r))
		}
	}
	for _, s := range l.newSwitches {
		one(account.Of(s))
	}
	members := func(id account.UserID, u *unit) {
		for _, m := range l.newMembers[id] {
			m.CreatedAt = now
			u.records++
			u.changes = append(u.changes, account.Change{After: account.Of(m)})
		}
	}
	isNew := make(map[account.UserID]bool, len(l.newUsers))
	for _, id := range l.newUsers {
		isNew[id] = true
		user := l.users[id]
		stamp(&user.CreatedAt)
		u := unit{1, []account.Change{{After: account.Of(user)}}}
		members(id, &u)
		out = append(out, u)
	}
	var others []account.UserID
	for id := range l.newMembers {
		if !isNew[id] {
			others = append(others, id)
		}
	}
	slices.Sort(others)
	for _, id := range others {
		var u unit
		members(id, &u)
		out = append(out, u)
	}
	return out
}

// batches cuts units into entries.
func batches(units []unit) [][]unit {
	var out [][]unit
	var batch []unit
	n := 0
	for _, u := range units {
		if n > 0 && n+u.records > recordsPerEntry {
			out = append(out, batch)
			batch, n = nil, 0
		}
		batch = append(batch, u)
		n += u.records
	}
	if n > 0 {
		out = append(out, batch)
	}
	return out
}

// writeBatch writes one journal entry. If somebody else has written since the
// check, it first makes sure, under the environment's lock, that all the entry
// relied on still holds.
func (d *Directory) writeBatch(ctx context.Context, l *load, batch []unit) (account.Version, error) {
	var version account.Version
	moved := false
	err := d.store.Write(ctx, l.env, func(tx Tx) error {
		head, err := tx.Head(ctx)
		if err != nil {
			return err
		}
		moved = l.moved || head != l.head
		p := d.newPlan(l.req)
		again := newRecheck(tx, l)
		uses := assignments{tx: tx, here: again.accounts, modes: map[account.ID]account.AccessMode{}, known: map[account.ID][]account.RoleKey{}}
		for _, u := range batch {
			for _, c := range u.changes {
				if moved {
					if err := again.check(ctx, c.After); err != nil {
						return err
					}
				}
				p.changes = append(p.changes, c)
				again.note(c.After)
				if m := c.After.Membership; m != nil {
					if err := uses.add(ctx, &p, *m); err != nil {
						return err
					}
				}
			}
		}
		version, err = tx.Append(ctx, account.Entry{
			Environment: l.env, At: p.now, Actor: l.req.Actor, RequestID: l.req.ID, From: l.req.From,
			Kind: account.Imported, Changes: p.changes,
		})
		return err
	})
	if err == nil {
		l.head, l.moved = version, moved
	}
	return version, err
}

// assignments adds the assignments that new memberships need.
type assignments struct {
	tx    Tx
	here  map[account.ID]account.Account
	modes map[account.ID]account.AccessMode
	known map[account.ID][]account.RoleKey // in use: before the entry, or since a change in it
}

func (s *assignments) add(ctx context.Context, p *plan, m account.Membership) error {
	if _, read := s.modes[m.Account]; !read {
		if err := s.read(ctx, m.Account); err != nil {
			return err
		}
	}
	for _, key := range m.Roles {
		if slices.Contains(s.known[m.Account], key) {
			continue
		}
		s.known[m.Account] = append(s.known[m.Account], key)
		p.change(nil, account.Of(account.Assignment{Account: m.Account, Role: key, AlwaysOn: s.modes[m.Account] == account.AlwaysOn}))
	}
	return nil
}

// read finds an account's mode and the roles in use there.
func (s *assignments) read(ctx context.Context, id account.ID) error {
	if a, ok := s.here[id]; ok {
		s.modes[id] = a.AccessMode
		return nil
	}
	holder, err := s.tx.Account(ctx, id)
	if err != nil {
		return err
	}
	s.modes[id] = holder.Value.AccessMode
	present, err := s.tx.Assignments(ctx, id)
	for _, a := range present {
		s.known[id] = append(s.known[id], a.Role)
	}
	return err
}
