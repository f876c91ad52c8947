package switcher

import (
	"github.com/tenantry/tenantry/internal/account"
)

// state is one version of an environment. A published one is never changed.
type state struct {
	environment account.EnvironmentID
	version     account.Version
	entry       string // the id of the journal's entry of that version; "" if that is not known
	enabled     bool   // sub-accounts (E2)

	accounts    accounts
	tree        sequence
	names       names
	subjects    subjects
	memberships memberships
	roles       roles
	officers    officers

	areas *areas // what was found out of a published version
}

// interval is the positions of a branch in the tree.
func (s *state) interval(top slot) interval {
	from := s.tree.position(&s.accounts, top)
	return interval{from, from + s.accounts.sizes.At(top)}
}

// reachesDown reports whether a membership reaches into the branch below its account (S1, S3).
func (s *state) reachesDown(m *membership) bool {
	return m.branch != noBranch || s.accounts.nodes.At(m.account).flags&alwaysOn != 0
}

// below returns the positions of what is below an account; of everything below none.
func (s *state) below(parent slot) interval {
	if parent == none {
		return interval{0, s.tree.length()}
	}
	branch := s.interval(parent)
	branch.from++
	return branch
}

// place returns the position of the first of some siblings that comes after
// something; they are the accounts directly below a parent in an interval of the tree.
func (s *state) place(parent slot, among interval, isAfter func(sibling slot) bool) uint32 {
	for among.from < among.to {
		sibling := s.tree.at(among.from + (among.to-among.from)/2)
		for s.accounts.parent(sibling) != parent {
			sibling = s.accounts.parent(sibling)
		}
		if branch := s.interval(sibling); isAfter(sibling) {
			among.to = branch.from
		} else {
			among.from = branch.to
		}
	}
	return among.from
}
