package directory

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
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
		version = result.Version
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
	for _, a := range l.newAccounts {
		stamp(&a.CreatedAt)
		one(account.Of(a))
	}
	for _, r := range l.newRoles {
		if r.Account != "" {
			one(account.Of(r))
		}
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

// writeBatch writes one journal entry, after making sure that nothing the check relied on has changed since.
func (d *Directory) writeBatch(ctx context.Context, l *load, batch []unit) (account.Version, error) {
	var version account.Version
	err := d.store.Write(ctx, l.env, func(tx Tx) error {
		p := d.newPlan(l.req)
		here := map[account.ID]account.Account{} // accounts of this entry, not yet in the database
		uses := assignments{tx: tx, here: here, modes: map[account.ID]account.AccessMode{}, known: map[account.ID][]account.RoleKey{}}
		for _, u := range batch {
			for _, c := range u.changes {
				if err := stillGood(ctx, tx, l, here, c.After); err != nil {
					return err
				}
				p.changes = append(p.changes, c)
				if a := c.After.Account; a != nil {
					here[a.ID] = *a
				}
				if m := c.After.Membership; m != nil {
					if err := uses.add(ctx, &p, *m); err != nil {
						return err
					}
				}
			}
		}
		var err error
		version, err = tx.Append(ctx, account.Entry{
			Environment: l.env, At: p.now, Actor: l.req.Actor, RequestID: l.req.ID, From: l.req.From,
			Kind: account.Imported, Changes: p.changes,
		})
		return err
	})
	return version, err
}

// stillGood refuses what has come to exist, or lost its parent, while the load went on.
func stillGood(ctx context.Context, r Reader, l *load, here map[account.ID]account.Account, e *account.Entity) error {
	overtaken := fault.New(fault.Conflict, "load_overtaken", "the directory was changed while the load went on; run it again to finish")
	var err error
	switch {
	case e.Account != nil:
		if _, with := here[e.Account.Parent]; e.Account.Parent != "" && !with {
			above, err := r.Ancestors(ctx, e.Account.Parent)
			if errors.Is(err, fault.NotFound) || err == nil && len(above)+2 > l.settings.MaxDepth {
				return overtaken.Because(err)
			}
			if err != nil {
				return err
			}
		}
		_, err = r.Account(ctx, e.Account.ID)
	case e.User != nil:
		_, err = r.User(ctx, e.User.ID)
	case e.Role != nil:
		_, err = r.Role(ctx, e.Role.Key)
	case e.Membership != nil:
		_, err = r.Membership(ctx, e.Membership.Account, e.Membership.User)
	}
	switch {
	case err == nil:
		return overtaken
	case errors.Is(err, fault.NotFound):
		return nil
	default:
		return err
	}
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
