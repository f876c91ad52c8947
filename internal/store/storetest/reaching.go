package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// reached is what is told for the index of account switchers.
type reached struct {
	Few         []account.Entity
	Accounts    map[account.ID]account.Account
	Users       map[account.UserID]bool // whether they are blocked
	Memberships map[account.ID]map[account.UserID]account.Membership
	Tokens      map[account.APITokenID]account.APIToken
}

func (r *reached) add(e account.Entity) error {
	switch {
	case e.Account != nil:
		a := *e.Account
		a.Plan, a.IPAllowList = "", ""
		r.Accounts[a.ID] = a
	case e.User != nil:
		r.Users[e.User.ID] = e.User.Blocked
	case e.Membership != nil:
		m := *e.Membership
		m.CreatedAt = time.Time{}
		if r.Memberships[m.Account] == nil {
			r.Memberships[m.Account] = map[account.UserID]account.Membership{}
		}
		r.Memberships[m.Account][m.User] = m
	case e.APIToken != nil:
		r.Tokens[e.APIToken.ID] = *e.APIToken
	case e.Environment != nil, e.Client != nil, e.Operator != nil, e.Role != nil:
		r.Few = append(r.Few, e)
	}
	return nil
}

func newReached() *reached {
	return &reached{
		Accounts: map[account.ID]account.Account{}, Users: map[account.UserID]bool{},
		Memberships: map[account.ID]map[account.UserID]account.Membership{}, Tokens: map[account.APITokenID]account.APIToken{},
	}
}

// testReaching sees that Reaching tells what Entities tells, of an environment that has most of the
// rows of its tables, and of one that has few of them.
func testReaching(w *world) {
	t := w.T
	w.write(reachable(130)...)
	w.found("small")
	w.compareReaching(w.env)
	err := w.db.Write(w.ctx, "small", func(tx directory.Tx) error {
		_, err := tx.Append(w.ctx, entry(account.Imported, reachable(3)...))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.compareReaching(w.env)
	w.compareReaching("small")

	stop := errors.New("stop")
	for calls := range 8 {
		count := 0
		_, err := w.db.Reaching(w.ctx, "small", func(account.Entity) error {
			if count++; count > calls {
				return stop
			}
			return nil
		}, func(account.Membership) error { return nil })
		if err != stop || count != calls+1 { //nolint:errorlint // it must be the very error
			t.Errorf("after an error: %d calls, %v", count, err)
		}
	}
	if _, err := w.db.Reaching(w.ctx, "small", func(account.Entity) error { return nil }, func(account.Membership) error { return stop }); err != stop { //nolint:errorlint // as above
		t.Errorf("after an error: %v", err)
	}
}

// reachable are changes that make an environment of everything that Reaching tells, with n accounts.
func reachable(n int) []account.Change {
	changes := []account.Change{
		create(role("r", "p")), create(role("s", "p", "q")), create(role("t")),
		create(account.Client{ID: "c", Name: "C", Roles: []account.PortalRole{account.PortalAdmin}, CreatedAt: born}),
		create(account.Operator{ID: "o", Email: "o@example.com", Name: "O", Roles: []account.PortalRole{account.BackofficeViewer}, CreatedAt: born}),
	}
	ends := born.Add(time.Hour)
	branches := []account.BranchAccess{account.NoBranchAccess, account.GrantedAccess, account.KeptFromAlwaysOn}
	for i := range n {
		a := tenant(numbered[account.ID]("a", n-i), "")
		if i > 0 { // some come before their parents
			a.Parent = numbered[account.ID]("a", n-(i-1)/3)
		}
		a.SubAccountManagement = i%2 > 0
		user := person(numbered[account.UserID]("u", i))
		user.Blocked = i%5 == 0
		changes = append(changes, create(a), create(user))
		for k, at := range []int{i, i / 2, i / 3} {
			if k > 0 && at == i || k > 1 && at == i/2 {
				continue
			}
			m := member(numbered[account.ID]("a", n-at), user.ID, []account.RoleKey{"t", "s", "r"}[:1+(i+k)%3]...)
			m.BranchAccess = branches[(i+k)%4%3]
			if (i+k)%7 == 0 {
				m.ExpiresAt = &ends
			}
			changes = append(changes, create(m))
		}
		changes = append(changes, create(account.APIToken{
			ID: numbered[account.APITokenID]("k", i), Account: a.ID, Name: "K", Roles: []account.RoleKey{"r", "s"},
			BranchAccess: branches[i%3], CreatedBy: account.Actor{System: true}, CreatedAt: born,
		}))
	}
	return changes
}

// compareReaching holds Reaching against Entities.
func (w *world) compareReaching(env account.EnvironmentID) {
	t := w.T
	t.Helper()
	told, all := newReached(), newReached()
	version, err := w.db.Reaching(w.ctx, env, told.add, told.more(t))
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := w.db.Snapshot(w.ctx, env, all.add)
	want(t, "version", version, err, wanted)
	sameFew := cmpopts.SortSlices(func(x, y account.Entity) bool { return kindAndKey(x) < kindAndKey(y) })
	if diff := cmp.Diff(all, told, sameFew); diff != "" {
		t.Errorf("environment %s (-entities +reaching):\n%s", env, diff)
	}
}

// more adds what a membership has besides its roles, which were told before.
func (r *reached) more(t *testing.T) func(account.Membership) error {
	return func(v account.Membership) error {
		m, ok := r.Memberships[v.Account][v.User]
		if !ok || len(m.Roles) == 0 || v.Roles != nil || m.BranchAccess != account.NoBranchAccess || m.ExpiresAt != nil {
			t.Errorf("more is told of %v, after %v", v, m)
		}
		m.BranchAccess, m.ExpiresAt = v.BranchAccess, v.ExpiresAt
		r.Memberships[v.Account][v.User] = m
		return nil
	}
}

func kindAndKey(e account.Entity) string {
	switch {
	case e.Client != nil:
		return "client " + string(e.Client.ID)
	case e.Operator != nil:
		return "operator " + string(e.Operator.ID)
	case e.Role != nil:
		return "role " + string(e.Role.Key)
	default:
		return "environment"
	}
}
