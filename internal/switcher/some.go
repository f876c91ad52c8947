package switcher

import (
	"maps"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// tries is how many slots are looked at for one that is in use.
const tries = 64

// Somebody returns a user or an API token, or once in eight times an operator, chosen by dice, which returns a number below
// n; false if none was found, as where there is none.
func (v *View) Somebody(dice func(n int) int) (Subject, bool) {
	s := &v.state.subjects
	if n := len(v.state.officers); n > 0 && dice(8) == 0 {
		at := dice(n)
		for id := range v.state.officers {
			if at--; at < 0 {
				return Subject{Operator, id}, true
			}
		}
	}
	for range tries {
		if s.info.Len() == 0 {
			break
		}
		at := slot(dice(s.info.Len())) //nolint:gosec // G115: below a length
		if s.info.At(at).kind != 0 {
			return s.subject(at), true
		}
	}
	return Subject{}, false
}

// EndsAround reports whether a membership of a subject ends within some time before or after the view's.
func (v *View) EndsAround(who Subject, within time.Duration) bool {
	at, ok := v.state.subjects.find(who)
	if !ok {
		return false
	}
	for i := v.state.subjects.info.At(at).first; i != none; {
		m := v.state.memberships.all.At(i)
		if m.expires != 0 && max(m.expires-v.now, v.now-m.expires) < within.Microseconds() {
			return true
		}
		i = m.nextOfSubject
	}
	return false
}

// Somewhere returns an account, chosen as Somebody is.
func (v *View) Somewhere(dice func(n int) int) (account.ID, bool) {
	n := v.state.tree.length()
	if n == 0 {
		return "", false
	}
	return v.state.accounts.id(v.state.tree.at(uint32(dice(int(n))))), true //nolint:gosec // G115: below a length
}

// Near returns an account that a user or an API token may open, or one above it, chosen as Somebody is.
func (v *View) Near(who Subject, dice func(n int) int) (account.ID, bool) {
	subject, known := v.state.subjects.find(who)
	if !known {
		return "", false
	}
	where := v.reach(subject, opening)
	n := where.size()
	if n == 0 {
		return "", false
	}
	left := uint32(dice(n)) //nolint:gosec // G115: below a number of accounts
	for _, part := range where {
		if size := part.to - part.from; left >= size {
			left -= size
			continue
		}
		at := v.state.tree.at(part.from + left)
		if above := v.state.accounts.parent(at); above != none && dice(4) == 0 {
			at = above
		}
		return v.state.accounts.id(at), true
	}
	return "", false
}

// PortalRights returns the rights of operators in the environment that the index answers, by their names in the schema.
func PortalRights() []string {
	return append(slices.Sorted(maps.Keys(portal)), "act_for_users", "impersonate")
}

// IDs returns the ids of all accounts that a user or an API token may open, in the order of the
// tree, and how many there are; no ids if there are more than most.
func (v *View) IDs(who Subject, most int) ([]account.ID, int) {
	subject, known := v.state.subjects.find(who)
	if !known || v.Blocked(who) {
		return nil, 0
	}
	l := lister{view: v, area: v.reach(subject, opening)}
	total := l.area.size()
	if total > most {
		return nil, total
	}
	ids := make([]account.ID, 0, total)
	l.parts(func(c *chunk, from, to int) bool {
		for _, at := range c.slots[from:to] {
			ids = append(ids, v.state.accounts.id(at))
		}
		return true
	})
	return ids, total
}

// Permissions returns the names in the schema of the permissions on accounts that the index answers, in no order.
func (v *View) Permissions() []string {
	names := make([]string, 0, len(v.model.rights))
	for name := range v.model.rights {
		names = append(names, name)
	}
	return names
}
