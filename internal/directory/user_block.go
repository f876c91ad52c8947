package directory

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

// Blocked is a user who was blocked.
type Blocked struct {
	account.User
	APITokens int // that they had made, also with tokens of theirs
}

// BlockUser blocks a user, who from then on passes no check (U5), and ends the
// impersonations of them; an operator's to do. API tokens that they made belong to
// their accounts and go on, unless revokeAPITokens says that these end as well.
func (d *Directory) BlockUser(ctx context.Context, req Request, id account.UserID, revokeAPITokens bool) (Result[Blocked], error) {
	if err := account.CheckID("user", id); err != nil {
		return Result[Blocked]{}, err
	}
	return write(ctx, d, req, string(account.UserBlocked)+" "+string(id), revokeAPITokens, func(ctx context.Context, r Reader, p *plan) (Blocked, error) {
		p.kind = account.UserBlocked
		p.environment("edit_backoffice", "block users")
		before, err := begin(ctx, p, r.User, id)
		if err != nil {
			return Blocked{}, err
		}
		after := before
		after.Blocked = true
		p.aside = after == before
		if !p.aside {
			p.change(account.Of(before), account.Of(after))
		}
		if err := endSessions(ctx, r, p, func(i account.Impersonation) bool { return i.User == id }); err != nil {
			return Blocked{}, err
		}
		tokens, err := r.APITokensBy(ctx, account.Actor{User: id})
		if err == nil && revokeAPITokens {
			err = revokeTokens(ctx, r, p, tokens)
		}
		return Blocked{after, len(tokens)}, err
	})
}

// UnblockUser lifts the block of a user; an operator's to do. What the block ended stays ended.
func (d *Directory) UnblockUser(ctx context.Context, req Request, id account.UserID) (Result[account.User], error) {
	return d.changeUser(ctx, req, id, account.UserUnblocked, "block users", nil, func(_ context.Context, _ Reader, _ *plan, u *account.User) error {
		u.Blocked = false
		return nil
	})
}
