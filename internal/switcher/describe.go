package switcher

import (
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// describe returns accounts as the switcher shows them to a subject.
func (v *View) describe(subject slot, found []slot) []account.Reachable {
	out := make([]account.Reachable, len(found))
	if len(found) == 0 { // as of somebody who is not known
		return out
	}
	d := newDescriber(v, subject, len(found))
	for i, at := range found {
		out[i] = d.describe(at)
	}
	return out
}

// describer remembers lines down to the parents of the accounts that it has described.
type describer struct {
	view    *View
	subject slot
	lines   []line          // by a hash of the account, of those with the same the last
	room    []account.Place // for paths
	places  []slot          // the accounts of the subject's memberships, if these are few
}

// line is what all accounts directly below one have in common.
type line struct {
	at      slot             // the account above
	path    []account.Place  // from the root to it
	sources []account.Source // that reach down from there, the nearest first
}

func newDescriber(v *View, subject slot, accounts int) *describer {
	length := 16
	for length < 4*accounts && length < 1<<14 {
		length *= 2
	}
	d := &describer{view: v, subject: subject, lines: make([]line, length)}
	d.remember()
	return d
}

// remember notes where the subject is a member, if that is in so few places that to look through them is quicker than a table.
func (d *describer) remember() {
	s := d.view.state
	who := s.subjects.info.At(d.subject)
	if who.count > 8 {
		return
	}
	d.places = make([]slot, 0, 8)
	for i := who.first; i != none; {
		m := s.memberships.all.At(i)
		d.places, i = append(d.places, m.account), m.nextOfSubject
	}
}

// path returns a path with a place at its end. It lies behind the path above if that was the last one made, or else in room of its own.
func (d *describer) path(above []account.Place, end account.Place) []account.Place {
	n, used := len(above), len(d.room)
	if used == cap(d.room) || n == 0 || &above[n-1] != &d.room[used-1] {
		if used+n >= cap(d.room) {
			d.room = make([]account.Place, 0, max(2*cap(d.room), 4*n, 32))
		}
		d.room = append(d.room, above...)
	}
	d.room = append(d.room, end)
	used = len(d.room)
	return d.room[used-n-1 : used : used]
}

func (d *describer) describe(at slot) account.Reachable {
	a := &d.view.state.accounts
	n := a.nodes.At(at)
	above := d.line(n.parent)
	out := account.Reachable{
		Place:                account.Place{ID: a.id(at), Name: a.name(at)},
		CreatedAt:            time.UnixMicro(n.created).UTC(),
		SubAccountManagement: n.flags&managed != 0,
		Path:                 above.path,
		Sources:              above.sources,
	}
	if n.parent != none {
		out.Parent = a.id(n.parent)
	}
	if own, ok := d.source(at, true); ok {
		out.Sources = append([]account.Source{own}, above.sources...)
	}
	return out
}

// line returns what the accounts directly below one have in common; nothing if they are roots.
func (d *describer) line(at slot) line {
	if at == none {
		return line{}
	}
	known := &d.lines[at*0x9e3779b1>>16&uint32(len(d.lines)-1)] //nolint:gosec // G115: at most 1<<14
	if known.path != nil && known.at == at {
		return *known
	}
	a := &d.view.state.accounts
	above := d.line(a.parent(at))
	here := line{at: at, path: d.path(above.path, account.Place{ID: a.id(at), Name: a.name(at)}), sources: above.sources}
	if own, ok := d.source(at, false); ok {
		here.sources = append([]account.Source{own}, above.sources...)
	}
	*known = here
	return here
}

// source says how the subject's membership in an account, if it is in force, opens that account, or those below it (S5).
func (d *describer) source(at slot, itself bool) (account.Source, bool) {
	s := d.view.state
	if d.places != nil && !slices.Contains(d.places, at) {
		return account.Source{}, false
	}
	i, is := s.memberships.find(at, d.subject)
	if !is {
		return account.Source{}, false
	}
	m := s.memberships.all.At(i)
	if m.over(d.view.now) {
		return account.Source{}, false
	}
	out := account.Source{At: s.accounts.id(at), Roles: s.roles.sets.At(m.roles).keys}
	if m.expires != 0 {
		ends := time.UnixMicro(m.expires).UTC()
		out.ExpiresAt = &ends
	}
	switch {
	case itself:
		out.Via = account.Direct
	case s.accounts.nodes.At(at).flags&alwaysOn != 0:
		out.Via = account.ViaAlwaysOn
	case m.branch == granted:
		out.Via = account.ViaGrant
	case m.branch == kept:
		out.Via = account.ViaKept
	default:
		return out, false
	}
	return out, true
}
