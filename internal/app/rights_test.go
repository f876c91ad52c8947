package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/ndjson"
)

const (
	inviteUsers = "fe.secure.invite.users"
	readUsers   = "fe.secure.read.users"
	writeUsers  = "fe.secure.write.users"
	writeRoles  = "fe.secure.write.roles"
)

// TestU4_ARoleIsEditedForAllWhoHoldIt: what a user puts into a role they have to
// hold wherever the role is in use, not only at the account that it belongs to.
func TestU4_ARoleIsEditedForAllWhoHoldIt(t *testing.T) {
	w := newWorld(t, oneMachine)
	top := w.newAccount("globex")
	kid := w.newAccount(top)
	w.op.must("POST", "/v1/roles", obj{"key": "weak", "account": top, "permissions": []string{}})
	w.role(w.op, "editor", writeRoles, writeUsers)
	eve := w.newUser("initech")
	w.grant(top, eve, obj{"roles": []string{"editor"}})
	w.grant(kid, eve, obj{"roles": []string{"weak"}})
	stronger := obj{"permissions": []string{writeUsers}}

	w.as(eve).refuse("permission_denied", "PATCH", "/v1/roles/weak", stronger)
	if w.op.allowed("user:"+eve, writeUsers, "account:"+kid) {
		t.Error("eve gave herself a permission in the sub-account")
	}
	w.as(eve).must("PATCH", "/v1/roles/weak", obj{"name": "Weak"})
	w.grant(top, eve, obj{"roles": []string{"editor"}, "sub_account_access": true})
	w.as(eve).must("PATCH", "/v1/roles/weak", stronger) // she holds it there now
	w.as(eve).must("PATCH", "/v1/roles/weak", obj{"permissions": []string{}})
	w.op.must("PATCH", "/v1/roles/weak", obj{"permissions": []string{deleteSubAccount}})
	w.as(eve).must("PATCH", "/v1/roles/weak", obj{"permissions": []string{}}) // taking away is free
}

// TestU4_ARoleOfManyAccountsIsForOperators: where a role is in use too widely to ask about.
func TestU4_ARoleOfManyAccountsIsForOperators(t *testing.T) {
	w := newWorld(t, oneMachine)
	top := w.newAccount("globex")
	w.op.must("POST", "/v1/roles", obj{"key": "wide", "account": top, "permissions": []string{}})
	eve := w.newUser("initech")
	w.grant(top, eve, obj{"roles": []string{"admin"}, "sub_account_access": true})
	var load strings.Builder
	for i := range 201 {
		fmt.Fprintf(&load, `{"kind":"account","id":"wide-%d","name":"Wide","parent":%q}`+"\n", i, top)
		fmt.Fprintf(&load, `{"kind":"membership","account":"wide-%d","user":%q,"roles":["wide"]}`+"\n", i, eve)
	}
	var records []directory.Record
	err := ndjson.Read(strings.NewReader(load.String()), func(r directory.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	req := directory.Request{Actor: account.Actor{Environment: "prod", System: true}}
	if _, err := w.Directory.Load(t.Context(), req, records, directory.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	stronger := obj{"permissions": []string{writeUsers}}
	refused := w.as(eve).refuse("permission_denied", "PATCH", "/v1/roles/wide", stronger)
	if detail := refused.body["detail"].(string); !strings.Contains(detail, "ask an operator") {
		t.Errorf("the refusal says: %s", detail)
	}
	w.op.must("DELETE", "/v1/accounts/wide-0", nil)
	w.as(eve).must("PATCH", "/v1/roles/wide", stronger)
}

// TestU4_SubAccountAccessHandsOutTheRoles: who turns it on for a member holds what that member's roles have.
func TestU4_SubAccountAccessHandsOutTheRoles(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.role(w.op, "steward", writeUsers, writeAccess, readSubAccounts)
	steward, boss, reader := w.newUser("initech"), w.newUser("initech"), w.newUser("initech")
	w.grant("globex-eu", steward, obj{"roles": []string{"steward"}})
	w.grant("globex-eu", boss, obj{"roles": []string{"admin"}})
	w.grant("globex-eu", reader, obj{"roles": []string{"viewer"}})
	members := "/v1/accounts/globex-eu/members/"

	w.as(steward).refuse("permission_denied", "PUT", members+boss, obj{"roles": []string{"admin"}, "sub_account_access": true})
	w.as(steward).must("PUT", members+reader, obj{"roles": []string{"viewer"}, "sub_account_access": true})
	w.as(steward).must("PUT", members+reader, obj{"roles": []string{"viewer"}, "sub_account_access": true})
	w.as("euadmin").must("PUT", members+boss, obj{"roles": []string{"admin"}, "sub_account_access": true})
	w.as(steward).must("PUT", members+boss, obj{"roles": []string{"admin"}, "sub_account_access": false}) // taking away is free
}

// TestU5_ABlockIsNotLiftedByDeleting: a tenant cannot delete a blocked user, to make them anew without the block.
func TestU5_ABlockIsNotLiftedByDeleting(t *testing.T) {
	w := newWorld(t, oneMachine)
	kid := w.newAccount("globex-eu")
	blocked, other := w.newUser(kid), w.newUser(kid)
	w.op.must("POST", "/v1/users/"+blocked+"/block", nil)
	w.grant(kid, "euadmin", obj{"roles": []string{"admin"}})
	member := "/v1/accounts/" + kid + "/members/"

	w.as("euadmin").refuse("users_without_account", "DELETE", member+blocked, nil)
	w.as("euadmin").refuse("permission_denied", "DELETE", member+blocked+"?delete_user=true", nil)
	w.as("euadmin").refuse("permission_denied", "DELETE", "/v1/accounts/"+kid+"?delete_users=true", nil)
	w.as("euadmin").must("DELETE", member+other+"?delete_user=true", nil)
	w.op.must("DELETE", member+blocked+"?delete_user=true", nil)
	w.as("euadmin").must("DELETE", "/v1/accounts/"+kid+"?delete_users=true", nil)
}

// problem is what an answer tells, with names that differ between requests replaced.
func (a answer) problem(name string) string {
	delete(a.body, "request_id")
	return strings.ReplaceAll(fmt.Sprint(a.status, a.body), name, "NAME")
}

// TestInvitersAddOnlyWhomTheyMaySee: to others a user of another account is as one who does not exist.
func TestInvitersAddOnlyWhomTheyMaySee(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.role(w.op, "inviter", inviteUsers, readSubAccounts)
	w.role(w.op, "reader", readUsers)
	inviter, colleague, stranger := w.newUser("initech"), w.newUser("globex-eu"), w.newUser("initech")
	w.grant("globex-eu-fr", inviter, obj{"roles": []string{"inviter"}})
	members := "/v1/accounts/globex-eu-fr/members/"
	body := obj{"roles": []string{"viewer"}}
	c := w.as(inviter)

	for _, id := range []string{stranger, colleague} {
		unknown := c.refuse("user_not_found", "PUT", members+"no-such", body).problem("no-such")
		hidden := c.refuse("user_not_found", "PUT", members+id, body).problem(id)
		if diff := cmp.Diff(unknown, hidden); diff != "" {
			t.Errorf("an unknown and a hidden user are told apart:\n%s", diff)
		}
		// nor by what else is wrong, or is lacking
		for _, other := range []obj{
			{"roles": []string{"admin"}},
			{"roles": []string{"no-such"}},
			{"roles": []string{"viewer"}, "sub_account_access": true},
			{"roles": []string{"viewer"}, "expires_at": "2001-01-01T00:00:00Z"},
		} {
			c.refuse("user_not_found", "PUT", members+id, other)
			c.refuse("user_not_found", "PUT", members+"no-such", other)
		}
	}
	w.as("owner").must("PUT", members+"owner", body) // everybody knows themselves
	w.grant("globex-eu", inviter, obj{"roles": []string{"reader"}})
	c.must("PUT", members+colleague, body) // a member where the inviter may read members
	c.refuse("user_not_found", "PUT", members+stranger, body)
	w.grant("globex", inviter, obj{"roles": []string{"reader"}, "sub_account_access": true})
	w.op.must("DELETE", "/v1/accounts/globex-eu/members/"+inviter, nil)
	c.must("PUT", members+w.newUser("globex-eu"), body) // by inheritance, too
	w.op.must("PUT", members+stranger, body)            // operators know everybody
}

// TestRefusalsDoNotTell who is a member, and whose a role is.
func TestRefusalsDoNotTell(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.op.must("POST", "/v1/roles", obj{"key": "secret", "account": "globex-eu", "permissions": []string{readUsers}})
	c := w.as("outsider")
	put := func(user string) string {
		return c.refuse("permission_denied", "PUT", "/v1/accounts/globex/members/"+user, obj{"roles": []string{"viewer"}}).problem(user)
	}
	member := put("owner")
	for _, user := range []string{"clerk", "euadmin", "no-such"} {
		if diff := cmp.Diff(member, put(user)); diff != "" {
			t.Errorf("%s is told from a member:\n%s", user, diff)
		}
	}
	for _, method := range []string{"PATCH", "DELETE"} {
		probe := func(key string) string {
			body := any(obj{"name": "Mine"})
			if method == "DELETE" {
				body = nil
			}
			return c.refuse("permission_denied", method, "/v1/roles/"+key, body).problem(key)
		}
		secret := probe("secret")
		for _, key := range []string{"admin", "no-such"} {
			if diff := cmp.Diff(secret, probe(key)); diff != "" {
				t.Errorf("%s: role %s is told from an account's:\n%s", method, key, diff)
			}
		}
	}
	// whose a role is, is not told to who may use roles either
	refused := c.refuse("role_out_of_branch", "PUT", "/v1/accounts/initech/members/outsider", obj{"roles": []string{"admin", "secret"}})
	if strings.Contains(string(refused.raw), "globex") {
		t.Errorf("the owner of the role is named: %s", refused.raw)
	}
}
