package relation

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

// Projector turns states of the directory into relationships, with the relation names of a catalogue.
type Projector struct {
	catalogue *schema.Catalogue
}

// NewProjector returns a Projector for the catalogue that the engine's schema was built from.
func NewProjector(catalogue *schema.Catalogue) *Projector {
	return &Projector{catalogue: catalogue}
}

// Implied returns the relationships that one entity's state implies. No two
// entities imply the same relationship, so those of a directory are the sum
// over its entities. A role with a permission that the catalogue does not
// have is a Conflict fault (code "permission_gone").
func (p *Projector) Implied(env account.EnvironmentID, e account.Entity) ([]Relationship, error) {
	switch {
	case e.Environment != nil:
		return ofEnvironment(*e.Environment), nil
	case e.Client != nil:
		return ofClient(env, *e.Client), nil
	case e.Account != nil:
		return ofAccount(env, *e.Account), nil
	case e.User != nil:
		return ofUser(env, *e.User), nil
	case e.Role != nil:
		return p.ofRole(env, *e.Role)
	case e.Membership != nil:
		return ofMembership(env, *e.Membership), nil
	case e.Assignment != nil:
		return ofAssignment(env, *e.Assignment), nil
	case e.APIToken != nil:
		return ofAPIToken(env, *e.APIToken), nil
	case e.Plan != nil:
		return ofPlan(env, *e.Plan), nil
	case e.FeatureSwitch != nil:
		return ofFeatureSwitch(env, *e.FeatureSwitch), nil
	case e.Operator != nil:
		return ofOperator(env, e.Operator.ID, e.Operator.Roles), nil
	case e.Feature != nil, e.Invitation != nil, e.Impersonation != nil, e.ClientSecret != nil, e.Issuer != nil, e.Identity != nil:
		return nil, nil // of no meaning to the engine
	default:
		return nil, fault.New(fault.Internal, "empty_entity", "a change of the journal holds no entity this version knows")
	}
}

func rel(resource Object, relation string, subject Object) Relationship {
	return Relationship{Key: Key{Resource: resource, Relation: relation, Subject: subject}}
}

// everyone gives a resource's flag relation to all subjects of the types.
func everyone(resource Object, relation string, types ...string) []Relationship {
	out := make([]Relationship, len(types))
	for i, t := range types {
		out[i] = rel(resource, relation, Object{Type: t, ID: "*"})
	}
	return out
}

// E2
func ofEnvironment(e account.Environment) []Relationship {
	if !e.SubAccountsEnabled {
		return nil
	}
	return everyone(EnvironmentObject(e.ID), "sub_accounts_enabled", TypeUser, TypeAPIToken, TypeOperator)
}

// E4
func ofOperator(env account.EnvironmentID, id account.ClientID, roles []account.PortalRole) []Relationship {
	out := make([]Relationship, 0, len(roles)+1)
	for _, r := range roles {
		out = append(out, rel(EnvironmentObject(env), string(r), OperatorObject(env, id)))
	}
	return out
}

// E4
func ofClient(env account.EnvironmentID, c account.Client) []Relationship {
	out := ofOperator(env, c.ID, c.Roles)
	if c.ActForUsers {
		out = append(out, rel(EnvironmentObject(env), "delegate", OperatorObject(env, c.ID)))
	}
	return out
}

// A1, A3
func ofAccount(env account.EnvironmentID, a account.Account) []Relationship {
	self := AccountObject(env, a.ID)
	out := []Relationship{rel(self, "environment", EnvironmentObject(env))}
	if a.Parent != "" {
		out = append(out, rel(self, "parent", AccountObject(env, a.Parent)))
	}
	if a.SubAccountManagement {
		out = append(out, everyone(self, "sub_account_management", TypeUser, TypeAPIToken, TypeOperator)...)
	}
	if a.Plan != "" {
		out = append(out, rel(self, "plan", planObject(env, a.Plan)))
		out = append(out, everyone(self, "own_plan", TypeFeature)...)
	}
	return out
}

// U5
func ofUser(env account.EnvironmentID, u account.User) []Relationship {
	if !u.Blocked {
		return nil
	}
	return []Relationship{rel(EnvironmentObject(env), "blocked", UserObject(env, u.ID))}
}

// U2
func (p *Projector) ofRole(env account.EnvironmentID, r account.Role) ([]Relationship, error) {
	out := make([]Relationship, 0, 2*len(r.Permissions))
	for _, key := range r.Permissions {
		permission, ok := p.catalogue.Lookup(string(key))
		if !ok {
			return nil, fault.New(fault.Conflict, "permission_gone",
				"role %s has the permission %s, which is not in the catalogue; start with the catalogue that has it (--permissions)", r.Key, account.Quote(string(key)))
		}
		out = append(out, everyone(roleObject(env, r.Key), permission.Relation, TypeUser, TypeAPIToken)...)
	}
	return out, nil
}

// U4, U6, S1
func ofMembership(env account.EnvironmentID, m account.Membership) []Relationship {
	return holder(env, m.Account, UserObject(env, m.User), m.Roles, m.BranchAccess, m.ExpiresAt)
}

// C1: a machine member is a member.
func ofAPIToken(env account.EnvironmentID, t account.APIToken) []Relationship {
	return holder(env, t.Account, APITokenObject(env, t.ID), t.Roles, t.BranchAccess, t.ExpiresAt)
}

func holder(env account.EnvironmentID, id account.ID, member Object, roles []account.RoleKey, branch account.BranchAccess, expires *time.Time) []Relationship {
	out := make([]Relationship, 0, 2*len(roles))
	for _, key := range roles {
		r := rel(assignmentObject(env, id, key), "member", member)
		if expires != nil {
			r.Expires = expires.Unix()
		}
		out = append(out, r)
		if branch != account.NoBranchAccess {
			r.Relation = "branch_member"
			out = append(out, r)
		}
	}
	return out
}

func ofPlan(env account.EnvironmentID, p account.Plan) []Relationship {
	out := make([]Relationship, len(p.Features))
	for i, key := range p.Features {
		out[i] = rel(planObject(env, p.Key), "feature", FeatureObject(env, key))
	}
	return out
}

func ofFeatureSwitch(env account.EnvironmentID, s account.FeatureSwitch) []Relationship {
	name := "feature_off"
	if s.On {
		name = "feature_on"
	}
	if s.Branch {
		name = "branch_" + name
	}
	return []Relationship{rel(AccountObject(env, s.Account), name, FeatureObject(env, s.Feature))}
}

// S3: always_on is one relationship for an assignment, however many members it has.
func ofAssignment(env account.EnvironmentID, a account.Assignment) []Relationship {
	self := assignmentObject(env, a.Account, a.Role)
	out := []Relationship{
		rel(AccountObject(env, a.Account), "assignment", self),
		rel(self, "role", roleObject(env, a.Role)),
	}
	if a.AlwaysOn {
		out = append(out, Relationship{Key: Key{Resource: self, Relation: "branch_member", Subject: self, SubjectRelation: "member"}})
	}
	return out
}
