package access

import (
	"context"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Because is a reason why a subject does not hold a permission; stable.
type Because string

// The reasons, in the order in which they are told.
const (
	NoAccount        Because = "account_not_found"
	NoSubject        Because = "subject_not_found"
	Blocked          Because = "blocked"                      // the user is (U5)
	AtTheRoot        Because = "root_account"                 // it is held at the parent, and there is none
	SubAccountsOff   Because = "sub_accounts_disabled"        // in the environment (E2)
	ManagementOff    Because = "sub_account_management_off"   // where it would be held (A3)
	NoMembership     Because = "no_membership"                // in the account or above it
	NoBranchAccess   Because = "no_sub_account_access"        // member above, and the access does not reach down (S1)
	MembershipEnded  Because = "expired"                      // the membership has (U6)
	RoleLacks        Because = "role_lacks_permission"        // a membership reaches here, its roles do not hold it
	PortalRoleLacks  Because = "portal_role_lacks_permission" // an operator's
	NotExplainedHere Because = "unexplained"                  // directory and engine differ for now
)

// Explanation is what the engine says of a question, and why (S5).
type Explanation struct {
	Answer
	Sources []Source  // that give the permission, with those of their roles that hold it; the nearest first
	Because []Because // why it is not allowed; none if it is
	Version account.Version
	By      Teller // as of which the engine answered
}

// explainTries is how often a question is asked that what is recorded does not
// explain: it may have changed between the two.
const explainTries = 4

// Explain answers a question about an account as Check does, for who may ask Check,
// and says where the permission comes from, or why it is not held. The subject is a
// user, an API token or an operator. All that is recorded when it is called is in
// force for it.
//
// The engine decides; sources and reasons are read from the directory, and told
// only if they come to the same. Whoever asks about themselves and may not open
// the account is told of their membership in it alone.
//
// Faults: Invalid (not_explained, unknown_permission, invalid_object), Denied, Unavailable.
func (s *Service) Explain(ctx context.Context, actor account.Actor, q Question, version account.Version) (Explanation, error) {
	subject, id, asked, err := s.explainable(actor, q)
	if err != nil {
		return Explanation{}, err
	}
	questions := []Question{q, {Subject: q.Subject, Permission: "access", Resource: q.Resource}}
	var out Explanation
	for range explainTries {
		said, err := s.checkAll(ctx, actor, questions, version)
		if err != nil {
			return Explanation{}, err
		}
		now := s.cfg.Now()
		found, err := s.facts(ctx, actor.Environment, subject, id)
		if err != nil {
			return Explanation{}, err
		}
		if found.head > said.Version { // ask again, with all of this in force
			version = found.head
			if said, err = s.checkAll(ctx, actor, questions, version); err != nil {
				return Explanation{}, err
			}
		}
		if actor.IsMember() && !said.Items[1].Allowed {
			found.onlyAt(id)
		}
		out = Explanation{Answer: said.Items[0], Version: said.Version, By: said.By}
		out.Sources, out.Because = found.explain(asked, now)
		if out.Allowed == (len(out.Because) == 0) {
			return out, nil
		}
	}
	s.cfg.Log.WarnContext(ctx, "what the engine answers is not explained by what the directory holds", "environment", actor.Environment,
		"subject", q.Subject, "permission", q.Permission, "resource", q.Resource, "allowed", out.Allowed, "version", out.Version)
	if out.Because = nil; !out.Allowed {
		out.Because = []Because{NotExplainedHere}
	}
	return out, nil
}

// checkAll is Check, with one answer's fault for all.
func (s *Service) checkAll(ctx context.Context, actor account.Actor, questions []Question, version account.Version) (Answers, error) {
	said, err := s.Check(ctx, actor, questions, version)
	for _, a := range said.Items {
		if err == nil {
			err = a.failure()
		}
	}
	return said, err
}

// explainable refuses what cannot be explained, and returns what a question is about.
func (s *Service) explainable(actor account.Actor, q Question) (subject relation.Object, id account.ID, asked basis, err error) {
	env := actor.Environment
	parsed, err := parseSubject(env, q.Subject)
	if err != nil {
		return subject, "", asked, err
	}
	resource, err := parseObject(env, "resource", q.Resource)
	if err != nil {
		return subject, "", asked, err
	}
	if err := within(actor, resource); err != nil {
		return subject, "", asked, fault.From(err).In("resource")
	}
	if resource.Type != relation.TypeAccount {
		return subject, "", asked, fault.New(fault.Invalid, "not_explained", "only permissions on accounts are explained; a check answers the others").In("resource")
	}
	known := []string{relation.TypeUser, relation.TypeAPIToken, relation.TypeOperator}
	if !slices.Contains(known, parsed.Type) || parsed.Relation != "" {
		return subject, "", asked, fault.New(fault.Invalid, "not_explained", "only what a user, an API token or an operator may do is explained; a check answers for others").In("subject")
	}
	name, err := s.permission(resource.Type, q.Permission, actor.IsMember())
	if err != nil {
		return subject, "", asked, err
	}
	asked, err = basisOf(s.catalogue, name)
	local, _ := resource.Local(env)
	return parsed.Object, account.ID(local), asked, err
}

// explain returns by what the subject holds what is asked; if not, why: nothing if it is held.
func (f *facts) explain(asked basis, now time.Time) ([]Source, []Because) {
	line := f.line
	if len(line) == 0 && !f.hidden {
		return nil, []Because{NoAccount}
	}
	if !f.known {
		return nil, []Because{NoSubject}
	}
	var because []Because
	if f.blocked {
		because = append(because, Blocked)
	}
	if asked.atParent && !f.operator {
		if len(line) == 1 {
			return nil, append(because, AtTheRoot)
		}
		line = line[:len(line)-1]
	}
	if !f.operator || asked.bound {
		if asked.enabled && !f.env.SubAccountsEnabled {
			because = append(because, SubAccountsOff)
		}
		if asked.managed && !line[len(line)-1].SubAccountManagement {
			because = append(because, ManagementOff)
		}
	}
	sources, lacking := f.weigh(line, asked, now)
	if len(sources) == 0 {
		because = append(because, lacking...)
	}
	return sources, because
}

// weigh returns what gives the subject a permission at the last account of a line; if nothing does, what is lacking.
func (f *facts) weigh(line []account.Account, asked basis, now time.Time) (sources []Source, lacking []Because) {
	if f.operator {
		return portalSources(f.portal, asked.operator), []Because{PortalRoleLacks}
	}
	found := map[Because]bool{}
	for _, h := range f.holdings {
		source, near := h.source(line)
		if !near {
			continue
		}
		source.Roles = f.holding(h.roles, asked.relation)
		switch {
		case source.Via == "":
			found[NoBranchAccess] = true
		case h.expired(now):
			found[MembershipEnded] = true
		case len(source.Roles) == 0:
			found[RoleLacks] = true
		default:
			sources = append(sources, source)
		}
	}
	nearestFirst(line, sources)
	if len(found) == 0 {
		found[NoMembership] = true
	}
	for _, b := range []Because{NoMembership, NoBranchAccess, MembershipEnded, RoleLacks} {
		if found[b] {
			lacking = append(lacking, b)
		}
	}
	return sources, lacking
}

// holding returns those of the roles that hold a permission of the catalogue; all of them if it is "".
func (f *facts) holding(roles []account.RoleKey, permission string) []account.RoleKey {
	if permission == "" {
		return roles
	}
	var out []account.RoleKey
	for _, key := range roles {
		if f.grants[key][permission] {
			out = append(out, key)
		}
	}
	return out
}
