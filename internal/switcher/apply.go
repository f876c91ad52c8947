package switcher

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// apply makes the state that the next entry of the journal leaves behind.
//
// What an entry changes does not stand in an order that can be followed blindly: an account
// goes with its memberships, a user comes with the first. So memberships that end go first, then
// come roles, accounts and users, then memberships, and at last what is deleted.
func (w *writer) apply(entry account.Entry) error {
	if entry.Version != w.version+1 {
		return outOfStep("entry %d follows entry %d", entry.Version, w.version)
	}
	for _, step := range []func(account.Change) error{w.end, w.make, w.join, w.drop} {
		if err := inSomeOrder(entry.Changes, step); err != nil {
			return err
		}
	}
	w.version, w.entry = entry.Version, entry.ID
	return nil
}

// inSomeOrder takes a step for every change, for those again that cannot be made before others are: an
// account comes after its parent, goes after its children, and moves below another that moves as well.
func inSomeOrder(changes []account.Change, step func(account.Change) error) error {
	for {
		var later []account.Change
		var why error
		for _, c := range changes {
			if err := step(c); err != nil {
				later, why = append(later, c), err
			}
		}
		if len(later) == 0 || len(later) == len(changes) {
			return why
		}
		changes = later
	}
}

// end takes memberships away.
func (w *writer) end(c account.Change) error {
	if c.After != nil {
		if t := c.After.APIToken; t != nil && c.Before != nil && c.Before.APIToken.Account != t.Account {
			return w.removeMembership(c.Before.APIToken.Account, Subject{APIToken, string(t.ID)})
		}
		return nil
	}
	switch {
	case c.Before.Membership != nil:
		m := c.Before.Membership
		return w.removeMembership(m.Account, Subject{User, string(m.User)})
	case c.Before.APIToken != nil:
		t := c.Before.APIToken
		token := Subject{APIToken, string(t.ID)}
		if err := w.removeMembership(t.Account, token); err != nil {
			return err
		}
		return w.removeSubject(token)
	}
	return nil
}

// make adds and changes everything but memberships.
func (w *writer) make(c account.Change) error {
	if c.After == nil {
		return nil
	}
	switch v := c.After; {
	case v.Environment != nil:
		w.enabled = v.Environment.SubAccountsEnabled
	case v.Client != nil:
		w.officers = w.officers.with(v.Client.ID, officer{v.Client.Roles, v.Client.ActForUsers})
	case v.Operator != nil:
		w.officers = w.officers.with(v.Operator.ID, officer{portal: v.Operator.Roles})
	case v.Role != nil:
		return w.roles.set(w.edit, w.bits, *v.Role)
	case v.Account != nil && c.Before == nil:
		return w.addAccount(*v.Account)
	case v.Account != nil:
		return w.changeAccount(*c.Before.Account, *v.Account)
	case v.User != nil:
		return w.setUser(*v.User, c.Before == nil)
	}
	return nil
}

// join adds and changes memberships.
func (w *writer) join(c account.Change) error {
	if c.After == nil {
		return nil
	}
	switch v := c.After; {
	case v.Membership != nil:
		m := v.Membership
		return w.setMembership(m.Account, Subject{User, string(m.User)}, m.Roles, m.BranchAccess, m.ExpiresAt)
	case v.APIToken != nil:
		t := v.APIToken
		token := Subject{APIToken, string(t.ID)}
		if _, known := w.subjects.find(token); !known {
			w.addSubject(token)
		}
		return w.setMembership(t.Account, token, t.Roles, t.BranchAccess, t.ExpiresAt)
	}
	return nil
}

// drop takes away what nothing refers to any more.
func (w *writer) drop(c account.Change) error {
	if c.After != nil {
		return nil
	}
	switch v := c.Before; {
	case v.Account != nil:
		return w.removeAccount(v.Account.ID)
	case v.User != nil:
		return w.removeSubject(Subject{User, string(v.User.ID)})
	case v.Role != nil:
		w.roles.remove(w.edit, v.Role.Key)
	case v.Client != nil:
		w.officers = w.officers.without(v.Client.ID)
	case v.Operator != nil:
		w.officers = w.officers.without(v.Operator.ID)
	}
	return nil
}

func micros(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMicro()
}
