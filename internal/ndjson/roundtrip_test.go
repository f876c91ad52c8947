package ndjson_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/ndjson"
)

var someModes = []account.AccessMode{account.DefaultOff, account.DefaultOn, account.AlwaysOn}

func someID() *rapid.Generator[string] { return rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`) }

func someName() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		clean, err := account.CleanName("name", rapid.StringN(1, 60, -1).Draw(t, "name"))
		if err != nil {
			return "Zoë \"the <n>th\" \\ \u2028 \uFFFD & Söhne"
		}
		return clean
	})
}

func someTime(unit time.Duration) *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(0, 250_000_000_000).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).UTC().Truncate(unit)
	})
}

func someSet[T ~string](t *rapid.T, label string, least int) []T {
	var all []T
	for _, s := range rapid.SliceOfN(someID(), least, 5).Draw(t, label) {
		all = append(all, T(s))
	}
	return account.Set(all)
}

func orNone(t *rapid.T, label string) account.ID {
	return account.ID(rapid.OneOf(rapid.Just(""), someID()).Draw(t, label))
}

var someNetworks = []account.Networks{"", "192.0.2.0/24", "192.0.2.7/32 2001:db8::/32"}

// someEntity draws an entity and the record that it is to come back as, in an
// environment whose accounts' modes are given.
func someEntity(t *rapid.T, modes map[account.ID]account.AccessMode) (*account.Entity, directory.Record) {
	switch rapid.SampledFrom([]string{"environment", "role", "account", "user", "membership", "feature", "plan", "feature_switch"}).Draw(t, "kind") {
	case "environment":
		e := account.Environment{
			ID: account.EnvironmentID(someID().Draw(t, "id")), Name: someName().Draw(t, "name"),
			SubAccountsEnabled: rapid.Bool().Draw(t, "enabled"), DefaultAccessMode: rapid.SampledFrom(someModes).Draw(t, "mode"),
			MaxDepth:        rapid.IntRange(1, account.MaxMaxDepth).Draw(t, "depth"),
			InvitationURL:   rapid.SampledFrom([]string{"", "https://app.example/?i={token}&n=\"ä\""}).Draw(t, "url"),
			InvitationHours: rapid.IntRange(1, account.MaxInvitationHours).Draw(t, "hours"),
			TokenMinutes:    rapid.IntRange(1, account.MaxTokenMinutes).Draw(t, "minutes"),
			ExchangeOnly:    rapid.Bool().Draw(t, "exchange"),
			IPAllowList:     rapid.SampledFrom(someNetworks).Draw(t, "networks"),
		}
		want := e
		e.CreatedAt = someTime(time.Nanosecond).Draw(t, "created") // not part of the format
		return account.Of(e), directory.Record{NewEnvironment: &want}
	case "role":
		r := account.Role{
			Key: account.RoleKey(someID().Draw(t, "key")), Name: rapid.OneOf(rapid.Just(""), someName()).Draw(t, "name"),
			Account: orNone(t, "account"), Permissions: someSet[account.PermissionKey](t, "permissions", 0),
		}
		return account.Of(r), directory.Record{Role: &r}
	case "account":
		a := account.Account{
			ID: account.ID(someID().Draw(t, "id")), Name: someName().Draw(t, "name"), Parent: orNone(t, "parent"),
			SubAccountManagement: rapid.Bool().Draw(t, "management"), AccessMode: rapid.SampledFrom(someModes).Draw(t, "mode"),
			Plan:        account.PlanKey(orNone(t, "plan")),
			IPAllowList: rapid.SampledFrom(someNetworks).Draw(t, "networks"),
			CreatedAt:   someTime(time.Nanosecond).Draw(t, "created"),
		}
		return account.Of(a), directory.Record{Account: &a}
	case "user":
		u := account.User{
			ID: account.UserID(someID().Draw(t, "id")), Email: rapid.StringMatching(`[a-z0-9]{1,10}(\+[a-z]{1,3})?@[a-z]{1,10}\.example`).Draw(t, "email"),
			Name: rapid.OneOf(rapid.Just(""), someName()).Draw(t, "name"), Blocked: rapid.Bool().Draw(t, "blocked"),
			CreatedAt: someTime(time.Nanosecond).Draw(t, "created"),
		}
		return account.Of(u), directory.Record{User: &u}
	case "feature":
		f := account.Feature{
			Key: account.FeatureKey(someID().Draw(t, "key")), Name: rapid.OneOf(rapid.Just(""), someName()).Draw(t, "name"),
			Description: rapid.SampledFrom([]string{"", "Two\nlines, a\ttab."}).Draw(t, "description"), Permission: account.PermissionKey(orNone(t, "permission")),
		}
		return account.Of(f), directory.Record{Feature: &f}
	case "plan":
		p := account.Plan{
			Key: account.PlanKey(someID().Draw(t, "key")), Name: rapid.OneOf(rapid.Just(""), someName()).Draw(t, "name"),
			Features: someSet[account.FeatureKey](t, "features", 0),
		}
		return account.Of(p), directory.Record{Plan: &p}
	case "feature_switch":
		s := account.FeatureSwitch{
			Account: account.ID(someID().Draw(t, "account")), Feature: account.FeatureKey(someID().Draw(t, "feature")),
			Branch: rapid.Bool().Draw(t, "branch"), On: rapid.Bool().Draw(t, "on"),
		}
		return account.Of(s), directory.Record{FeatureSwitch: &s}
	default:
		m := account.Membership{
			Account: account.ID(someID().Draw(t, "account")), User: account.UserID(someID().Draw(t, "user")),
			Roles:        someSet[account.RoleKey](t, "roles", 1),
			BranchAccess: rapid.SampledFrom([]account.BranchAccess{account.NoBranchAccess, account.GrantedAccess, account.KeptFromAlwaysOn}).Draw(t, "access"),
			CreatedAt:    someTime(time.Nanosecond).Draw(t, "created"), // not part of the format
		}
		if len(modes) > 0 && rapid.Bool().Draw(t, "known") {
			m.Account = rapid.SampledFrom(sortedKeys(modes)).Draw(t, "known account")
		}
		if rapid.Bool().Draw(t, "expires") {
			m.ExpiresAt = new(someTime(time.Second).Draw(t, "expiry"))
		}
		want := directory.Grant{
			Account: m.Account, User: m.User, Roles: m.Roles, ExpiresAt: m.ExpiresAt,
			SubAccountAccess: new(m.BranchAccess != account.NoBranchAccess), KeptFromAlwaysOn: m.BranchAccess == account.KeptFromAlwaysOn,
		}
		if m.BranchAccess == account.NoBranchAccess && modes[m.Account] == account.AlwaysOn {
			want.SubAccountAccess = nil
		}
		return account.Of(m), directory.Record{Membership: &want}
	}
}

func sortedKeys(m map[account.ID]account.AccessMode) []account.ID {
	var keys []account.ID
	for k := range m {
		keys = append(keys, k)
	}
	return account.Set(keys)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			text  bytes.Buffer
			out   = ndjson.NewWriter(&text)
			want  []directory.Record
			env   account.EnvironmentID
			modes = map[account.ID]account.AccessMode{}
		)
		for range rapid.IntRange(1, 12).Draw(t, "lines") {
			e, rec := someEntity(t, modes)
			switch {
			case e.Environment != nil:
				env = e.Environment.ID
				clear(modes)
			case e.Account != nil && modes[e.Account.ID] != "":
				continue // an account is written once
			case e.Account != nil:
				modes[e.Account.ID] = e.Account.AccessMode
			}
			if err := out.Write(*e); err != nil {
				t.Fatalf("Write: %v", err)
			}
			rec.Environment, rec.Line = env, len(want)+1
			want = append(want, rec)
		}
		var got []directory.Record
		if err := ndjson.Read(&text, func(r directory.Record) error { got = append(got, r); return nil }); err != nil {
			t.Fatalf("Read: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("records (-written +read):\n%s", diff)
		}
	})
}

func TestWriteGolden(t *testing.T) {
	created := time.Date(2024, 5, 1, 11, 0, 0, 0, time.FixedZone("", 7200))
	expires := time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC)
	var text strings.Builder
	out := ndjson.NewWriter(&text)
	for _, e := range []*account.Entity{
		account.Of(account.Environment{ID: "production", Name: "Production", SubAccountsEnabled: true, DefaultAccessMode: account.DefaultOff, MaxDepth: 16}),
		account.Of(account.Client{ID: "backend", Name: "Back end"}),
		account.Of(account.Role{Key: "admin", Name: "R&D <admin>", Permissions: []account.PermissionKey{"a", "b"}}),
		account.Of(account.Role{Key: "auditor", Account: "north"}),
		account.Of(account.Account{ID: "globex", Name: "Globex", SubAccountManagement: true, AccessMode: account.DefaultOff, CreatedAt: created}),
		account.Of(account.Account{ID: "north", Name: "North", Parent: "globex", AccessMode: account.AlwaysOn}),
		account.Of(account.User{ID: "ada", Email: "ada@globex.example", Name: "Ada"}),
		account.Of(account.User{ID: "bob", Email: "bob@globex.example", Blocked: true, CreatedAt: created}),
		account.Of(account.Membership{Account: "globex", User: "ada", Roles: []account.RoleKey{"admin"}, BranchAccess: account.GrantedAccess}),
		account.Of(account.Membership{Account: "globex", User: "bob", Roles: []account.RoleKey{"admin", "viewer"}, ExpiresAt: &expires}),
		account.Of(account.Membership{Account: "north", User: "ada", Roles: []account.RoleKey{"admin"}}),
		account.Of(account.Membership{Account: "north", User: "bob", Roles: []account.RoleKey{"admin"}, BranchAccess: account.KeptFromAlwaysOn}),
		account.Of(account.Assignment{Account: "globex", Role: "admin"}),
		account.Of(account.Feature{Key: "chat"}),
		account.Of(account.Feature{Key: "reports", Name: "Reports & more", Description: "One\ntwo", Permission: "a"}),
		account.Of(account.Plan{Key: "none"}),
		account.Of(account.Plan{Key: "pro", Name: "Pro", Features: []account.FeatureKey{"chat", "reports"}}),
		account.Of(account.Account{ID: "south", Name: "South", AccessMode: account.DefaultOff, Plan: "pro"}),
		account.Of(account.FeatureSwitch{Account: "south", Feature: "chat"}),
		account.Of(account.FeatureSwitch{Account: "south", Feature: "chat", Branch: true, On: true}),
	} {
		if err := out.Write(*e); err != nil {
			t.Fatalf("Write: %v", err)
		}
	}
	want := `{"kind":"environment","id":"production","name":"Production","sub_accounts_enabled":true,"default_access_mode":"default_off","max_depth":16}
{"kind":"role","key":"admin","name":"R&D <admin>","account":null,"permissions":["a","b"]}
{"kind":"role","key":"auditor","account":"north","permissions":[]}
{"kind":"account","id":"globex","name":"Globex","parent":null,"sub_account_management":true,"sub_account_access":"default_off","created_at":"2024-05-01T09:00:00Z"}
{"kind":"account","id":"north","name":"North","parent":"globex","sub_account_management":false,"sub_account_access":"always_on"}
{"kind":"user","id":"ada","email":"ada@globex.example","name":"Ada","blocked":false}
{"kind":"user","id":"bob","email":"bob@globex.example","blocked":true,"created_at":"2024-05-01T09:00:00Z"}
{"kind":"membership","account":"globex","user":"ada","roles":["admin"],"sub_account_access":true}
{"kind":"membership","account":"globex","user":"bob","roles":["admin","viewer"],"sub_account_access":false,"expires_at":"2035-01-01T00:00:00Z"}
{"kind":"membership","account":"north","user":"ada","roles":["admin"]}
{"kind":"membership","account":"north","user":"bob","roles":["admin"],"sub_account_access":true,"kept_from_always_on":true}
{"kind":"feature","key":"chat"}
{"kind":"feature","key":"reports","name":"Reports & more","description":"One\ntwo","permission":"a"}
{"kind":"plan","key":"none","features":[]}
{"kind":"plan","key":"pro","name":"Pro","features":["chat","reports"]}
{"kind":"account","id":"south","name":"South","parent":null,"sub_account_management":false,"sub_account_access":"default_off","plan":"pro"}
{"kind":"feature_switch","account":"south","feature":"chat","enabled":false,"scope":"account"}
{"kind":"feature_switch","account":"south","feature":"chat","enabled":true,"scope":"branch"}
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestWriteRefusesWhatReadWould(t *testing.T) {
	var text bytes.Buffer
	long := make([]account.PermissionKey, ndjson.MaxLine/10)
	for i := range long {
		long[i] = "0123456789"
	}
	if err := ndjson.NewWriter(&text).Write(*account.Of(account.Role{Key: "r", Permissions: long})); err == nil || text.Len() > 0 {
		t.Errorf("a line over MaxLine: %d bytes written, error %v", text.Len(), err)
	}
	if err := ndjson.NewWriter(&text).Write(account.Entity{}); err == nil {
		t.Error("an empty entity was written")
	}
}
