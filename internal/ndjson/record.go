package ndjson

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// The kinds of lines.
const (
	kindEnvironment = "environment"
	kindRole        = "role"
	kindAccount     = "account"
	kindUser        = "user"
	kindMembership  = "membership"
	kindFeature     = "feature"
	kindPlan        = "plan"
	kindSwitch      = "feature_switch"
)

const kinds = "environment, role, feature, plan, account, user, membership or feature_switch"

// record makes the record of an object's kind.
func record(o *object) (directory.Record, *fault.Error) {
	var rec directory.Record
	kind := o.str("kind")
	switch {
	case o.bad != nil:
		return rec, o.bad
	case kind == "":
		return rec, fault.New(fault.Invalid, "unknown_kind", "the line has no kind; it is %s", kinds).In("kind")
	}
	switch kind {
	case kindEnvironment:
		rec.NewEnvironment = environment(o)
	case kindRole:
		rec.Role = role(o)
	case kindAccount:
		rec.Account = tenant(o)
	case kindUser:
		rec.User = user(o)
	case kindMembership:
		rec.Membership = membership(o)
	case kindFeature:
		rec.Feature = feature(o)
	case kindPlan:
		rec.Plan = plan(o)
	case kindSwitch:
		rec.FeatureSwitch = featureSwitch(o)
	default:
		return rec, fault.New(fault.Invalid, "unknown_kind", "there is no kind %s; it is %s", account.Quote(kind), kinds).In("kind")
	}
	return rec, o.finish(kind)
}

func environment(o *object) *account.Environment {
	e := account.Environment{
		ID:                 id[account.EnvironmentID](o, "id"),
		Name:               o.nameIfAny(),
		SubAccountsEnabled: o.is("sub_accounts_enabled"),
		DefaultAccessMode:  o.mode("default_access_mode", account.DefaultOff),
		MaxDepth:           o.number("max_depth", account.DefaultMaxDepth),
		InvitationURL:      o.str("invitation_url"),
		InvitationHours:    o.number("invitation_hours", account.DefaultInvitationHours),
		TokenMinutes:       o.number("token_minutes", account.DefaultTokenMinutes),
		ExchangeOnly:       o.is("exchange_only"),
		IPAllowList:        o.networks("ip_allow_list"),
	}.WithDefaults()
	o.check(account.CheckMaxDepth(e.MaxDepth))
	o.check(account.CheckInvitationURL("invitation_url", e.InvitationURL))
	o.check(account.CheckLifetime("invitation_hours", e.InvitationHours, account.MaxInvitationHours))
	o.check(account.CheckLifetime("token_minutes", e.TokenMinutes, account.MaxTokenMinutes))
	return &e
}

func role(o *object) *account.Role {
	r := account.Role{
		Key:         id[account.RoleKey](o, "key"),
		Name:        o.nameIfAny(),
		Account:     idIfAny[account.ID](o, "account"),
		Permissions: set[account.PermissionKey](o, "permissions"),
	}
	o.given("permissions") // an empty list is a role without permissions; no list is a slip
	return &r
}

func tenant(o *object) *account.Account {
	return &account.Account{
		ID:                   id[account.ID](o, "id"),
		Name:                 o.name("name"),
		Parent:               idIfAny[account.ID](o, "parent"),
		SubAccountManagement: o.is("sub_account_management"),
		AccessMode:           o.mode("sub_account_access", ""),
		Plan:                 idIfAny[account.PlanKey](o, "plan"),
		IPAllowList:          o.networks("ip_allow_list"),
		CreatedAt:            o.time("created_at"),
	}
}

func user(o *object) *account.User {
	return &account.User{
		ID:        id[account.UserID](o, "id"),
		Email:     o.email("email"),
		Name:      o.nameIfAny(),
		Blocked:   o.is("blocked"),
		CreatedAt: o.time("created_at"),
	}
}

func membership(o *object) *directory.Grant {
	g := directory.Grant{
		Account:          id[account.ID](o, "account"),
		User:             id[account.UserID](o, "user"),
		Roles:            set[account.RoleKey](o, "roles"),
		SubAccountAccess: o.flag("sub_account_access"),
		KeptFromAlwaysOn: o.is("kept_from_always_on"),
	}
	if len(g.Roles) == 0 {
		o.fail(fault.New(fault.Invalid, "missing_role", "a membership needs at least one role").In("roles"))
	}
	for _, r := range g.Roles {
		o.check(account.CheckID("roles", r))
	}
	switch {
	case !g.KeptFromAlwaysOn:
	case g.SubAccountAccess == nil:
		yes := true
		g.SubAccountAccess = &yes
	case !*g.SubAccountAccess:
		o.fail(fault.New(fault.Invalid, "kept_without_access",
			"kept_from_always_on marks sub-account access, which sub_account_access refuses").In("kept_from_always_on"))
	}
	if at := o.time("expires_at"); !at.IsZero() {
		if at.Nanosecond() != 0 {
			o.fail(fault.New(fault.Invalid, "invalid_time", "expires_at must be in whole seconds, not %s",
				at.Format(time.RFC3339Nano)).In("expires_at"))
		}
		g.ExpiresAt = &at
	}
	return &g
}
