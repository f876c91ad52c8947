// Package bulk brings a world into Tenantry in minutes where `tenantry load` takes the best part of an hour: rows straight into the directory's tables, relationships into the engine by bulk import.
//
// What it leaves out is history: the journal has two entries, and the second says nothing of the
// accounts, users and memberships that came with it. All that checks, lists and the relay go by is as if it had been loaded.
package bulk

import (
	"time"

	"github.com/tenantry/tenantry/bench/internal/tree"
	"github.com/tenantry/tenantry/internal/account"
)

// table is rows for one of the directory's tables, with internal/store's columns.
type table struct {
	name    string
	columns []string
	count   int
	row     func(i int) []any // strings, int64s, bools and nils
}

// tables returns the rows of accounts, users and memberships, in the order of their keys.
func tables(w *tree.World, version account.Version, now time.Time) []table {
	env, at := string(tree.Environment), int64(version)
	members, assignments := w.ByAccount(), assignments(w)
	created := now.UnixMicro()
	return []table{
		accounts(w, at),
		{
			name: "users", columns: []string{"environment", "id", "email", "name", "search", "blocked", "created_at", "version"}, count: w.Users,
			row: func(i int) []any {
				u := w.User(i)
				search := "\n" + account.Fold(u.Email) + "\n" + account.Fold(string(u.ID))
				return []any{env, string(u.ID), u.Email, u.Name, search, u.Blocked, u.CreatedAt.UnixMicro(), at}
			},
		},
		{
			name: "memberships", columns: []string{"environment", "account_id", "user_id", "branch_access", "expires_at", "created_at", "version"}, count: len(members),
			row: func(i int) []any {
				m := members[i].Domain()
				return []any{env, string(m.Account), string(m.User), string(m.BranchAccess), nil, created, at}
			},
		},
		{
			name: "membership_roles", columns: []string{"environment", "account_id", "user_id", "role"}, count: len(members),
			row: func(i int) []any {
				m := members[i].Domain()
				return []any{env, string(m.Account), string(m.User), string(m.Roles[0])}
			},
		},
		{
			name: "assignments", columns: []string{"environment", "account_id", "role", "always_on", "version"}, count: len(assignments),
			row: func(i int) []any {
				a := assignments[i]
				return []any{env, string(a.Account), string(a.Role), a.AlwaysOn, at}
			},
		},
	}
}

func accounts(w *tree.World, version int64) table {
	return table{
		name:    "accounts",
		columns: []string{"environment", "id", "parent", "name", "search", "sub_account_management", "access_mode", "plan", "ip_allow_list", "created_at", "version"},
		count:   w.Size.Accounts,
		row: func(i int) []any {
			a := w.Account(i)
			var parent any
			if a.Parent != "" {
				parent = string(a.Parent)
			}
			return []any{
				string(tree.Environment), string(a.ID), parent, a.Name, account.Fold(a.Name) + "\n" + account.Fold(string(a.ID)),
				a.SubAccountManagement, string(a.AccessMode), "", "", a.CreatedAt.UnixMicro(), version,
			}
		},
	}
}

func assignments(w *tree.World) []account.Assignment {
	var all []account.Assignment
	_ = w.Assignments(func(a account.Assignment) error { // makes no errors of its own
		all = append(all, a)
		return nil
	})
	return all
}
