package access

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/switcher"
)

// Subject is whose accounts are asked for: a user, or an API token (C1). Exactly one field is set.
type Subject struct {
	User     account.UserID
	APIToken account.APITokenID
}

func (s Subject) check() error {
	if s.APIToken != "" {
		return account.CheckID("token", s.APIToken)
	}
	return account.CheckID("user", s.User)
}

// is reports whether the subject is who asks.
func (s Subject) is(actor account.Actor) bool {
	return s == Subject{User: actor.User, APIToken: actor.APIToken}
}

func (s Subject) name() string {
	if s.APIToken != "" {
		return "API token " + string(s.APIToken)
	}
	return string(s.User)
}

func (s Subject) object(env account.EnvironmentID) relation.Object {
	if s.APIToken != "" {
		return relation.APITokenObject(env, s.APIToken)
	}
	return relation.UserObject(env, s.User)
}

// remembered is the subject as the index knows it.
func (s Subject) remembered() switcher.Subject {
	if s.APIToken != "" {
		return switcher.Subject{Kind: switcher.APIToken, ID: string(s.APIToken)}
	}
	return switcher.Subject{Kind: switcher.User, ID: string(s.User)}
}

// missing is the NotFound fault of a subject that is not there: user_not_found, api_token_not_found.
func (s Subject) missing() error {
	if s.APIToken != "" {
		return fault.New(fault.NotFound, "api_token_not_found", "there is no API token %s", account.Quote(string(s.APIToken)))
	}
	return fault.New(fault.NotFound, "user_not_found", "there is no user %s", account.Quote(string(s.User)))
}

// memberships returns where the subject is a member, by id of the account; an API
// token is of one account. NotFound faults: user_not_found, api_token_not_found.
func (s Subject) memberships(ctx context.Context, r directory.Reader) ([]account.Membership, error) {
	if s.APIToken != "" {
		found, err := r.APIToken(ctx, s.APIToken)
		t := found.Value
		return []account.Membership{{Account: t.Account, Roles: t.Roles, BranchAccess: t.BranchAccess, ExpiresAt: t.ExpiresAt}}, err
	}
	if _, err := r.User(ctx, s.User); err != nil {
		return nil, err
	}
	return r.MembershipsOf(ctx, s.User)
}
