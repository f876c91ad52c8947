package app_test

import (
	"slices"
)

// model is the hierarchy as the rules say it, in the plainest terms.
type model struct {
	accounts map[string]*modelAccount
	members  map[[2]string]*modelMember // account, user
	blocked  map[string]bool
}

type modelAccount struct {
	parent string
	mode   string
}

type modelMember struct {
	roles []string
	own   bool // sub-account access of its own (S1)
}

// what the roles of the test hold
var modelRoles = map[string][]string{
	"viewer":  {"fe.account-hierarchy.read.subAccount"},
	"manager": {"fe.account-hierarchy.read.subAccount", "fe.secure.write.users"},
}

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

// may says whether the user holds a permission at an account; "" is opening it.
func (m *model) may(user, permission, id string) bool {
	if m.blocked[user] {
		return false // U5
	}
	for i, at := range m.path(id) {
		member := m.members[[2]string{at, user}]
		if member == nil {
			continue
		}
		inherits := member.own || m.accounts[at].mode == "always_on" // S1, S3
		if i > 0 && !inherits {
			continue
		}
		if permission == "" {
			return true
		}
		for _, r := range member.roles {
			if slices.Contains(modelRoles[r], permission) {
				return true
			}
		}
	}
	return false
}
