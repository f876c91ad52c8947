package tree

import (
	"cmp"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
)

// Assignments calls add with the use of every role in every account, which memberships make
// necessary: in the order of accounts and roles. Errors are those of add.
func (w *World) Assignments(add func(account.Assignment) error) error {
	last := Membership{Account: -1}
	for _, m := range w.ByAccount() {
		if m.Account == last.Account && m.Role == last.Role {
			continue
		}
		last = m
		if err := add(w.Assignment(m)); err != nil {
			return err
		}
	}
	return nil
}

// Assignment is what a membership needs besides itself.
func (w *World) Assignment(m Membership) account.Assignment {
	return account.Assignment{
		Account: account.ID(AccountID(int(m.Account))), Role: account.RoleKey(m.Role.String()), AlwaysOn: w.AlwaysOn[m.Account],
	}
}

// ByAccount returns all memberships in the order of accounts, roles and users.
func (w *World) ByAccount() []Membership {
	all := slices.Clone(w.Memberships)
	slices.SortFunc(all, func(a, b Membership) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Role, b.Role), cmp.Compare(a.User, b.User))
	})
	return all
}
