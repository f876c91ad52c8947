package app_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
)

// opening lists who can open an account, through all pages: "type:id reason; reason".
func (c caller) opening(id, query string) []string {
	c.s.t.Helper()
	var out []string
	for cursor := ""; ; {
		a := c.must("GET", "/v1/accounts/"+id+"/access?limit=2&cursor="+cursor+"&"+query, nil)
		for _, item := range a.body["subjects"].([]any) {
			item := item.(map[string]any)
			var reasons []string
			for _, s := range item["sources"].([]any) {
				reasons = append(reasons, reasonText(s.(map[string]any)))
			}
			out = append(out, fmt.Sprintf("%s:%s %s", item["type"], item["id"], strings.Join(reasons, "; ")))
		}
		next, more := a.body["next_cursor"].(string)
		if !more {
			if total := int(a.body["total"].(float64)); total != len(out) {
				c.s.t.Errorf("total is %d, the pages hold %v", total, out)
			}
			return out
		}
		cursor = next
	}
}

// TestS5_EverybodyWhoCanOpenAnAccount, directly or not, with every source.
func TestS5_EverybodyWhoCanOpenAnAccount(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			w.grant("globex-eu", "owner", obj{"roles": []string{"viewer"}})
			past := time.Now().Add(-time.Hour).Truncate(time.Second)
			w.plant(changed(nil, account.Of(account.Membership{Account: "globex-eu", User: "outsider", Roles: []account.RoleKey{"admin"}, ExpiresAt: &past, CreatedAt: past})))
			w.giveToken("globex", "above", account.GrantedAccess, nil, "greeter")
			w.giveToken("globex-eu", "here", "", nil, "greeter")
			w.giveToken("globex", "not-below", "", nil, "manager")
			all := []string{
				"user:clerk direct@globex-eu manager", "user:euadmin direct@globex-eu admin", "user:owner direct@globex-eu viewer; grant@globex admin",
				"api_token:above grant@globex greeter", "api_token:here direct@globex-eu greeter",
			}
			for query, want := range map[string][]string{
				"": all, "type=user": all[:3], "type=api_token": all[3:], "q=OWNER": all[2:3], "q=clerk@EXAMPLE.com": all[:1], "q=nobody": nil, "q=here": all[4:],
			} {
				for _, c := range []caller{w.op, w.as("euadmin"), w.as("clerk"), w.as("owner")} {
					if diff := cmp.Diff(want, c.opening("globex-eu", query)); diff != "" {
						t.Errorf("%s by %s (-want +got): %s", query, c.acting, diff)
					}
				}
			}
			if diff := cmp.Diff([]string{"user:owner grant@globex admin", "api_token:above grant@globex greeter"}, w.op.opening("globex-eu-fr", "")); diff != "" {
				t.Errorf("below (-want +got): %s", diff)
			}
			w.op.must("POST", "/v1/users/owner/block", nil)
			if got := w.op.opening("globex-eu-fr", "type=user"); len(got) != 0 {
				t.Errorf("blocked users open nothing: %v", got)
			}
			w.op.must("POST", "/v1/users/owner/unblock", nil)
			if got := w.op.opening("globex-eu-fr", "type=user"); len(got) != 1 {
				t.Errorf("after the block: %v", got)
			}
			path := "/v1/accounts/globex-eu/access"
			operators := w.op.must("GET", path, nil).body["operators"].(map[string]any)
			var ids []string
			for _, c := range operators["clients"].([]any) {
				c := c.(map[string]any)
				ids = append(ids, c["id"].(string)+" "+reasonText(c["sources"].([]any)[0].(map[string]any)))
			}
			if !slices.Equal(ids, []string{"delegate operator_role@ admin", "op operator_role@ admin", "support operator_role@ backoffice_viewer"}) || operators["total"] != 3.0 {
				t.Errorf("operators: %v", operators)
			}
			if a := w.as("euadmin").must("GET", path, nil); a.body["operators"] != nil {
				t.Errorf("a user is told of operators: %s", a.raw)
			}
		})
	}
}

// TestS5_WhoMayListWhoCanOpen: and strangers do not learn what there is.
func TestS5_WhoMayListWhoCanOpen(t *testing.T) {
	w := newWorld(t, oneMachine)
	for _, user := range []string{"viewer", "outsider", "euadmin"} {
		there := w.as(user).refuse("permission_denied", "GET", "/v1/accounts/globex-eu-fr/access", nil).problem("globex-eu-fr")
		if absent := w.as(user).refuse("permission_denied", "GET", "/v1/accounts/no-such/access", nil).problem("no-such"); there != absent {
			t.Errorf("%s learns what exists: %s, %s", user, there, absent)
		}
	}
	w.op.refuse("account_not_found", "GET", "/v1/accounts/no-such/access", nil)
	w.op.refuse("account_not_found", "GET", "/v1/accounts/dev-only/access", nil)
	w.op.refuse("invalid_type", "GET", "/v1/accounts/globex/access?type=operator", nil).is(t, 422, "invalid_type", "type")
	w.op.refuse("invalid_limit", "GET", "/v1/accounts/globex/access?limit=1001", nil)
	w.op.refuse("invalid_query", "GET", "/v1/accounts/globex/access?q="+strings.Repeat("x", 201), nil)
	w.op.must("GET", "/v1/accounts/globex/access?q="+url.QueryEscape(strings.Repeat("ж", 200)), nil) // as long as a name, whatever its alphabet
	w.op.must("GET", "/v1/users/viewer/accounts?q="+url.QueryEscape(strings.Repeat("ж", 200)), nil)
	w.op.refuse("invalid_query", "GET", "/v1/users/viewer/accounts?q="+url.QueryEscape(strings.Repeat("ж", 201)), nil)
	members := w.op.must("GET", "/v1/accounts/globex/members?limit=1", nil).body["next_cursor"].(string)
	w.op.refuse("invalid_cursor", "GET", "/v1/accounts/globex/access?cursor="+members, nil)

	// what a member has by the account itself, and by what, is in the list of members
	w.op.must("PATCH", "/v1/accounts/globex-eu", obj{"sub_account_access": "always_on"})
	w.op.must("PATCH", "/v1/accounts/globex-eu", obj{"sub_account_access": "default_off"})
	w.grant("globex-eu", w.newUser("initech"), obj{"roles": []string{"viewer"}, "sub_account_access": false})
	by := w.as("euadmin").must("GET", "/v1/accounts/globex-eu/members?q=example", nil).list("members", "sub_account_access_by")
	if diff := cmp.Diff([]string{"kept", "kept", "none"}, by); diff != "" {
		t.Errorf("members of globex-eu: %s", diff)
	}
	if got := w.op.must("GET", "/v1/accounts/globex-eu/members?role=manager", nil).list("members", "user"); !slices.Equal(got, []string{"clerk"}) {
		t.Errorf("managers: %v", got)
	}
}

// TestS5_TheEngineDecides where the directory says otherwise: whom it denies is
// left out of the list, and what it answers without a reason is told as such.
func TestS5_TheEngineDecides(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.WithoutIndex = true // which is held against the engine by samples: see TestIndex_ASampleThatDiffersEndsIt
	w := furnished(t, cfg)
	w.loseClerk()
	w.grant("globex", w.newUser("initech"), obj{"roles": []string{"viewer"}}) // questions after this see what the engine has
	a := w.op.must("GET", "/v1/accounts/globex-eu/access?type=user", nil)
	if ids := a.list("subjects", "id"); !slices.Equal(ids, []string{"euadmin", "owner"}) || a.body["total"] != 3.0 {
		t.Errorf("listed: %s", a.raw)
	}
	page := w.op.must("GET", "/v1/accounts/globex-eu/access?type=user&limit=1", nil) // the first page has nobody left
	next, _ := page.body["next_cursor"].(string)
	if ids := page.list("subjects", "id"); len(ids) != 0 || next == "" {
		t.Errorf("the first page: %s", page.raw)
	}
	if ids := w.op.must("GET", "/v1/accounts/globex-eu/access?type=user&limit=1&cursor="+next, nil).list("subjects", "id"); !slices.Equal(ids, []string{"euadmin"}) {
		t.Errorf("the second page: %v", ids)
	}
	if got := w.op.explained("user:clerk", "access", "account:globex-eu"); got != "denied: direct@globex-eu manager; not unexplained" {
		t.Errorf("explained: %s", got)
	}
}

// loseClerk takes the clerk's membership out of the engine behind Tenantry's back.
func (w *world) loseClerk() {
	w.t.Helper()
	_, err := v1.NewPermissionsServiceClient(w.Engine.Conn()).WriteRelationships(w.t.Context(), &v1.WriteRelationshipsRequest{
		Updates: []*v1.RelationshipUpdate{{Operation: v1.RelationshipUpdate_OPERATION_DELETE, Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: "assignment", ObjectId: "prod/globex-eu/manager"}, Relation: "member",
			Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: "prod/clerk"}},
		}}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
