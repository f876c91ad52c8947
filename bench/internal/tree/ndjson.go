package tree

import (
	"bufio"
	"io"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/ndjson"
	"github.com/tenantry/tenantry/schema"
)

// Environment is the environment that everything belongs to in Tenantry.
const Environment account.EnvironmentID = "bench"

// Entities calls add with the world's environment, roles, accounts, users and memberships, in
// that order, as Tenantry's domain knows them. Errors are those of add.
func (w *World) Entities(add func(account.Entity) error) error {
	for _, part := range []func(func(account.Entity) error) error{w.Settings, w.eachAccount, w.eachUser, w.eachMembership} {
		if err := part(add); err != nil {
			return err
		}
	}
	return nil
}

// Settings calls add with the environment and the roles.
func (w *World) Settings(add func(account.Entity) error) error {
	catalogue, err := schema.Default()
	if err != nil {
		return err
	}
	if err := add(*account.Of(account.Environment{
		ID: Environment, Name: "Bench", SubAccountsEnabled: true,
		DefaultAccessMode: account.DefaultOff, MaxDepth: account.DefaultMaxDepth,
	}.WithDefaults())); err != nil {
		return err
	}
	for _, role := range Roles() {
		var keys []account.PermissionKey
		for _, p := range catalogue.Permissions {
			if role.carries(string(p.Key)) {
				keys = append(keys, p.Key)
			}
		}
		r := account.Role{Key: account.RoleKey(role.String()), Name: role.String(), Permissions: account.Set(keys)}
		if err := add(*account.Of(r)); err != nil {
			return err
		}
	}
	return nil
}

// carries reports whether a role has a permission of the catalogue: those that are asked for as
// the role holds them, and of the others all for Admin.
func (r Role) carries(key string) bool {
	for _, p := range Permissions() {
		if p.Key() == key {
			return r.Holds(p)
		}
	}
	return r == Admin
}

// Account returns an account as Tenantry's domain knows it.
func (w *World) Account(i int) account.Account {
	a := account.Account{
		ID: account.ID(AccountID(i)), Name: w.Names[i], SubAccountManagement: i*FanOut+1 < w.Size.Accounts,
		AccessMode: account.DefaultOff, CreatedAt: after(i),
	}
	if parent := Parent(i); parent >= 0 {
		a.Parent = account.ID(AccountID(parent))
	}
	if w.AlwaysOn[i] {
		a.AccessMode = account.AlwaysOn
	}
	return a
}

func (w *World) eachAccount(add func(account.Entity) error) error {
	for i := range w.Size.Accounts {
		if err := add(*account.Of(w.Account(i))); err != nil {
			return err
		}
	}
	return nil
}

// after is a time for the i-th of something.
func after(i int) time.Time {
	return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute)
}

// User returns a user as Tenantry's domain knows them.
func (w *World) User(i int) account.User {
	id := UserID(i)
	return account.User{ID: account.UserID(id), Email: id + "@bench.example", CreatedAt: after(i)}
}

func (w *World) eachUser(add func(account.Entity) error) error {
	for i := range w.Users {
		if err := add(*account.Of(w.User(i))); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) eachMembership(add func(account.Entity) error) error {
	for _, m := range w.Memberships {
		if err := add(*account.Of(m.Domain())); err != nil {
			return err
		}
	}
	return nil
}

// Domain returns the membership as Tenantry's domain knows it.
func (m Membership) Domain() account.Membership {
	out := account.Membership{
		Account: account.ID(AccountID(int(m.Account))), User: account.UserID(UserID(int(m.User))),
		Roles: []account.RoleKey{account.RoleKey(m.Role.String())},
	}
	if m.Branch {
		out.BranchAccess = account.GrantedAccess
	}
	return out
}

// Export writes the world in Tenantry's load format (docs/load-format.md).
func (w *World) Export(out io.Writer) error {
	buffered := bufio.NewWriterSize(out, 1<<16)
	lines := ndjson.NewWriter(buffered)
	if err := w.Entities(lines.Write); err != nil {
		return err
	}
	return buffered.Flush()
}
