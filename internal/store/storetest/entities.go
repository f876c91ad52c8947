package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// testRoundTrip creates, changes and deletes one entity of every kind, and reads it each time.
func testRoundTrip(w *world) {
	t := w.T
	expiry := born.Add(time.Hour)

	env, client := environment("dev"), account.Client{ID: "backend", Name: "Back end", Roles: []account.PortalRole{account.PortalAdmin, account.Impersonator}, CreatedAt: born}
	acme, globex := tenant("acme", ""), tenant("globex", "")
	ada, viewer, admin := person("ada"), role("viewer", "app.read"), role("admin", "app.write", "app.read")
	membership, use := member("acme", "ada", "viewer"), assignment("acme", "viewer")
	if v := w.write(create(client), create(acme), create(globex), create(ada), create(viewer), create(admin), create(membership), create(use)); v != 2 {
		t.Fatalf("the second entry has version %d", v)
	}
	check := func(when string, versions map[string]account.Version) {
		t.Helper()
		versioned := func(what string) account.Version { return versions[what] }
		w.read(func(r directory.Reader) {
			e, err := r.Environment(w.ctx)
			want(t, when+": environment", e, err, account.Versioned[account.Environment]{Value: env, Version: versioned("environment")})
			c, err := r.Client(w.ctx, "backend")
			want(t, when+": client", c, err, account.Versioned[account.Client]{Value: client, Version: versioned("client")})
			a, err := r.Account(w.ctx, "acme")
			want(t, when+": account", a, err, account.Versioned[account.Account]{Value: acme, Version: versioned("account")})
			u, err := r.User(w.ctx, "ada")
			want(t, when+": user", u, err, account.Versioned[account.User]{Value: ada, Version: versioned("user")})
			u, err = r.UserByEmail(w.ctx, ada.Email)
			want(t, when+": user by e-mail", u, err, account.Versioned[account.User]{Value: ada, Version: versioned("user")})
			ro, err := r.Role(w.ctx, "viewer")
			want(t, when+": role", ro, err, account.Versioned[account.Role]{Value: viewer, Version: versioned("role")})
			m, err := r.Membership(w.ctx, "acme", "ada")
			want(t, when+": membership", m, err, account.Versioned[account.Membership]{Value: membership, Version: versioned("membership")})
			s, err := r.Assignments(w.ctx, "acme")
			want(t, when+": assignments", s, err, []account.Assignment{use})
		})
	}
	check("created", map[string]account.Version{"environment": 1, "client": 2, "account": 2, "user": 2, "role": 2, "membership": 2})

	changes := []account.Change{}
	env2, client2, acme2, ada2, viewer2, membership2, use2 := env, client, acme, ada, viewer, membership, use
	env2.Name, env2.SubAccountsEnabled, env2.DefaultAccessMode, env2.MaxDepth = "Renamed", true, account.AlwaysOn, 3
	client2.Name, client2.Roles, client2.ActForUsers = "Front end", []account.PortalRole{account.BackofficeViewer}, true
	acme2.Name, acme2.Parent, acme2.SubAccountManagement, acme2.AccessMode = "Acme & Sons", "globex", true, account.DefaultOn
	ada2.Email, ada2.Name, ada2.Blocked = "countess@example.com", "", true
	viewer2.Name, viewer2.Account, viewer2.Permissions = "", "acme", []account.PermissionKey{"app.list", "app.read"}
	membership2.Roles, membership2.BranchAccess, membership2.ExpiresAt = []account.RoleKey{"admin", "viewer"}, account.KeptFromAlwaysOn, &expiry
	use2.AlwaysOn = true
	changes = append(changes, update(env, env2), update(client, client2), update(acme, acme2), update(ada, ada2),
		update(viewer, viewer2), update(membership, membership2), update(use, use2))
	w.write(changes...)
	env, client, acme, ada, viewer, membership, use = env2, client2, acme2, ada2, viewer2, membership2, use2
	check("changed", map[string]account.Version{"environment": 3, "client": 3, "account": 3, "user": 3, "role": 3, "membership": 3})

	w.write(remove(use), remove(membership), remove(viewer), remove(ada), remove(acme), remove(client))
	w.read(func(r directory.Reader) {
		err := r.Entities(w.ctx, func(e account.Entity) error {
			if e.Environment == nil && e.Role == nil && (e.Account == nil || e.Account.ID != "globex") {
				t.Errorf("still there: %+v", e)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// testAwkwardValues keeps values that an encoding might trip over.
func testAwkwardValues(w *world) {
	t := w.T
	names := []string{
		strings.Repeat("𝕬", account.MaxNameLength),         // the longest name, in four-byte characters
		`"quoted" 'single' back\slash {json} [1] $1 ? % _`, // every syntax
		"<b>&amp;</b>\u2028\u2029\u00a0\ufeff",             // what JSON encoders escape
		"עברית العربية 日本語 ไทย e\u0301 \u0378",
		"null", "0", "-1e5", "true",
	}
	var changes []account.Change
	var wanted []account.Account
	for i, name := range names {
		a := tenant(numbered[account.ID]("a", i), "")
		a.Name = name
		wanted = append(wanted, a)
		changes = append(changes, create(a))
	}
	zero := tenant("zero", "")
	zero.CreatedAt = time.Time{}
	early := tenant("early", "")
	early.CreatedAt = time.Date(1815, 12, 10, 1, 2, 3, 4000, time.UTC)
	empty := role("empty")
	w.write(append(changes, create(zero), create(early), create(empty))...)
	w.read(func(r directory.Reader) {
		for _, a := range append(wanted, zero, early) {
			got, err := r.Account(w.ctx, a.ID)
			want(t, "account", got.Value, err, a)
		}
		got, err := r.Role(w.ctx, "empty")
		want(t, "role without permissions", got.Value, err, empty)
	})
}

var errCalled = errors.New("the callback was called")

func testMissing(w *world) {
	t := w.T
	wantFault(t, "read", w.db.Read(w.ctx, "nowhere", func(directory.Reader) error { return errCalled }), fault.NotFound, "environment_not_found")
	wantFault(t, "write", w.db.Write(w.ctx, "nowhere", func(directory.Tx) error { return errCalled }), fault.NotFound, "environment_not_found")
	w.read(func(r directory.Reader) {
		calls := []struct {
			code string
			call func() error
		}{
			{"client_not_found", func() error { _, err := r.Client(w.ctx, "x"); return err }},
			{"account_not_found", func() error { _, err := r.Account(w.ctx, "x"); return err }},
			{"account_not_found", func() error { _, err := r.Ancestors(w.ctx, "x"); return err }},
			{"account_not_found", func() error { _, err := r.Descendants(w.ctx, "x", 0); return err }},
			{"account_not_found", func() error { _, err := r.Height(w.ctx, "x"); return err }},
			{"account_not_found", func() error { _, err := r.Counts(w.ctx, "x"); return err }},
			{"user_not_found", func() error { _, err := r.User(w.ctx, "x"); return err }},
			{"user_not_found", func() error { _, err := r.UserByEmail(w.ctx, "x@example.com"); return err }},
			{"role_not_found", func() error { _, err := r.Role(w.ctx, "x"); return err }},
			{"membership_not_found", func() error { _, err := r.Membership(w.ctx, "x", "x"); return err }},
		}
		for _, c := range calls {
			wantFault(t, c.code, c.call(), fault.NotFound, c.code)
		}
		accounts, n, err := r.Accounts(w.ctx, directory.AccountFilter{Under: "x", Limit: 5})
		want(t, "accounts under a missing one", len(accounts)+n, err, 0)
		some, err := r.WithAncestors(w.ctx, []account.ID{"x"})
		want(t, "a missing one with ancestors", len(some), err, 0)
		some, err = r.WithAncestors(w.ctx, nil)
		want(t, "none with ancestors", len(some), err, 0)
		users, err := r.UsersByID(w.ctx, []account.UserID{"x"})
		want(t, "users by missing ids", len(users), err, 0)
		uses, err := r.Uses(w.ctx, "x")
		want(t, "uses of a missing role", uses, err, 0)
		using, err := r.AccountsUsing(w.ctx, "x", 5)
		want(t, "accounts using a missing role", len(using), err, 0)
		outside, err := r.RolesFromOutside(w.ctx, "x")
		want(t, "roles from outside of a missing account", len(outside), err, 0)
		only, err := r.MembersOnlyHere(w.ctx, "x", []account.UserID{"x"})
		want(t, "members of a missing account only", len(only), err, 0)
	})
}

func testTaken(w *world) {
	t := w.T
	client := account.Client{ID: "c", Roles: []account.PortalRole{account.PortalAdmin}, CreatedAt: born}
	w.write(create(client), create(tenant("a", "")), create(person("u")), create(person("v")), create(role("r")), create(member("a", "u", "r")))
	taken, twin, rival := person("u"), person("w"), person("v")
	taken.Email = "other@example.com"
	twin.Email, rival.Email = person("u").Email, person("u").Email
	tests := map[string][]account.Change{
		"client_exists":     {create(client)},
		"account_exists":    {create(tenant("a", ""))},
		"user_exists":       {create(taken)},
		"email_taken":       {create(twin)},
		"role_exists":       {create(role("r"))},
		"membership_exists": {create(member("a", "u", "r"))},
	}
	for code, changes := range tests {
		_, err := w.try(changes...)
		wantFault(t, code, err, fault.Exists, code)
	}
	_, err := w.try(update(person("v"), rival))
	wantFault(t, "changed to a taken address", err, fault.Exists, "email_taken")
	_, err = w.try(create(tenant("b", "")), create(tenant("a", "")))
	wantFault(t, "among others", err, fault.Exists, "account_exists")
	err = w.db.CreateEnvironment(w.ctx, entry(account.EnvironmentCreated, create(environment("dev"))))
	wantFault(t, "environment", err, fault.Exists, "environment_exists")
	if v := w.head(); v != 2 {
		t.Errorf("the journal is at version %d after failures", v)
	}
}

// testEntities reads more entities than one piece holds, and uses the reader meanwhile.
func testEntities(w *world) {
	t := w.T
	const n = 1101
	changes := []account.Change{create(role("r", "p")), create(account.Client{ID: "c", Roles: []account.PortalRole{account.PortalAdmin}, CreatedAt: born})}
	for i := range n {
		id, parent := numbered[account.ID]("a", n-i), account.ID("")
		if i%3 > 0 { // ids fall as the tree grows, so that the order of ids is not that of the tree
			parent = numbered[account.ID]("a", n-i/2)
		}
		user := numbered[account.UserID]("u", i)
		changes = append(changes, create(tenant(id, parent)), create(person(user)), create(member(id, user, "r")), create(assignment(id, "r")))
	}
	w.write(changes...)
	kinds := []string{"environment", "client", "role", "account", "user", "membership", "assignment"}
	var order []string
	counts := map[string]int{}
	known := map[account.ID]bool{"": true}
	w.read(func(r directory.Reader) {
		err := r.Entities(w.ctx, func(e account.Entity) error {
			kind := kindOf(e)
			counts[kind]++
			if len(order) == 0 || order[len(order)-1] != kind {
				order = append(order, kind)
			}
			if e.Account != nil {
				if !known[e.Account.Parent] {
					t.Errorf("account %s comes before its parent", e.Account.ID)
				}
				known[e.Account.ID] = true
			}
			_, err := r.Head(context.WithoutCancel(w.ctx))
			if counts[kind] == 1 {
				_, err = r.Environment(w.ctx)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		stop := errors.New("stop")
		calls := 0
		if err := r.Entities(w.ctx, func(account.Entity) error { calls++; return stop }); err != stop || calls != 1 { //nolint:errorlint // it must be the very error
			t.Errorf("after an error: %d calls, %v", calls, err)
		}
	})
	if diff := cmp.Diff(kinds, order); diff != "" {
		t.Errorf("order of kinds (-want +got):\n%s", diff)
	}
	for _, kind := range kinds {
		wanted := n
		if slices.Contains([]string{"environment", "client", "role"}, kind) {
			wanted = 1
		}
		want(t, kind, counts[kind], nil, wanted)
	}
}

func kindOf(e account.Entity) string {
	switch {
	case e.Environment != nil:
		return "environment"
	case e.Client != nil:
		return "client"
	case e.Role != nil:
		return "role"
	case e.Account != nil:
		return "account"
	case e.User != nil:
		return "user"
	case e.Membership != nil:
		return "membership"
	default:
		return "assignment"
	}
}
