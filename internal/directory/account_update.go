package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
)

// AccountPatch changes what is not nil.
type AccountPatch struct {
	Name                 *string             `json:"name,omitempty"`
	SubAccountManagement *bool               `json:"sub_account_management,omitempty"`
	AccessMode           *account.AccessMode `json:"sub_account_access,omitempty"`
	IPAllowList          *[]string           `json:"ip_allow_list,omitempty"` // addresses and networks; none for those of the nearest ancestor that has some
}

// UpdateAccount renames an account, turns its sub-account management on or off
// (A3), changes its access mode with what S4 says of its members, or says from
// where its members' requests may come (E3).
func (d *Directory) UpdateAccount(ctx context.Context, req Request, id account.ID, patch AccountPatch) (Result[account.Account], error) {
	if err := account.CheckID("account", id); err != nil {
		return Result[account.Account]{}, err
	}
	return write(ctx, d, req, "account.update "+string(id), patch, func(ctx context.Context, r Reader, p *plan) (account.Account, error) {
		p.kind = account.AccountChanged
		if patch.Name != nil {
			p.account("update_account", id, "rename this account")
		}
		if patch.SubAccountManagement != nil {
			p.account("set_sub_account_management", id, "turn sub-account management on or off")
		}
		if patch.AccessMode != nil {
			p.account("write_sub_account_access", id, "change the access mode")
		}
		if patch.IPAllowList != nil {
			p.account("manage_ip_restrictions", id, "say from where the account can be used")
		}
		if len(p.needs) == 0 {
			p.account("access", id, "see this account")
		}
		before, err := begin(ctx, p, r.Account, id)
		if err != nil {
			return before, err
		}
		after := before
		if patch.Name != nil {
			if after.Name, err = account.CleanName("name", *patch.Name); err != nil {
				return after, err
			}
		}
		if patch.SubAccountManagement != nil {
			after.SubAccountManagement = *patch.SubAccountManagement
		}
		if patch.AccessMode != nil {
			after.AccessMode = *patch.AccessMode
			if err := account.CheckAccessMode("sub_account_access", after.AccessMode); err != nil {
				return after, err
			}
		}
		if patch.IPAllowList != nil {
			if after.IPAllowList, err = accountList(ctx, r, req.Actor, before, *patch.IPAllowList); err != nil {
				return after, err
			}
		}
		if after == before {
			return after, nil
		}
		p.change(account.Of(before), account.Of(after))
		return after, changeMode(ctx, r, p, before, after)
	})
}

// accountList is the allow list that texts make for an account. A member at hand has to
// be where that lets them be, or, without any, the list that the account then has from above.
func accountList(ctx context.Context, r Reader, caller account.Actor, of account.Account, texts []string) (account.Networks, error) {
	list, err := listFor("ip_allow_list", texts, caller, caller.IsAtHand())
	if err != nil || list != "" || !caller.IsAtHand() {
		return list, err
	}
	above, err := r.Ancestors(ctx, of.ID)
	for _, a := range slices.Backward(above) {
		if a.IPAllowList == "" {
			continue
		}
		if !allows(a.IPAllowList, caller.From) {
			err = excludesYou("ip_allow_list", caller)
		}
		break
	}
	return list, err
}

// changeMode adds what a new access mode means for the account's assignments and present members (S4).
func changeMode(ctx context.Context, r Reader, p *plan, before, after account.Account) error {
	was, is := before.AccessMode == account.AlwaysOn, after.AccessMode == account.AlwaysOn
	if was == is {
		return nil
	}
	assignments, err := r.Assignments(ctx, after.ID)
	if err != nil {
		return err
	}
	for _, a := range assignments {
		b := a
		b.AlwaysOn = is
		p.change(account.Of(a), account.Of(b))
	}
	if is {
		return nil
	}
	tokens, err := r.APITokensIn(ctx, after.ID)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.BranchAccess == account.NoBranchAccess {
			kept := t
			kept.BranchAccess = account.KeptFromAlwaysOn
			p.change(account.Of(t), account.Of(kept))
		}
	}
	members, err := r.MembershipsIn(ctx, after.ID)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.BranchAccess == account.NoBranchAccess {
			kept := m
			kept.BranchAccess = account.KeptFromAlwaysOn
			p.change(account.Of(m), account.Of(kept))
		}
	}
	return nil
}
