package directory

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// NewAPIToken is an API token as a caller asks for one.
type NewAPIToken struct {
	Account account.ID
	Name    string
	Roles   []account.RoleKey

	// SubAccountAccess asks for sub-account access or against it; nil leaves it to the account's access mode (S3).
	SubAccountAccess *bool
	ExpiresAt        *time.Time // nil is never (U6); whole seconds
}

func (in NewAPIToken) grant() Grant {
	return Grant{Account: in.Account, Roles: in.Roles, SubAccountAccess: in.SubAccountAccess, ExpiresAt: in.ExpiresAt}
}

// CreateAPIToken makes a machine member of an account and returns its secret (C1,
// C2). It needs manage_api_tokens there, from users and API tokens every permission
// of the roles (U4), and for a choice about sub-account access that differs from
// what the access mode gives write_sub_account_access (S2, S3).
//
// Faults: those of SetMembership for a new member; Denied (not_while_impersonating); Conflict (too_many_api_tokens).
func (d *Directory) CreateAPIToken(ctx context.Context, req Request, in NewAPIToken) (Result[account.APIToken], Secret, error) {
	var none Result[account.APIToken]
	if err := notWhileImpersonating(req); err != nil {
		return none, "", err
	}
	if err := account.CheckID("account", in.Account); err != nil {
		return none, "", err
	}
	if err := checkTerms(in.Roles, "expires_at", in.ExpiresAt); err != nil {
		return none, "", err
	}
	name, err := account.CleanName("name", in.Name)
	if err != nil {
		return none, "", err
	}
	id, secret := account.APITokenID(account.NewID("tok")), newSecret()
	req.IdempotencyKey = "" // a secret is not kept to be shown again
	result, err := write(ctx, d, req, "api_token.create", nil, func(ctx context.Context, r Reader, p *plan) (account.APIToken, error) {
		p.kind = account.APITokenCreated
		p.account("manage_api_tokens", in.Account, "create API tokens")
		t := account.APIToken{ID: id, Account: in.Account, Name: name, Roles: account.Set(in.Roles), CreatedAt: p.now}
		holder, err := r.Account(ctx, in.Account)
		if err != nil {
			return t, err
		}
		if err := roomForAPIToken(ctx, r, in.Account); err != nil {
			return t, err
		}
		if t.CreatedBy, err = maker(ctx, r, p.actor); err != nil {
			return t, err
		}
		if t.ExpiresAt, err = expiry(p, in.ExpiresAt, nil); err != nil {
			return t, err
		}
		if t.BranchAccess, err = branchAccess(ctx, r, p, holder.Value, nil, in.grant()); err != nil {
			return t, err
		}
		if err := usableRoles(ctx, r, p, d, in.Account, nil, t.Roles); err != nil {
			return t, err
		}
		p.change(nil, account.Of(t))
		p.beside = append(p.beside, func(ctx context.Context, tx Tx) error { return tx.SetAPITokenSecret(ctx, id, HashSecret(secret)) })
		return t, useRoles(ctx, r, p, holder.Value, nil, t.Roles)
	})
	return result, secret, err
}

// MaxAPITokens is the most API tokens that an account can have, expired ones included.
const MaxAPITokens = 100

// roomForAPIToken returns nil if an account may have another API token; a Conflict fault (too_many_api_tokens) if not.
func roomForAPIToken(ctx context.Context, r Reader, id account.ID) error {
	_, total, err := r.APITokens(ctx, AccountItems{Account: id, Limit: 1})
	if err == nil && total >= MaxAPITokens {
		err = fault.New(fault.Conflict, "too_many_api_tokens", "an account has at most %d API tokens; revoke one that is not used", MaxAPITokens)
	}
	return err
}

// maker is who an API token is said to be made by. What is made with a user's
// token counts as that user's, so that all of it is found when they are blocked (U5).
//
// It is looked at in the transaction whether they are still there and not blocked: a
// token that was asked for before a block would otherwise outlive it. Denied
// (user_blocked), Unauthenticated.
func maker(ctx context.Context, r Reader, actor account.Actor) (account.Actor, error) {
	if actor.User != "" {
		user, err := r.User(ctx, actor.User)
		switch {
		case errors.Is(err, fault.NotFound):
			err = fault.New(fault.Unauthenticated, "unauthenticated", "the user was deleted")
		case err == nil && user.Value.Blocked:
			err = fault.New(fault.Denied, "user_blocked", "user %s is blocked", actor.User)
		}
		return actor, err
	}
	if actor.APIToken == "" {
		return actor, nil
	}
	with, err := r.APIToken(ctx, actor.APIToken)
	if errors.Is(err, fault.NotFound) {
		err = fault.New(fault.Unauthenticated, "unauthenticated", "the API token was revoked")
	}
	actor.User = with.Value.CreatedBy.User
	return actor, err
}

// RevokeAPIToken deletes an account's API token: it opens nothing from then on.
// It needs manage_api_tokens at the account.
//
// Faults: NotFound (api_token_not_found), Denied, Stale.
func (d *Directory) RevokeAPIToken(ctx context.Context, req Request, id account.ID, token account.APITokenID) (Result[account.APIToken], error) {
	if err := errors.Join(account.CheckID("account", id), account.CheckID("token", token)); err != nil {
		return Result[account.APIToken]{}, err
	}
	op := "api_token.revoke " + string(id) + " " + string(token)
	return write(ctx, d, req, op, nil, func(ctx context.Context, r Reader, p *plan) (account.APIToken, error) {
		p.kind = account.APITokenRevoked
		p.account("manage_api_tokens", id, "revoke API tokens")
		gone, err := begin(ctx, p, func(ctx context.Context, token account.APITokenID) (account.Versioned[account.APIToken], error) {
			return apiTokenOf(ctx, r, id, token)
		}, token)
		if err != nil {
			return gone, err
		}
		return gone, revokeTokens(ctx, r, p, []account.APIToken{gone})
	})
}

// revokeTokens plans the end of API tokens, of one account or several.
func revokeTokens(ctx context.Context, r Reader, p *plan, tokens []account.APIToken) error {
	carried := map[account.ID][]account.RoleKey{}
	var accounts []account.ID
	for _, t := range tokens {
		if carried[t.Account] == nil {
			accounts = append(accounts, t.Account)
		}
		carried[t.Account] = append(carried[t.Account], t.Roles...)
		p.change(account.Of(t), nil)
	}
	for _, id := range accounts {
		holder, err := r.Account(ctx, id)
		if err != nil {
			return err
		}
		if err := releaseRoles(ctx, r, p, holder.Value, carried[id]); err != nil {
			return err
		}
	}
	return nil
}

// apiTokenOf finds a token of one account; those of others do not exist there.
func apiTokenOf(ctx context.Context, r Reader, id account.ID, token account.APITokenID) (account.Versioned[account.APIToken], error) {
	found, err := r.APIToken(ctx, token)
	if err == nil && found.Value.Account != id {
		err = fault.New(fault.NotFound, "api_token_not_found", "there is no API token %s", account.Quote(string(token)))
	}
	if err != nil {
		return account.Versioned[account.APIToken]{}, err
	}
	return found, nil
}

// UsedAPIToken is an API token with when it was used last, to the minute or so; nil if it never was.
type UsedAPIToken struct {
	account.APIToken
	LastUsed *time.Time
}

// GetAPIToken returns an API token of an account; it needs read_api_tokens there.
func (d *Directory) GetAPIToken(ctx context.Context, actor account.Actor, id account.ID, token account.APITokenID) (account.Versioned[UsedAPIToken], error) {
	var none account.Versioned[UsedAPIToken]
	if err := account.CheckID("token", token); err != nil {
		return none, err
	}
	return read(ctx, d, actor, at("read_api_tokens", id, "see API tokens"), func(ctx context.Context, r Reader) (account.Versioned[UsedAPIToken], error) {
		found, err := apiTokenOf(ctx, r, id, token)
		if err != nil {
			return none, err
		}
		used, err := withUses(ctx, r, actor.IsMember(), []account.Versioned[account.APIToken]{found})
		if err != nil {
			return none, err
		}
		return used[0], nil
	})
}

// ListAPITokens returns a page of an account's API tokens, by id; it needs read_api_tokens there.
func (d *Directory) ListAPITokens(ctx context.Context, actor account.Actor, f AccountItems) (Page[UsedAPIToken], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[UsedAPIToken]{}, err
	}
	f.Query = account.Fold(f.Query)
	return read(ctx, d, actor, at("read_api_tokens", f.Account, "list API tokens"), func(ctx context.Context, r Reader) (Page[UsedAPIToken], error) {
		if _, err := r.Account(ctx, f.Account); err != nil {
			return Page[UsedAPIToken]{}, err
		}
		return page(limit, func(limit int) ([]account.Versioned[UsedAPIToken], int, error) {
			f.Limit = limit
			found, total, err := r.APITokens(ctx, f)
			if err != nil {
				return nil, 0, err
			}
			used, err := withUses(ctx, r, actor.IsMember(), found)
			return used, total, err
		})
	})
}

// Who is not the vendor is not told which of its people or machines made them.
func withUses(ctx context.Context, r Reader, byMember bool, tokens []account.Versioned[account.APIToken]) ([]account.Versioned[UsedAPIToken], error) {
	ids := make([]account.APITokenID, len(tokens))
	for i, t := range tokens {
		ids[i] = t.Value.ID
	}
	uses, err := r.APITokenUses(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]account.Versioned[UsedAPIToken], len(tokens))
	for i, t := range tokens {
		if byMember {
			t.Value.CreatedBy = t.Value.CreatedBy.Masked()
		}
		out[i] = account.Versioned[UsedAPIToken]{Value: UsedAPIToken{APIToken: t.Value}, Version: t.Version}
		if at, used := uses[t.Value.ID]; used {
			out[i].Value.LastUsed = &at
		}
	}
	return out, nil
}
