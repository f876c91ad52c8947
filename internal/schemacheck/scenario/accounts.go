package scenario

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// readAccounts reads a tree of accounts. Unlike elsewhere they may have sub-accounts unless they say otherwise: nearly all scenarios want that.
func (s *state) readAccounts(node *yaml.Node, parent string) {
	if node.Kind == yaml.SequenceNode || node.Kind == yaml.ScalarNode && !isNull(node) {
		for _, w := range s.words(node, sectionAccounts) {
			s.addAccount(w, account.Account{Parent: account.ID(parent), SubAccountManagement: true})
		}
		return
	}
	for key, value := range s.pairs(node, "accounts is a mapping from names to accounts, or a list of names") {
		s.readAccount(s.word(key), value, parent)
	}
}

func (s *state) readAccount(name word, node *yaml.Node, parent string) {
	a := account.Account{Parent: account.ID(parent), SubAccountManagement: true}
	var below *yaml.Node
	var switches []directory.Record
	for key, value := range s.only(node, "an account", "parent", "sub_accounts", "sub_account_access", "sub_account_management", "plan", sectionFeatures) {
		switch key.Value {
		case "parent":
			if p, ok := s.text(value, key.Value); ok && parent != "" {
				s.fault(value, CodeInvalidScenario, "%s stands below %s already", name.text, parent)
			} else if ok {
				a.Parent = account.ID(p.text)
			}
		case "sub_accounts":
			below = value
		case "sub_account_access":
			a.AccessMode = s.mode(value)
		case "sub_account_management":
			a.SubAccountManagement = s.flag(value, key.Value)
		case "plan":
			if p, ok := s.text(value, key.Value); ok && s.names.check(s, p, aPlan) {
				a.Plan = account.PlanKey(p.text)
			}
		case sectionFeatures:
			switches = s.readSwitches(name, value)
		}
	}
	s.addAccount(name, a)
	for _, r := range switches {
		s.record(name.at, r)
	}
	if below != nil {
		s.readAccounts(below, name.text)
	}
}

func (s *state) addAccount(name word, a account.Account) {
	a.ID, a.Name = account.ID(name.text), name.text
	if s.names.add(s, anAccount, name) {
		s.record(name.at, directory.Record{Account: &a})
	}
}

// readSwitches reads which features are switched on or off at an account: on and off, or with "for the branch" after it.
func (s *state) readSwitches(name word, node *yaml.Node) []directory.Record {
	var all []directory.Record
	for key, value := range s.pairs(node, "features of an account are a mapping from names to on, off, on for the branch, off for the branch") {
		if !s.names.check(s, s.word(key), aFeature) {
			continue
		}
		text, branch := strings.CutSuffix(value.Value, " for the branch")
		on, ok := onOff(text)
		if !ok {
			s.fault(value, CodeInvalidScenario, "a feature is on, off, on for the branch or off for the branch")
		}
		all = append(all, directory.Record{FeatureSwitch: &account.FeatureSwitch{
			Account: account.ID(name.text), Feature: account.FeatureKey(key.Value), On: on, Branch: branch,
		}})
	}
	return all
}

// readMembers reads the memberships of users: what each is in which account.
func (s *state) readMembers(node *yaml.Node) {
	for key, value := range s.pairs(node, "members is a mapping from users to their accounts") {
		user := s.word(key)
		if !s.names.has(aUser, user.text) {
			if !s.names.add(s, aUser, user) {
				continue
			}
			s.record(user.at, directory.Record{User: &account.User{ID: account.UserID(user.text), Email: s.email()}})
		}
		for in, grant := range s.pairs(value, "what %s is a member of is a mapping from accounts to roles", user.text) {
			at := s.word(in)
			pair := [2]string{user.text, in.Value}
			if first, again := s.members[pair]; again {
				s.faultAt(at.at, CodeDuplicateName, "%s is a member of %s already, at line %d", user.text, in.Value, first.Line)
				continue
			}
			s.members[pair] = at.at
			if g, ok := s.readGrant(at, grant); ok {
				g.User = account.UserID(user.text)
				s.record(at.at, directory.Record{Membership: &g})
			}
		}
	}
}

// readTokens reads machine members, each of one account (C1).
func (s *state) readTokens(node *yaml.Node) {
	for key, value := range s.pairs(node, "api_tokens is a mapping from names to the account and roles of each") {
		name := s.word(key)
		if !s.names.add(s, anAPIToken, name) {
			continue
		}
		n := 0
		for in, grant := range s.pairs(value, "what %s is a member of is a mapping from one account to roles", name.text) {
			if n++; n > 1 {
				s.fault(in, CodeInvalidScenario, "an API token is a member of one account")
			}
			if g, ok := s.readGrant(s.word(in), grant); ok {
				s.tokens = append(s.tokens, token{directory.NewAPIToken{
					Account: g.Account, Name: name.text, Roles: g.Roles, SubAccountAccess: g.SubAccountAccess, ExpiresAt: g.ExpiresAt,
				}, name.at})
			}
		}
		if n == 0 {
			s.fault(key, CodeInvalidScenario, "an API token is a member of one account, with a role there")
		}
	}
}

// readGrant reads what a member is in an account: a role, a list of roles, or a mapping.
func (s *state) readGrant(in word, node *yaml.Node) (directory.Grant, bool) {
	g := directory.Grant{Account: account.ID(in.text)}
	ok := s.names.check(s, in, anAccount)
	roles := node
	if node.Kind == yaml.MappingNode {
		roles = nil
		for key, value := range s.only(node, "a membership", sectionRoles, "role", "sub_account_access", "expires") {
			switch key.Value {
			case sectionRoles, "role":
				roles = value
			case "sub_account_access":
				on := s.flag(value, key.Value)
				g.SubAccountAccess = &on
			case "expires":
				if t, good := s.text(value, key.Value); good {
					g.ExpiresAt = s.time(t)
				}
			}
		}
	}
	if roles != nil {
		for _, w := range s.words(roles, sectionRoles) {
			if s.names.check(s, w, aRole) {
				g.Roles = append(g.Roles, account.RoleKey(w.text))
			} else {
				ok = false
			}
		}
	}
	if ok && len(g.Roles) == 0 {
		s.faultAt(in.at, CodeInvalidScenario, "a member needs a role in %s", in.text)
		ok = false
	}
	return g, ok
}

// time reads when a membership ends: a day, or a time.
func (s *state) time(w word) *time.Time {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, w.text); err == nil {
			t = t.UTC()
			return &t
		}
	}
	s.faultAt(w.at, CodeInvalidScenario, "%s is no time; write 2035-01-31 or 2035-01-31T12:00:00Z", account.Quote(w.text))
	return nil
}

// isOurs reports whether relationships of a type are written by Tenantry alone.
func isOurs(objectType string) bool {
	switch objectType {
	case relation.TypeUser, relation.TypeAPIToken, relation.TypeOperator, relation.TypeVersion, relation.TypeEnvironment,
		relation.TypeRole, relation.TypeAssignment, relation.TypeAccount, relation.TypeFeature, relation.TypePlan:
		return true
	default:
		return false
	}
}

// linesOf returns the lines of a text without space around them, and the column at which each begins; comments are empty.
func linesOf(text string) []word {
	var all []word
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		at := finding.At(0, strings.Index(line, trimmed)+1)
		if strings.HasPrefix(trimmed, "//") {
			trimmed = ""
		}
		all = append(all, word{trimmed, at})
	}
	return all
}
