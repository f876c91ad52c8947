package app_test

import (
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/relation"
)

// person makes a person an operator of prod who has signed in, and returns who they are then.
func (w *world) person(roles ...string) account.Actor {
	w.t.Helper()
	staff := account.Issuer{
		ID: "staff", URL: staffAddress, Audiences: []string{"tenantry"}, Purpose: account.ForOperators,
		LinkByEmail: true, EmailDomains: []string{"vendor.example"},
	}
	_, err := w.Directory.CreateIssuer(w.t.Context(), w.system(), staff)
	if err != nil && !fault.HasCode(err, "issuer_exists") {
		w.t.Fatal(err)
	}
	id := w.newOperator(roles...)
	actor, err := w.Directory.SignIn(w.t.Context(), "prod", directory.Vouched{Issuer: staff, Subject: id, Email: id + "@vendor.example"})
	if err != nil || actor != (account.Actor{Environment: "prod", Client: account.ClientID(id), Person: true}) {
		w.t.Fatalf("%+v, %v", actor, err)
	}
	return actor
}

func (w *world) system() directory.Request {
	return directory.Request{Actor: account.Actor{Environment: "prod", System: true}}
}

// TestE4_APersonMayWhatAClientMay with the same portal roles, but for acting in the name of users.
func TestE4_APersonMayWhatAClientMay(t *testing.T) {
	w := newWorld(t, oneMachine)
	rights := []string{"manage_security", "edit_backoffice", "view_backoffice", "edit_entitlements", "view_entitlements", "impersonate", "act_for_users"}
	may := func(actor account.Actor) []bool {
		t.Helper()
		var questions []directory.Question
		for _, right := range rights {
			questions = append(questions, directory.Question{Permission: right, Resource: relation.EnvironmentObject("prod")})
		}
		answers, err := w.Access.Decide(t.Context(), actor, w.head("prod"), questions)
		if err != nil {
			t.Fatal(err)
		}
		return answers
	}
	for _, roles := range [][]string{
		{"admin"},
		{"backoffice_editor"},
		{"backoffice_viewer"},
		{"entitlements_editor"},
		{"entitlements_viewer"},
		{"backoffice_viewer", "impersonator"},
		{"entitlements_editor", "backoffice_editor"},
	} {
		id := account.ClientID(w.fresh("client"))
		var held []account.PortalRole
		for _, r := range roles {
			held = append(held, account.PortalRole(r))
		}
		w.client("prod", id, false, held...)
		person := w.person(roles...)
		if machine, person := may(account.Actor{Environment: "prod", Client: id}), may(person); !slices.Equal(machine, person) || person[6] {
			t.Errorf("%v: a client %v, a person %v, of %v", roles, machine, person, rights)
		}
		other := person
		other.Environment = "dev"
		if slices.Contains(may(person), true) && slices.Contains(mayIn(t, w, other), true) {
			t.Errorf("%v: a person of prod may something in dev", roles)
		}
		if err := w.Access.MayActFor(t.Context(), "prod", person.Client, "owner"); !fault.HasCode(err, "may_not_act_for_users") {
			t.Errorf("%v: acting for a user: %v", roles, err)
		}
	}
}

func mayIn(t *testing.T, w *world, actor account.Actor) []bool {
	t.Helper()
	answers, err := w.Access.Decide(t.Context(), actor, 1, []directory.Question{{Permission: "view_backoffice", Resource: relation.EnvironmentObject(actor.Environment)}})
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

// impersonateBy begins an impersonation by a person, whose token is made as the API makes it.
func (w *world) impersonateBy(person account.Actor, user account.UserID) (caller, account.Impersonation) {
	w.t.Helper()
	begun, err := w.Directory.BeginImpersonation(w.t.Context(), directory.Request{Actor: person}, directory.NewImpersonation{
		User: user, Reason: "Ticket 1", SignedIn: account.SignedIn{Issuer: staffAddress, Subject: string(person.Client), Audience: "tenantry"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := identity.NewSigner(w.Keys, w.url, nil).Impersonation(w.t.Context(), "prod", begun.Value)
	if err != nil {
		w.t.Fatal(err)
	}
	return caller{s: w.service, token: token}, begun.Value
}

// TestE4_APersonImpersonates as a client does, until they may not any more: what ends it binds at once, and stays.
func TestE4_APersonImpersonates(t *testing.T) {
	w := newWorld(t, oneMachine)
	for name, end := range map[string]func(id string){
		"deleted": func(id string) { w.op.must("DELETE", "/v1/environment/operators/"+id, nil) },
		"no impersonator any more": func(id string) {
			w.op.must("PATCH", "/v1/environment/operators/"+id, obj{"roles": []string{"backoffice_viewer"}})
			w.op.must("PATCH", "/v1/environment/operators/"+id, obj{"roles": []string{"backoffice_viewer", "impersonator"}})
		},
	} {
		mara := w.person("backoffice_viewer", "impersonator")
		id := string(mara.Client)
		asOwner, session := w.impersonateBy(mara, "owner")
		me := asOwner.must("GET", "/v1/me", nil)
		if me.body["id"] != "owner" || me.body["client"] != id || me.header.Get("Impersonated-By") != "operator:"+id || !session.Person {
			t.Errorf("%s: %s %v %+v", name, me.raw, me.header, session)
		}
		if list := w.op.must("GET", "/v1/impersonations", nil); list.body["impersonations"].([]any)[0].(map[string]any)["person"] != true {
			t.Errorf("the list: %s", list.raw)
		}
		end(id)
		asOwner.refuse("unauthenticated", "GET", "/v1/me", nil)
		if found := w.op.log("subject=operator:" + id + "&kind=impersonation.*"); len(found) != 1 || found[0].Actor.Name != "operator:"+id {
			t.Errorf("%s: the log: %+v", name, found)
		}
	}

	// a client with the id of a person who is gone is not that person
	mara := w.person("backoffice_viewer", "impersonator")
	asOwner, session := w.impersonateBy(mara, "owner")
	w.op.must("DELETE", "/v1/environment/operators/"+string(mara.Client), nil)
	w.client("prod", mara.Client, false, account.BackofficeViewer, account.Impersonator)
	w.plant(changed(nil, account.Of(session))) // as if the session had stayed
	asOwner.refuse("unauthenticated", "GET", "/v1/me", nil)
}

// TestI1_AnInvitationOfAPersonIsVoid once they may not invite any more, or somebody else has the id.
func TestI1_AnInvitationOfAPersonIsVoid(t *testing.T) {
	w := newWorld(t, oneMachine)
	invite := func(person account.Actor) string {
		t.Helper()
		sent, err := w.Directory.Invite(t.Context(), directory.Request{Actor: person}, directory.NewInvitation{
			Account: "globex", Email: w.fresh("new") + "@example.com", Roles: []account.RoleKey{"viewer"}, Sending: directory.Sending{Link: directory.ByHand},
		})
		if err != nil {
			t.Fatal(err)
		}
		return sent.Value.Token.Reveal()
	}
	nobody := caller{s: w.service}
	mara := w.person("backoffice_editor")
	good, demoted, gone, other := invite(mara), invite(mara), invite(mara), invite(mara)
	nobody.must("POST", "/v1/invitations/accept", obj{"token": good})
	path := "/v1/environment/operators/" + string(mara.Client)
	w.op.must("PATCH", path, obj{"roles": []string{"backoffice_viewer"}})
	nobody.refuse("invitation_void", "POST", "/v1/invitations/accept", obj{"token": demoted})
	w.op.must("DELETE", path, nil)
	nobody.refuse("invitation_void", "POST", "/v1/invitations/accept", obj{"token": gone})
	w.client("prod", mara.Client, false, account.BackofficeEditor)
	nobody.refuse("invitation_void", "POST", "/v1/invitations/accept", obj{"token": other})
}

// TestC1_TheDeploymentIsNoIssuerOfItself: its own tokens are never taken for a provider's.
func TestC1_TheDeploymentIsNoIssuerOfItself(t *testing.T) {
	w := furnished(t, app.Config{DataDir: t.TempDir(), PublicURL: "https://accounts.vendor.example"})
	body := obj{"url": "https://accounts.vendor.example", "audiences": []string{"tenantry:prod"}, "purpose": "users"}
	w.op.refuse("invalid_issuer", "POST", "/v1/environment/issuers", body)
	body["url"] = "https://accounts.vendor.example/"
	w.op.refuse("invalid_issuer", "POST", "/v1/environment/issuers", body)
	w.op.must("POST", "/v1/environment/issuers", obj{"url": "https://accounts.vendor.example/realms/shop", "audiences": []string{"shop"}, "purpose": "users"})
}

// TestE1_WhatSignsInIsOfOneEnvironment: ids of prod's issuers, operators and identities open nothing in dev.
func TestE1_WhatSignsInIsOfOneEnvironment(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.login()
	linked := w.op.must("POST", "/v1/users/owner/identities", obj{"issuer": loginAddress, "subject": "1"}).body["id"].(string)
	mara := string(w.person("admin").Client)
	w.dev.refuse("issuer_not_found", "GET", "/v1/environment/issuers/login", nil)
	w.dev.refuse("issuer_not_found", "POST", "/v1/users/owner/identities", obj{"issuer": loginAddress, "subject": "2"})
	w.dev.refuse("identity_not_found", "DELETE", "/v1/users/owner/identities/"+linked, nil)
	w.dev.refuse("operator_not_found", "DELETE", "/v1/environment/operators/"+mara, nil)
	w.dev.refuse("operator_not_found", "PATCH", "/v1/environment/operators/"+mara, obj{"roles": []string{"backoffice_viewer"}})
	if n := w.dev.must("GET", "/v1/users/owner/identities", nil).body["total"]; n != 0.0 {
		t.Errorf("owner of dev is %v subjects", n)
	}
	w.newOperator("backoffice_viewer")
	page := w.op.must("GET", "/v1/environment/operators?limit=1", nil)
	cursor, _ := page.body["next_cursor"].(string)
	if a := w.dev.must("GET", "/v1/environment/operators?cursor="+cursor, nil); a.body["total"] != 0.0 {
		t.Errorf("a cursor of prod opens in dev: %s", a.raw)
	}
}
