package app_test

import (
	"slices"
	"time"
)

// model is an environment as the rules say it, in the plainest terms.
type model struct {
	enabled  bool // E2
	now      time.Time
	accounts map[string]*modelAccount
	roles    map[string]*modelRole
	members  map[[2]string]*modelMember // account, user
	tokens   map[[2]string]*modelMember // account, API token
	blocked  map[string]bool
	features map[string]string   // key → the permission that it needs besides
	plans    map[string][]string // key → features
}

type modelAccount struct {
	parent, mode string
	managed      bool // A3
	plan         string
	switches     map[modelSwitch]bool
}

type modelRole struct {
	owner       string // an account; "" is the environment
	permissions []string
}

type modelMember struct {
	roles   []string
	own     bool      // sub-account access of its own (S1)
	expires time.Time // zero is never
}

type modelSwitch struct {
	feature string
	branch  bool
}

func newModel() *model {
	return &model{
		enabled: true, accounts: map[string]*modelAccount{}, roles: map[string]*modelRole{},
		members: map[[2]string]*modelMember{}, tokens: map[[2]string]*modelMember{}, blocked: map[string]bool{},
		features: map[string]string{}, plans: map[string][]string{},
	}
}

// path is the account and all above it, up to the root.
func (m *model) path(id string) []string {
	var path []string
	for id != "" {
		path = append(path, id)
		id = m.accounts[id].parent
	}
	return path
}

func (m *model) children(id string) int {
	n := 0
	for _, a := range m.accounts {
		if a.parent == id {
			n++
		}
	}
	return n
}

func (m *model) membershipsOf(user string) int {
	n := 0
	for k := range m.members {
		if k[1] == user {
			n++
		}
	}
	return n
}

// height is the number of levels of the branch at id.
func (m *model) height(id string) int {
	most := 0
	for other := range m.accounts {
		if at := slices.Index(m.path(other), id); at >= most {
			most = at
		}
	}
	return most + 1
}

// carried calls fn for every role that a member or an API token has, with the account.
func (m *model) carried(fn func(id, role string)) {
	for _, held := range []map[[2]string]*modelMember{m.members, m.tokens} {
		for k, member := range held {
			for _, role := range member.roles {
				fn(k[0], role)
			}
		}
	}
}

// inUse says whether somebody has the role.
func (m *model) inUse(key string) (used bool) {
	m.carried(func(_, role string) { used = used || role == key })
	return used
}

// usable says whether the role can be used in an account (U2).
func (m *model) usable(role, id string) bool {
	owner := m.roles[role].owner
	return owner == "" || slices.Contains(m.path(id), owner)
}

// mayBeHere says with what code an account of so many levels is refused below a parent, "" if it is not.
func (m *model) mayBeHere(parent string, levels int) string {
	switch {
	case parent == "":
		return ""
	case !m.enabled: // E2
		return disabled
	case !m.accounts[parent].managed: // A3
		return managingOff
	case len(m.path(parent))+levels > modelDepth: // A2
		return "too_deep"
	default:
		return ""
	}
}

// may says whether a user holds a permission at an account; "" is opening it.
func (m *model) may(user, permission, id string) bool {
	return !m.blocked[user] && m.holds(m.members, user, permission, id) // U5
}

// holds says whether a member of some kind holds a permission at an account, blocked or not.
func (m *model) holds(members map[[2]string]*modelMember, who, permission, id string) bool {
	for i, at := range m.path(id) {
		member := members[[2]string{at, who}]
		if member == nil || !member.expires.IsZero() && !m.now.Before(member.expires) { // U6
			continue
		}
		inherits := member.own || m.accounts[at].mode == always // S1, S3
		if i > 0 && !inherits {
			continue
		}
		if permission == "" {
			return true
		}
		for _, r := range member.roles {
			if slices.Contains(m.roles[r].permissions, permission) {
				return true
			}
		}
	}
	return false
}

// has says whether an account has a feature: as it is switched for the account itself, or else for the
// nearest branch, or else as the nearest plan says.
func (m *model) has(feature, id string) bool {
	if on, switched := m.accounts[id].switches[modelSwitch{feature, false}]; switched {
		return on
	}
	path := m.path(id)
	for _, at := range path {
		if on, switched := m.accounts[at].switches[modelSwitch{feature, true}]; switched {
			return on
		}
	}
	for _, at := range path {
		if plan := m.accounts[at].plan; plan != "" {
			return slices.Contains(m.plans[plan], feature)
		}
	}
	return false
}
