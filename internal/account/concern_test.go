package account_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
)

// TestKindsAreAllThereAre holds Kinds against the constants.
func TestKindsAreAllThereAre(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "journal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []account.Kind
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Kind" {
				text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, account.Kind(text))
			}
		}
		return true
	})
	if diff := cmp.Diff(account.Set(declared), account.Set(account.Kinds())); diff != "" || len(declared) < 30 {
		t.Errorf("kinds (-declared +listed):\n%s", diff)
	}
}

// TestL1_EntriesConcernWhatTheirChangesName: whatever is changed, the entry is found by it.
func TestL1_EntriesConcernWhatTheirChangesName(t *testing.T) {
	for _, c := range []struct {
		thing *account.Entity
		want  []string
		place account.ID
	}{
		{account.Of(account.Environment{ID: "prod"}), []string{"environment:prod"}, ""},
		{account.Of(account.Client{ID: "shop", Roles: []account.PortalRole{"admin"}}), []string{"client:shop"}, ""},
		{account.Of(account.Account{ID: "eu", Parent: "globex"}), []string{"account:eu"}, "eu"},
		{account.Of(account.Account{ID: "eu", Plan: "gold"}), []string{"account:eu", "plan:gold"}, "eu"},
		{account.Of(account.User{ID: "ada"}), []string{"user:ada"}, ""},
		{account.Of(account.Role{Key: "admin"}), []string{"role:admin"}, ""},
		{account.Of(account.Role{Key: "admin", Account: "eu"}), []string{"account:eu", "role:admin"}, "eu"},
		{account.Of(account.Membership{Account: "eu", User: "ada", Roles: []account.RoleKey{"b", "a"}}), []string{"account:eu", "role:a", "role:b", "user:ada"}, "eu"},
		{account.Of(account.Assignment{Account: "eu", Role: "a"}), []string{"account:eu", "role:a"}, "eu"},
		{account.Of(account.Feature{Key: "sso"}), []string{"feature:sso"}, ""},
		{account.Of(account.Plan{Key: "gold", Features: []account.FeatureKey{"sso"}}), []string{"feature:sso", "plan:gold"}, ""},
		{account.Of(account.FeatureSwitch{Account: "eu", Feature: "sso"}), []string{"account:eu", "feature:sso"}, "eu"},
		{account.Of(account.Invitation{ID: "i", Account: "eu", Roles: []account.RoleKey{"a"}}), []string{"account:eu", "invitation:i", "role:a"}, "eu"},
		{account.Of(account.APIToken{ID: "t", Account: "eu", Roles: []account.RoleKey{"a"}}), []string{"account:eu", "api_token:t", "role:a"}, "eu"},
		{account.Of(account.Impersonation{ID: "i", User: "ada", Operator: "shop"}), []string{"client:shop", "impersonation:i", "user:ada"}, ""},
		{account.Of(account.Impersonation{ID: "i", User: "ada", Operator: "mara", Person: true}), []string{"impersonation:i", "operator:mara", "user:ada"}, ""},
		{account.Of(account.ClientSecret{ID: "s", Client: "shop"}), []string{"client:shop"}, ""},
		{account.Of(account.Operator{ID: "mara"}), []string{"operator:mara"}, ""},
		{account.Of(account.Issuer{ID: "login"}), []string{"issuer:login"}, ""},
		{account.Of(account.Identity{ID: "i", User: "ada"}), []string{"user:ada"}, ""},
	} {
		for _, change := range []account.Change{{Before: c.thing}, {After: c.thing}, {Before: c.thing, After: c.thing}} {
			var got []string
			for _, ref := range (account.Entry{Changes: []account.Change{change}}).Concerns() {
				got = append(got, ref.String())
				if !slices.Contains(account.RefTypes(), ref.Type) {
					t.Errorf("%s is of no type that can be asked for", ref)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || change.Place() != c.place {
				t.Errorf("%+v, place %s:\n%s", c.thing, change.Place(), diff)
			}
		}
	}
	in := account.Entry{Actor: account.Actor{User: "ada", Impersonation: "i", Invitation: "v"}}
	if got := in.Concerns(); !slices.Equal(got, []account.Ref{{Type: "impersonation", ID: "i"}, {Type: "invitation", ID: "v"}}) {
		t.Errorf("what it was made in: %v", got)
	}
}

// TestEveryEntityConcernsSomething also those that come after this was written.
func TestEveryEntityConcernsSomething(t *testing.T) {
	kinds := reflect.TypeFor[account.Entity]()
	for i := range kinds.NumField() {
		thing := reflect.New(kinds.Field(i).Type.Elem())
		for _, name := range []string{"ID", "Key", "Account", "Feature", "Role", "Client", "User"} {
			if field := thing.Elem().FieldByName(name); field.IsValid() && field.Kind() == reflect.String {
				field.SetString("x")
			}
		}
		var e account.Entity
		reflect.ValueOf(&e).Elem().Field(i).Set(thing)
		if len(account.Entry{Changes: []account.Change{{After: &e}}}.Concerns()) == 0 {
			t.Errorf("%s concerns nothing", kinds.Field(i).Name)
		}
	}
}

func TestMaskedActorsAreNoOperatorsByName(t *testing.T) {
	for _, c := range []struct {
		actor    account.Actor
		name     string
		operator bool
	}{
		{account.Actor{Environment: "prod", Client: "shop"}, "operator", true},
		{account.Actor{Environment: "prod", Client: "mara", Person: true}, "operator", true},
		{account.Actor{Client: "mara", Person: true, User: "ada", Impersonation: "i"}, "user:ada", true},
		{account.Actor{System: true}, "operator", true},
		{account.Actor{}, "operator", true},
		{account.Actor{Client: "shop", User: "ada"}, "user:ada", false},
		{account.Actor{Client: "shop", User: "ada", Impersonation: "i"}, "user:ada", true},
		{account.Actor{APIToken: "t"}, "api_token:t", false},
		{account.Actor{Invitation: "i"}, "invitation:i", false},
	} {
		masked := c.actor.Masked()
		if masked.Name() != c.name || masked.Client != "" || masked.Person || masked.System || masked.Environment != "" ||
			c.actor.IsOperator() != c.operator || masked.Impersonation != c.actor.Impersonation {
			t.Errorf("%+v: %+v, %s, operator %t", c.actor, masked, masked.Name(), c.actor.IsOperator())
		}
	}
}
