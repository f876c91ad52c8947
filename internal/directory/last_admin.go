package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// leaving is what an environment is about to lose, of what its admins are known by; "" for what it keeps.
type leaving struct {
	Officer account.ClientID // a client or a person, or their being admin
	Secret  account.SecretID // of a client
	Issuer  string           // the address of an OpenID provider
}

// keepAnAdmin refuses a change after which nobody could administer the environment, if
// somebody can before: Conflict (last_admin). On the command line, where another admin
// can be made, it may be done.
func (p *plan) keepAnAdmin(ctx context.Context, r Reader, lost leaving) error {
	if p.actor.System {
		return nil
	}
	after, err := hasAdmin(ctx, r, lost)
	if err != nil || after {
		return err
	}
	before, err := hasAdmin(ctx, r, leaving{})
	if err != nil || !before {
		return err
	}
	return fault.New(fault.Conflict, "last_admin",
		"nobody could administer the environment then: there is no other client with the role and the scope admin and a secret that does not end, and no other person with the role who is linked to a provider; make one first, or do this on the command line")
}

// hasAdmin reports whether somebody can administer the environment without what it is
// about to lose: a client that may use all of the API and has a secret that does not end,
// or a person who is linked to a subject of a provider that is trusted.
func hasAdmin(ctx context.Context, r Reader, lost leaving) (bool, error) {
	clients, err := r.Clients(ctx)
	if err != nil {
		return false, err
	}
	for _, c := range clients {
		if c.ID == lost.Officer || !administers(c) {
			continue
		}
		secrets, err := r.ClientSecrets(ctx, c.ID)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(secrets, func(s account.Versioned[account.ClientSecret]) bool {
			return s.Value.ID != lost.Secret && s.Value.ExpiresAt == nil // what ends is not what stays
		}) {
			return true, nil
		}
	}
	return hasAdminWhoSignsIn(ctx, r, lost)
}

func hasAdminWhoSignsIn(ctx context.Context, r Reader, lost leaving) (bool, error) {
	issuers, err := r.Issuers(ctx)
	if err != nil {
		return false, err
	}
	trusted := map[string]bool{}
	for _, i := range issuers {
		trusted[i.Value.URL] = i.Value.Purpose == account.ForOperators && i.Value.URL != lost.Issuer
	}
	f := KeyPage{Limit: MaxLimit}
	for {
		found, _, err := r.Operators(ctx, f)
		if err != nil {
			return false, err
		}
		for _, o := range found {
			if o.Value.ID != lost.Officer && slices.Contains(o.Value.Roles, account.PortalAdmin) && trusted[o.Value.Issuer] {
				return true, nil
			}
			f.After = string(o.Value.ID)
		}
		if len(found) < f.Limit {
			return false, nil
		}
	}
}
