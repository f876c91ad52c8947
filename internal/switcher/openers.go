package switcher

import (
	"cmp"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
)

// OpenersQuery asks who can open an account by membership, direct or inherited.
type OpenersQuery struct {
	Account account.ID
	Kind    Kind    // User or APIToken; 0 for both
	After   Subject // the last of the page before; zero for the first page
	Limit   int     // the most subjects of the page, 1 or more
}

// Openers is some of those who can open an account: users, then API tokens, each by id.
type Openers struct {
	Subjects []Opener
	Total    int // on all pages
	More     bool
}

// Opener is a subject that can open an account, and why, the nearest first (S5).
type Opener struct {
	Subject Subject
	Sources []account.Source
}

// Openers returns a page of those who can open an account: nobody who is blocked (U5), or whose membership
// has expired (U6). It looks at every member of the account, and at those of the accounts above it whose
// membership reaches down. ok is whether there is such an account.
func (v *View) Openers(q OpenersQuery) (out Openers, ok bool) {
	s := v.state
	at, ok := s.accounts.find(q.Account)
	if !ok {
		return Openers{}, false
	}
	var first []slot // those of the page, and one more
	for above := at; above != none; above = s.accounts.parent(above) {
		for i := s.accounts.nodes.At(above).first; i != none; {
			m := s.memberships.all.At(i)
			i = m.nextOfAccount
			if !v.opens(&m, at, above) || q.Kind != 0 && s.subjects.info.At(m.subject).kind != q.Kind || v.opensNearer(m.subject, at, above) {
				continue
			}
			out.Total++
			if q.After.ID == "" || s.compareSubject(m.subject, q.After) > 0 {
				first = s.keepFirst(first, m.subject, q.Limit+1)
			}
		}
	}
	out.More = len(first) > q.Limit
	for _, who := range first[:min(q.Limit, len(first))] {
		out.Subjects = append(out.Subjects, Opener{s.subjects.subject(who), newDescriber(v, who, 1).describe(at).Sources})
	}
	return out, true
}

// opens reports whether a membership of an account opens one at or below it now.
func (v *View) opens(m *membership, at, of slot) bool {
	return !m.over(v.now) && (at == of || v.state.reachesDown(m)) && !v.state.subjects.info.At(m.subject).blocked
}

// opensNearer reports whether a subject has a membership that opens an account, at that or
// between it and another above it.
func (v *View) opensNearer(who, at, top slot) bool {
	s := v.state
	for near := at; near != top; near = s.accounts.parent(near) {
		if s.accounts.nodes.At(near).first == none {
			continue
		}
		if i, is := s.memberships.find(near, who); is {
			if m := s.memberships.all.At(i); v.opens(&m, at, near) {
				return true
			}
		}
	}
	return false
}

// compareSubject compares a subject with another, which may be gone: users come before API tokens, and each go by id.
func (s *state) compareSubject(at slot, other Subject) int {
	return cmp.Or(cmp.Compare(s.subjects.info.At(at).kind, other.Kind), cmp.Compare(s.subjects.ids.At(at, textID), other.ID))
}

// keepFirst adds a subject to the first ones, of which there are most at most.
func (s *state) keepFirst(first []slot, who slot, most int) []slot {
	if len(first) == most && s.compareSubject(who, s.subjects.subject(first[most-1])) > 0 {
		return first
	}
	place, _ := slices.BinarySearchFunc(first, s.subjects.subject(who), s.compareSubject)
	first = slices.Insert(first, place, who)
	return first[:min(len(first), most)]
}
