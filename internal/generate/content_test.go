package generate_test

import (
	"bytes"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/generate"
	"github.com/tenantry/tenantry/internal/ndjson"
)

// content is what a generated text holds, by id.
type content struct {
	env      *account.Environment
	roles    map[account.RoleKey]account.Role
	accounts map[account.ID]account.Account
	level    map[account.ID]int
	children map[account.ID]int
	users    map[account.UserID]account.User
	emails   map[string]bool
	members  map[account.UserID]map[account.ID]directory.Grant
}

type tb interface {
	Helper()
	Fatalf(string, ...any)
}

// load reads a text back, and holds each line to what came before it.
func load(t tb, text []byte) content {
	t.Helper()
	c := content{
		roles: map[account.RoleKey]account.Role{}, accounts: map[account.ID]account.Account{},
		level: map[account.ID]int{"": 0}, children: map[account.ID]int{}, users: map[account.UserID]account.User{},
		emails: map[string]bool{}, members: map[account.UserID]map[account.ID]directory.Grant{},
	}
	stage := 0
	at := func(s, line int) {
		if s < stage {
			t.Fatalf("line %d is out of order", line)
		}
		stage = s
	}
	err := ndjson.Read(bytes.NewReader(text), func(r directory.Record) error {
		switch {
		case r.NewEnvironment != nil:
			at(0, r.Line)
			c.env = r.NewEnvironment
		case r.Role != nil:
			at(1, r.Line)
			c.roles[r.Role.Key] = *r.Role
		case r.Account != nil:
			at(2, r.Line)
			a := *r.Account
			above, known := c.level[a.Parent]
			if _, again := c.level[a.ID]; !known || again {
				t.Fatalf("line %d: account %s: parent %q known: %v, seen before: %v", r.Line, a.ID, a.Parent, known, again)
			}
			c.accounts[a.ID], c.level[a.ID] = a, above+1
			c.children[a.Parent]++
		case r.User != nil:
			at(3, r.Line)
			if c.emails[r.User.Email] || c.users[r.User.ID].ID != "" {
				t.Fatalf("line %d: user %s or %s is there already", r.Line, r.User.ID, r.User.Email)
			}
			c.users[r.User.ID], c.emails[r.User.Email] = *r.User, true
		default:
			at(4, r.Line)
			c.add(t, r)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("reading the generated text: %v", err)
	}
	return c
}

func (c content) add(t tb, r directory.Record) {
	t.Helper()
	m := *r.Membership
	of := c.members[m.User]
	if of == nil {
		of = map[account.ID]directory.Grant{}
		c.members[m.User] = of
	}
	if _, again := of[m.Account]; again || c.level[m.Account] == 0 || c.users[m.User].ID == "" {
		t.Fatalf("line %d: membership of %s in %s: seen before, or without user or account", r.Line, m.User, m.Account)
	}
	for _, key := range m.Roles {
		if c.roles[key].Key == "" {
			t.Fatalf("line %d: no role %s", r.Line, key)
		}
	}
	of[m.Account] = m
}

func (c content) summary() generate.Summary {
	s := generate.Summary{Roles: len(c.roles), Accounts: len(c.accounts), Users: len(c.users)}
	for id := range c.accounts {
		s.Levels = max(s.Levels, c.level[id])
		if c.children[id] > 0 {
			s.Parents++
		}
	}
	for _, u := range c.users {
		if u.Blocked {
			s.Blocked++
		}
	}
	for _, of := range c.members {
		for _, m := range of {
			s.Memberships++
			if m.SubAccountAccess != nil && *m.SubAccountAccess {
				s.Granted++
			}
			if m.ExpiresAt != nil {
				s.Expiring++
			}
		}
	}
	return s
}
