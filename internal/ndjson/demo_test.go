package ndjson_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/schema"
)

// demo is the demo data of one environment; documentation and other tests rely on what is checked here.
type demo struct {
	env      account.Environment
	roles    map[account.RoleKey]account.Role
	accounts map[account.ID]account.Account
	users    map[account.UserID]account.User
	grants   []directory.Grant
	features map[account.FeatureKey]account.Feature
	plans    map[account.PlanKey]account.Plan
	switches []account.FeatureSwitch
}

func readDemo(t *testing.T) map[account.EnvironmentID]*demo {
	t.Helper()
	text, err := os.ReadFile("../../testdata/demo.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	all := map[account.EnvironmentID]*demo{}
	for _, r := range readAll(t, string(text)) {
		if r.NewEnvironment != nil {
			if all[r.Environment] != nil {
				t.Errorf("line %d: environment %s starts again", r.Line, r.Environment)
			}
			all[r.Environment] = &demo{
				env: *r.NewEnvironment, roles: map[account.RoleKey]account.Role{},
				accounts: map[account.ID]account.Account{}, users: map[account.UserID]account.User{},
				features: map[account.FeatureKey]account.Feature{}, plans: map[account.PlanKey]account.Plan{},
			}
			continue
		}
		if all[r.Environment] == nil {
			t.Fatalf("line %d: before any environment", r.Line)
		}
		all[r.Environment].add(t, r)
	}
	return all
}

// add also holds that a line refers to earlier lines only, and repeats none.
func (d *demo) add(t *testing.T, r directory.Record) {
	t.Helper()
	fresh, known := true, true
	switch {
	case r.Role != nil:
		_, again := d.roles[r.Role.Key]
		fresh, known = !again, d.knows(r.Role.Account)
		d.roles[r.Role.Key] = *r.Role
	case r.Account != nil:
		_, again := d.accounts[r.Account.ID]
		_, planned := d.plans[r.Account.Plan]
		fresh, known = !again, d.knows(r.Account.Parent) && (planned || r.Account.Plan == "")
		d.accounts[r.Account.ID] = *r.Account
	case r.User != nil:
		for _, u := range d.users {
			fresh = fresh && u.ID != r.User.ID && u.Email != r.User.Email
		}
		d.users[r.User.ID] = *r.User
	case r.Feature != nil:
		_, again := d.features[r.Feature.Key]
		fresh = !again
		d.features[r.Feature.Key] = *r.Feature
	case r.Plan != nil:
		_, again := d.plans[r.Plan.Key]
		fresh, known = !again, d.haveAll(r.Plan.Features...)
		d.plans[r.Plan.Key] = *r.Plan
	case r.FeatureSwitch != nil:
		s := *r.FeatureSwitch
		fresh = !slices.ContainsFunc(d.switches, func(o account.FeatureSwitch) bool {
			return o.Account == s.Account && o.Feature == s.Feature && o.Branch == s.Branch
		})
		known = d.knows(s.Account) && s.Account != "" && d.haveAll(s.Feature)
		d.switches = append(d.switches, s)
	default:
		g := *r.Membership
		fresh = !slices.ContainsFunc(d.grants, func(o directory.Grant) bool { return o.Account == g.Account && o.User == g.User })
		known = d.knows(g.Account) && d.users[g.User].ID != ""
		for _, key := range g.Roles {
			role, ok := d.roles[key]
			known = known && ok && (role.Account == "" || slices.Contains(d.path(g.Account), role.Account)) // U2
		}
		d.grants = append(d.grants, g)
	}
	if !fresh || !known {
		t.Errorf("line %d: not there before: %v; what it refers to is known: %v", r.Line, fresh, known)
	}
}

func (d *demo) knows(id account.ID) bool {
	_, ok := d.accounts[id]
	return ok || id == ""
}

func (d *demo) haveAll(keys ...account.FeatureKey) bool {
	return !slices.ContainsFunc(keys, func(key account.FeatureKey) bool {
		_, ok := d.features[key]
		return !ok
	})
}

// path returns the account and those above it.
func (d *demo) path(id account.ID) []account.ID {
	var up []account.ID
	for ; id != ""; id = d.accounts[id].Parent {
		up = append(up, id)
	}
	return up
}

func (d *demo) hasChildren(id account.ID) bool {
	for _, a := range d.accounts {
		if a.Parent == id {
			return true
		}
	}
	return false
}

func (d *demo) of(user account.UserID) []directory.Grant {
	return slices.DeleteFunc(slices.Clone(d.grants), func(g directory.Grant) bool { return g.User != user })
}

func TestDemoKeepsTheRules(t *testing.T) {
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	for id, d := range readDemo(t) {
		for _, a := range d.accounts {
			if d.hasChildren(a.ID) && (!a.SubAccountManagement || !d.env.SubAccountsEnabled) {
				t.Errorf("A3, E2: %s/%s has sub-accounts, but may not", id, a.ID)
			}
			if n := len(d.path(a.ID)); n > d.env.MaxDepth {
				t.Errorf("A2: %s/%s is at level %d of %d", id, a.ID, n, d.env.MaxDepth)
			}
			if above, ok := d.accounts[a.Parent]; ok && !above.CreatedAt.Before(a.CreatedAt) {
				t.Errorf("%s/%s is older than its parent", id, a.ID)
			}
		}
		for _, u := range d.users {
			if len(d.of(u.ID)) == 0 {
				t.Errorf("U1: %s/%s is a member of no account", id, u.ID)
			}
			if !strings.HasSuffix(u.Email, ".example") {
				t.Errorf("%s/%s has an address that may exist: %s", id, u.ID, u.Email)
			}
		}
		for _, r := range d.roles {
			keys, err := catalogue.Keys("permissions", r.Permissions)
			if err != nil || !slices.Equal(keys, r.Permissions) {
				t.Errorf("U3: role %s/%s: %v, or not by their keys", id, r.Key, err)
			}
		}
		for _, g := range d.grants {
			a := d.accounts[g.Account]
			if g.SubAccountAccess != nil && *g.SubAccountAccess && !a.SubAccountManagement {
				t.Errorf("S2: %s/%s: %s has sub-account access, but it is no parent account", id, a.ID, g.User)
			}
			if g.SubAccountAccess != nil && a.AccessMode == account.AlwaysOn {
				t.Errorf("S3: %s/%s: %s says what always_on decides", id, a.ID, g.User)
			}
		}
	}
}

func TestDemoIsWhatItPromises(t *testing.T) {
	all := readDemo(t)
	if len(all) != 2 || all["production"] == nil || all["development"] == nil {
		t.Fatalf("%d environments, want production and development", len(all))
	}
	d := all["production"]
	levels, modes, names := map[int]int{}, map[account.AccessMode]int{}, map[string]int{}
	for _, a := range d.accounts {
		levels[len(d.path(a.ID))]++
		modes[a.AccessMode]++
		names[a.Name]++
	}
	if len(d.accounts) < 60 || len(levels) != 5 || levels[1] < 3 || levels[5] < 5 {
		t.Errorf("%d accounts, by level %v; want 60 or more over 5 levels, with 3 roots or more", len(d.accounts), levels)
	}
	if len(modes) != 3 {
		t.Errorf("access modes %v, want all three", modes)
	}
	if len(d.users) < 45 {
		t.Errorf("%d users, want 45 or more", len(d.users))
	}
	several, expiring, kept, opted, blocked, owned, inUse := 0, 0, 0, 0, 0, 0, map[account.RoleKey]bool{}
	for _, u := range d.users {
		in := map[string]int{}
		for _, g := range d.of(u.ID) {
			in[d.accounts[g.Account].Name]++
		}
		if len(d.of(u.ID)) > 1 {
			several++
		}
		if (u.ID == "ines") != (in["Acme Corporation"] == 2) || (u.ID == "tom") != (in["Sales"] == 2) {
			t.Errorf("%s is a member of accounts named %v", u.ID, in)
		}
		if u.Blocked {
			blocked++
		}
	}
	for _, g := range d.grants {
		for _, r := range g.Roles {
			inUse[r] = true
		}
		if g.ExpiresAt != nil {
			expiring++
		}
		if g.KeptFromAlwaysOn {
			kept++
		}
		if g.SubAccountAccess != nil && !*g.SubAccountAccess && d.accounts[g.Account].AccessMode == account.DefaultOn {
			opted++
		}
	}
	for _, r := range d.roles {
		if r.Account != "" {
			owned++
		}
	}
	if several < 8 || len(inUse) != len(d.roles) || len(d.roles) < 6 {
		t.Errorf("%d users in several accounts, %d of %d roles in use", several, len(inUse), len(d.roles))
	}
	got := map[string]int{"expiring": expiring, "kept": kept, "opted out of default_on": opted, "blocked": blocked, "accounts' roles": owned}
	if diff := cmp.Diff(map[string]int{"expiring": 1, "kept": 1, "opted out of default_on": 1, "blocked": 1, "accounts' roles": 2}, got); diff != "" {
		t.Errorf("special cases (-want +got):\n%s", diff)
	}
}

func TestDemoWellKnownNames(t *testing.T) {
	d := readDemo(t)["production"]
	if diff := cmp.Diff([]account.ID{"globex-north-acme", "globex-north", "globex"}, d.path("globex-north-acme")); diff != "" {
		t.Errorf("above globex-north-acme (-want +got):\n%s", diff)
	}
	want := map[account.UserID][]directory.Grant{
		"ada":   {{Account: "globex", User: "ada", Roles: []account.RoleKey{"admin"}, SubAccountAccess: new(true)}},
		"bob":   {{Account: "acme-logistics-oslo", User: "bob", Roles: []account.RoleKey{"viewer"}}},
		"grace": {{Account: "globex-north", User: "grace", Roles: []account.RoleKey{"support"}, SubAccountAccess: new(true)}},
	}
	for user, grants := range want {
		if diff := cmp.Diff(grants, d.of(user)); diff != "" {
			t.Errorf("memberships of %s (-want +got):\n%s", user, diff)
		}
	}
	if oslo := d.accounts["acme-logistics-oslo"]; d.hasChildren(oslo.ID) || len(d.path(oslo.ID)) != 5 || oslo.AccessMode != account.DefaultOff {
		t.Errorf("bob's account is no plain leaf of the fifth level: %+v", oslo)
	}
	if n := len(d.accounts); n != 68 {
		t.Errorf("%d accounts in production; the documentation says 68", n)
	}
	below := 0
	for id := range d.accounts {
		if slices.Contains(d.path(id), "globex") {
			below++
		}
	}
	if below != 55 {
		t.Errorf("%d accounts open to ada; the documentation says 55", below)
	}
}
