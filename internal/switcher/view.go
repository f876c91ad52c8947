package switcher

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/schema"
)

// View is one version of an environment, at one time. It may be read by any number of goroutines, and does not change.
type View struct {
	state *state
	model *model
	now   int64 // in microseconds since 1970
}

// model is what the catalogue makes of permissions.
type model struct {
	bits   catalogued
	rights map[string]right // on accounts, by their names in the schema
}

func newModel(c *schema.Catalogue) *model {
	return &model{bits: number(c), rights: rightsOf(c)}
}

func (s *state) view(m *model, now time.Time) *View {
	return &View{state: s, model: m, now: now.UnixMicro()}
}

// Version is that of the newest entry of the journal that the view knows.
func (v *View) Version() account.Version { return v.state.version }

// Knows reports whether there is a subject: a user, an API token or an operator.
func (v *View) Knows(who Subject) bool {
	if who.Kind == Operator {
		_, ok := v.state.officers[who.ID]
		return ok
	}
	_, ok := v.state.subjects.find(who)
	return ok
}

// Has reports whether there is an account.
func (v *View) Has(id account.ID) bool {
	_, ok := v.state.accounts.find(id)
	return ok
}

// Blocked reports whether a subject is a blocked user (U5).
func (v *View) Blocked(who Subject) bool {
	at, ok := v.state.subjects.find(who)
	return ok && v.state.subjects.info.At(at).blocked
}

// opening is the permission of opening an account: any membership gives it.
const opening = -1

// held reports whether a user or an API token holds a permission at an account by
// membership, direct or inherited, blocked or not (the schema's member_…).
func (v *View) held(who Subject, permission int, at slot) bool {
	s := v.state
	subject, ok := s.subjects.find(who)
	if !ok {
		return false
	}
	for above := at; above != none; above = s.accounts.parent(above) {
		i, is := s.memberships.find(above, subject)
		if !is {
			continue
		}
		m := s.memberships.all.At(i)
		if v.gives(&m, permission) && (above == at || s.reachesDown(&m)) {
			return true
		}
	}
	return false
}

// gives reports whether a membership gives a permission now, where it counts.
func (v *View) gives(m *membership, permission int) bool {
	return !m.over(v.now) && (permission == opening || v.state.roles.sets.At(m.roles).holds.has(permission))
}
