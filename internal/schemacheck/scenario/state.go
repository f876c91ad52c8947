package scenario

import (
	"fmt"
	"strconv"

	"github.com/authzed/spicedb/pkg/tuple"
	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// state is what a scenario begins with, as it is asked of the directory.
type state struct {
	*document
	model *Model
	title string

	env           account.Environment
	records       []directory.Record // their lines are places in at
	at            []finding.Place    // of each record
	operators     []operator
	tokens        []token
	relationships []relationship
	blocked       map[string]bool

	names   names
	members map[[2]string]finding.Place // user and account
}

type operator struct {
	account.Client
	at finding.Place
}

type token struct {
	directory.NewAPIToken
	at finding.Place
}

// relationship is one of the application's own.
type relationship struct {
	tuple.Relationship
	at finding.Place
}

// text is the relationship as SpiceDB writes it, "" if it cannot be written.
func (r relationship) text() string {
	text, err := tuple.String(r.Relationship)
	if err != nil {
		return ""
	}
	return text
}

func newState(d *document, model *Model) *state {
	return &state{
		document: d, model: model, blocked: map[string]bool{}, names: names{}, members: map[[2]string]finding.Place{},
		env: account.Environment{ID: "prod", SubAccountsEnabled: true, DefaultAccessMode: account.DefaultOff, MaxDepth: account.DefaultMaxDepth}.WithDefaults(),
	}
}

// read reads a section.
func (s *state) read(name string, node *yaml.Node) {
	switch name {
	case sectionEnvironment:
		s.readEnvironment(node)
	case sectionRoles:
		s.readRoles(node)
	case sectionFeatures:
		for _, w := range s.words(node, sectionFeatures) {
			if s.names.add(s, aFeature, w) {
				s.record(w.at, directory.Record{Feature: &account.Feature{Key: account.FeatureKey(w.text)}})
			}
		}
	case sectionPlans:
		s.readPlans(node)
	case sectionAccounts:
		s.readAccounts(node, "")
	case sectionMembers:
		s.readMembers(node)
	case sectionBlocked:
		for _, w := range s.words(node, sectionBlocked) {
			if s.names.check(s, w, aUser) {
				s.blocked[w.text] = true
			}
		}
	case sectionOperators:
		s.readOperators(node)
	case sectionTokens:
		s.readTokens(node)
	case sectionRelationships:
		s.readRelationships(node)
	}
}

// settle completes what one section says of another.
func (s *state) settle() {
	for i := range s.records {
		switch r := &s.records[i]; {
		case r.User != nil:
			r.User.Blocked = s.blocked[string(r.User.ID)]
		case r.Account != nil && r.Account.Parent != "":
			s.names.check(s, word{string(r.Account.Parent), s.at[i]}, anAccount)
		case r.Role != nil && r.Role.Account != "":
			s.names.check(s, word{string(r.Role.Account), s.at[i]}, anAccount)
		}
	}
}

func (s *state) record(at finding.Place, r directory.Record) {
	s.at = append(s.at, at)
	r.Line = len(s.at)
	s.records = append(s.records, r)
}

func (s *state) readEnvironment(node *yaml.Node) {
	for key, value := range s.only(node, sectionEnvironment, "id", "sub_accounts", "sub_account_access", "max_depth") {
		switch key.Value {
		case "id":
			if id, ok := s.text(value, key.Value); ok {
				s.env.ID = account.EnvironmentID(id.text)
			}
		case "sub_accounts":
			s.env.SubAccountsEnabled = s.flag(value, key.Value)
		case "sub_account_access":
			s.env.DefaultAccessMode = s.mode(value)
		case "max_depth":
			depth, err := strconv.Atoi(value.Value)
			if err != nil {
				s.fault(value, CodeInvalidScenario, "max_depth is a number of levels")
			}
			s.env.MaxDepth = depth
		}
	}
}

func (s *state) mode(node *yaml.Node) account.AccessMode {
	m := account.AccessMode(node.Value)
	if err := account.CheckAccessMode("sub_account_access", m); err != nil {
		s.fault(node, CodeInvalidScenario, "sub_account_access is default_off, default_on or always_on, not %s%s", account.Quote(node.Value),
			didYouMean(node.Value, []string{string(account.DefaultOff), string(account.DefaultOn), string(account.AlwaysOn)}))
	}
	return m
}

func (s *state) readRoles(node *yaml.Node) {
	for key, value := range s.pairs(node, "roles is a mapping from names to lists of permissions") {
		name := s.word(key)
		role := account.Role{Key: account.RoleKey(name.text)}
		if value.Kind == yaml.MappingNode {
			for k, v := range s.only(value, "a role", "permissions", "account") {
				switch k.Value {
				case "permissions":
					role.Permissions = s.permissions(v)
				case "account":
					if of, ok := s.text(v, "account"); ok {
						role.Account = account.ID(of.text)
					}
				}
			}
		} else {
			role.Permissions = s.permissions(value)
		}
		if s.names.add(s, aRole, name) {
			s.record(name.at, directory.Record{Role: &role})
		}
	}
}

// permissions returns the keys of permissions that a node names; "everything" is all there are.
func (s *state) permissions(node *yaml.Node) []account.PermissionKey {
	keys := []account.PermissionKey{}
	for _, w := range s.words(node, "permissions") {
		if w.text == "everything" || w.text == "*" {
			keys = append(keys, s.model.everything()...)
			continue
		}
		if key, ok := s.permission(w); ok {
			keys = append(keys, key)
		}
	}
	return account.Set(keys)
}

func (s *state) permission(w word) (account.PermissionKey, bool) {
	p, ok := s.model.catalogue.Lookup(w.text)
	if !ok {
		s.faultAt(w.at, CodeUnknownName, "there is no permission %s%s", account.Quote(w.text), didYouMean(w.text, s.model.permissionNames()))
	}
	return p.Key, ok
}

func (s *state) readPlans(node *yaml.Node) {
	for key, value := range s.pairs(node, "plans is a mapping from names to lists of features") {
		name := s.word(key)
		plan := account.Plan{Key: account.PlanKey(name.text), Features: []account.FeatureKey{}}
		for _, w := range s.words(value, "a plan") {
			if s.names.check(s, w, aFeature) {
				plan.Features = append(plan.Features, account.FeatureKey(w.text))
			}
		}
		plan.Features = account.Set(plan.Features)
		if s.names.add(s, aPlan, name) {
			s.record(name.at, directory.Record{Plan: &plan})
		}
	}
}

func (s *state) readOperators(node *yaml.Node) {
	for key, value := range s.pairs(node, "operators is a mapping from names to portal roles") {
		name := s.word(key)
		o := operator{account.Client{ID: account.ClientID(name.text)}, name.at}
		for _, w := range s.words(value, "an operator") {
			role := account.PortalRole(w.text)
			if err := account.CheckPortalRoles([]account.PortalRole{role}); err != nil && role != account.Impersonator {
				var known []string
				for _, r := range account.PortalRoles() {
					known = append(known, string(r))
				}
				s.faultAt(w.at, CodeUnknownName, "%s is no portal role%s; they are %s", account.Quote(w.text), didYouMean(w.text, known), listed(known))
				continue
			}
			o.Roles = append(o.Roles, role)
		}
		if s.names.add(s, anOperator, name) {
			s.operators = append(s.operators, o)
		}
	}
}

func (s *state) readRelationships(node *yaml.Node) {
	lines := splitLines(s.document, node)
	for _, line := range lines {
		if rel, ok := s.relationship(line); ok {
			s.relationships = append(s.relationships, relationship{rel, line.at})
		}
	}
}

// relationship reads one of the application's relationships.
func (s *state) relationship(w word) (tuple.Relationship, bool) {
	rel, err := tuple.Parse(w.text)
	if err != nil {
		s.faultAt(w.at, finding.CodeInvalidRelationship, "%s is not a relationship; write type:id#relation@type:id", account.Quote(w.text))
		return rel, false
	}
	if isOurs(rel.Resource.ObjectType) {
		s.faultAt(w.at, finding.CodeInvalidRelationship, "relationships of %s follow from accounts and members; here are those of the application's own types", rel.Resource.ObjectType)
		return rel, false
	}
	return rel, true
}

// splitLines returns the lines of a text, or the entries of a list, that say something.
func splitLines(d *document, node *yaml.Node) []word {
	if isNull(node) {
		return nil
	}
	nodes := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		nodes = node.Content
	}
	var all []word
	for _, n := range nodes {
		n = resolve(n)
		if n.Kind != yaml.ScalarNode {
			d.fault(n, CodeInvalidScenario, "relationships is a text with one relationship a line")
			continue
		}
		placed := schemacheck.Within(d.Source, n)
		for i, line := range linesOf(n.Value) {
			if line.text != "" {
				all = append(all, word{line.text, placed(finding.At(i+1, line.at.Column))})
			}
		}
	}
	return all
}

// email is an address for a user, which the directory needs and scenarios do not.
func (s *state) email() string { return fmt.Sprintf("user-%d@example.com", len(s.records)) }
