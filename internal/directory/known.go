package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// maxShared is at how many accounts it is asked whether a user may see another one.
const maxShared = 200

// placesOf returns the accounts that a user, or an API token, is a member of.
func placesOf(ctx context.Context, r Reader, viewer account.Actor) (map[account.ID]bool, error) {
	places := map[account.ID]bool{}
	if viewer.User == "" {
		token, err := r.APIToken(ctx, viewer.APIToken)
		if err == nil {
			places[token.Value.Account] = true
		} else if errors.Is(err, fault.NotFound) {
			err = nil // revoked meanwhile: a member of nothing
		}
		return places, err
	}
	memberships, err := r.MembershipsOf(ctx, viewer.User)
	for _, m := range memberships {
		places[m.Account] = true
	}
	return places, err
}

// mustKnow refuses a user who does not exist. It lets a user, or an API token, name only themselves
// and those whom they may see: members of an account at which they hold
// read_users. Others are to them as if they did not exist.
func mustKnow(ctx context.Context, r Reader, p *plan, user account.UserID) error {
	if _, err := r.User(ctx, user); err != nil {
		if p.byUser && errors.Is(err, fault.NotFound) {
			return noSuchUser(user)
		}
		return err
	}
	if !p.byUser || p.judge.User == user {
		return nil
	}
	shared, err := sharedAccounts(ctx, r, p.judge, user)
	if err != nil {
		return err
	}
	n := need{doing: "name user " + string(user), otherwise: noSuchUser(user)}
	for _, id := range shared {
		n.anyOf = append(n.anyOf, Question{"read_users", relation.AccountObject(p.env, id)})
	}
	p.need(n)
	return nil
}

func noSuchUser(id account.UserID) *fault.Error {
	return fault.New(fault.NotFound, "user_not_found", "there is no user %s", account.Quote(string(id)))
}

// sharedAccounts returns accounts that user is a member of, and at which viewer
// could hold a permission, being a member there or above: at most maxShared, those
// first where both are members.
func sharedAccounts(ctx context.Context, r Reader, viewer account.Actor, user account.UserID) ([]account.ID, error) {
	member, err := placesOf(ctx, r, viewer)
	if err != nil {
		return nil, err
	}
	theirs, err := r.MembershipsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	ids := make([]account.ID, len(theirs))
	for i, m := range theirs {
		ids[i] = m.Account
	}
	accounts, err := r.WithAncestors(ctx, ids)
	if err != nil {
		return nil, err
	}
	parents := make(map[account.ID]account.ID, len(accounts))
	for _, a := range accounts {
		parents[a.ID] = a.Parent
	}
	var here, below []account.ID
	for _, id := range ids {
		if member[id] {
			here = append(here, id)
			continue
		}
		for up, levels := parents[id], 0; up != "" && levels < account.MaxMaxDepth; up, levels = parents[up], levels+1 {
			if member[up] {
				below = append(below, id)
				break
			}
		}
	}
	shared := slices.Concat(here, below)
	return shared[:min(maxShared, len(shared))], nil
}
