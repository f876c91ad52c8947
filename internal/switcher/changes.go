package switcher

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// Changes is how the list of accounts that a subject may open differs between two views.
type Changes struct {
	Gained  []account.Reachable // in the order of the tree, as they are now
	Lost    []account.ID        // in the order that the tree had before
	Renamed []account.Reachable // that were in the list and still are, and have another name
	Moved   []account.Reachable // the same, with another parent; what is below them has not moved itself
	More    bool                // there are more than were asked for: then none are named
}

// Empty reports whether the list is the same.
func (c *Changes) Empty() bool {
	return len(c.Gained)+len(c.Lost)+len(c.Renamed)+len(c.Moved) == 0 && !c.More
}

// Changes returns what happened to the list of a user or an API token since another view of the same
// environment: an earlier version, or only an earlier time (U6). It names up to most accounts, those
// that were renamed and moved twice. Nobody who is unknown or blocked has anything in the list (U5).
//
// It takes time for what differs between the versions and not for what is in the list, but for a
// glance at each chunk of the tree, if one version was made from the other; otherwise all is compared.
func (v *View) Changes(before *View, who Subject, most int) Changes {
	now, then := sideOf(v, who), sideOf(before, who)
	d := differ{now: now, then: then, most: most}
	now.each(then, d.look)
	then.each(now, func(at slot, same bool) bool {
		if _, still := now.lists(then, at, same); !still {
			d.lost = append(d.lost, at)
		}
		return d.fits()
	})
	if !d.fits() {
		return Changes{More: true}
	}
	subject, _ := v.state.subjects.find(who)
	out := Changes{
		Gained: v.describe(subject, d.gained), Renamed: v.describe(subject, d.renamed), Moved: v.describe(subject, d.moved),
		Lost: make([]account.ID, len(d.lost)),
	}
	for i, at := range d.lost {
		out.Lost[i] = before.state.accounts.id(at)
	}
	return out
}

// NextExpiry returns when the next of a subject's memberships ends after the time of the view (U6); false if none does.
func (v *View) NextExpiry(who Subject) (time.Time, bool) {
	next := int64(0)
	v.eachMembership(who, func(m *membership) {
		if m.expires > v.now && (next == 0 || m.expires < next) {
			next = m.expires
		}
	})
	return time.UnixMicro(next).UTC(), next != 0
}

// Ended reports whether some of a subject's memberships are over at the time of the view (U6).
func (v *View) Ended(who Subject) bool {
	ended := false
	v.eachMembership(who, func(m *membership) { ended = ended || m.over(v.now) })
	return ended
}

// eachMembership calls fn for all of a subject's, over or not.
func (v *View) eachMembership(who Subject, fn func(*membership)) {
	subject, known := v.state.subjects.find(who)
	if !known {
		return
	}
	for i := v.state.subjects.info.At(subject).first; i != none; {
		m := v.state.memberships.all.At(i)
		i = m.nextOfSubject
		fn(&m)
	}
}

// side is a list as it is at one of two views that are compared.
type side struct {
	*state
	area area
}

func sideOf(v *View, who Subject) side {
	subject, known := v.state.subjects.find(who)
	if !known || v.Blocked(who) {
		return side{state: v.state}
	}
	return side{v.state, v.reach(subject, opening)}
}

// each calls fn for the accounts of the list, in the order of the tree, until it returns false: for all but
// those that the other list has as well, with the same names and places, as their chunk tells. same is whether the account
// has the same slot in both.
func (s side) each(other side, fn func(at slot, same bool) bool) {
	for _, part := range s.area {
		for i, _ := s.tree.chunkAt(part.from); i < len(s.tree.chunks) && s.tree.starts[i] < part.to; i++ {
			start := s.tree.starts[i]
			here := interval{start, s.tree.starts[i+1]}.within(part)
			here.from, here.to = here.from-start, here.to-start
			c := s.tree.chunks[i]
			there, same := other.tree.startOf(c)
			if same && other.area.covers(interval{there + here.from, there + here.to}) {
				continue
			}
			for _, at := range c.slots[here.from:here.to] {
				if !fn(at, same) {
					return
				}
			}
		}
	}
}

// lists finds an account of another version, and reports whether it is in the list.
func (s side) lists(other side, at slot, same bool) (slot, bool) {
	if id := other.accounts.id(at); !same && !s.accounts.holds(at, id) {
		var there bool
		if at, there = s.accounts.find(id); !there {
			return none, false
		}
	}
	return at, s.has(at)
}

// has reports whether an account is in the list; mostly so is all of its chunk.
func (s side) has(at slot) bool {
	place := s.tree.places[s.accounts.places.At(at).chunk]
	if s.area.covers(interval{s.tree.starts[place], s.tree.starts[place+1]}) {
		return true
	}
	return s.area.has(s.tree.position(&s.accounts, at))
}

// holds reports whether an account has a slot, as it mostly does in another version that has it.
func (a *accounts) holds(at slot, id account.ID) bool {
	return int(at) < a.texts.Len() && a.id(at) == id
}

// parentID is the id of the account above another; "" of a root.
func (s side) parentID(at slot) account.ID {
	if parent := s.accounts.parent(at); parent != none {
		return s.accounts.id(parent)
	}
	return ""
}

// differ collects what differs between two lists.
type differ struct {
	now, then                    side
	most                         int
	gained, lost, renamed, moved []slot // the lost in the slots of then
}

// look compares an account of the list as it is now.
func (d *differ) look(at slot, same bool) bool {
	was, listed := d.then.lists(d.now, at, same)
	switch {
	case !listed:
		d.gained = append(d.gained, at)
	case same: // its chunk would be another one otherwise
	default:
		if d.now.accounts.name(at) != d.then.accounts.name(was) {
			d.renamed = append(d.renamed, at)
		}
		if d.now.parentID(at) != d.then.parentID(was) {
			d.moved = append(d.moved, at)
		}
	}
	return d.fits()
}

// fits reports whether no more was found than is wanted: as long as that is so, it pays to go on.
func (d *differ) fits() bool {
	return len(d.gained)+len(d.lost)+len(d.renamed)+len(d.moved) <= d.most
}

// startOf returns how many accounts come before a chunk of another version, if this one has the very same.
func (s *sequence) startOf(c *chunk) (uint32, bool) {
	if int(c.id) >= len(s.places) {
		return 0, false
	}
	place := s.places[c.id]
	if place == none || int(place) >= len(s.chunks) || s.chunks[place] != c {
		return 0, false
	}
	return s.starts[place], true
}

// covers reports whether all of an interval is in an area.
func (a area) covers(all interval) bool {
	i, found := a.find(all.from)
	return found && all.to <= a[i].to
}
