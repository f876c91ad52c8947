package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
)

// releaseRoles ends the assignments of an account that are not used any more when
// holders go who carried these roles; one that several of them carried is there as often.
func releaseRoles(ctx context.Context, r Reader, p *plan, holder account.Account, carried []account.RoleKey) error {
	times := map[account.RoleKey]int{}
	for _, key := range carried {
		times[key]++
	}
	for _, key := range account.Set(carried) {
		n, err := r.RoleHolders(ctx, holder.ID, key)
		if err != nil {
			return err
		}
		if n == times[key] {
			p.change(account.Of(account.Assignment{Account: holder.ID, Role: key, AlwaysOn: holder.AccessMode == account.AlwaysOn}), nil)
		}
	}
	return nil
}

// useRoles keeps the account's assignments in step with the roles that its memberships and API tokens carry.
func useRoles(ctx context.Context, r Reader, p *plan, holder account.Account, before, after []account.RoleKey) error {
	for _, key := range after {
		if slices.Contains(before, key) {
			continue
		}
		n, err := r.RoleHolders(ctx, holder.ID, key)
		if err != nil {
			return err
		}
		if n == 0 {
			p.change(nil, account.Of(account.Assignment{Account: holder.ID, Role: key, AlwaysOn: holder.AccessMode == account.AlwaysOn}))
		}
	}
	for _, key := range before {
		if slices.Contains(after, key) {
			continue
		}
		n, err := r.RoleHolders(ctx, holder.ID, key)
		if err != nil {
			return err
		}
		if n == 1 {
			p.change(account.Of(account.Assignment{Account: holder.ID, Role: key, AlwaysOn: holder.AccessMode == account.AlwaysOn}), nil)
		}
	}
	return nil
}
