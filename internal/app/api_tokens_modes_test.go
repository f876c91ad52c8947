package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestU6_APITokensExpire: at the second, without anybody's doing.
func TestU6_APITokensExpire(t *testing.T) {
	shape, clock := clocked()
	w := newWorld(t, shape)
	robot := w.machine("globex-eu", obj{"name": "Robot", "roles": []string{"viewer"}, "expires_at": clock.now().Add(time.Hour).UTC().Format(time.RFC3339)})
	clock.move(59 * time.Minute)
	robot.must("GET", "/v1/me/accounts", nil)
	clock.move(2 * time.Minute)
	robot.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
	if got := w.op.must("GET", tokensOfEU, nil).list("api_tokens", "name"); !slices.Equal(got, []string{"Robot"}) {
		t.Errorf("an expired token can be seen, to be tidied away: %v", got)
	}
}

// TestS3_APITokens: what the mode gives a machine, and what S4 leaves it.
func TestS3_APITokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	create := func(id string, asked any) (caller, answer) {
		body := obj{"name": "Robot", "roles": []string{"viewer"}}
		if asked != nil {
			body["sub_account_access"] = asked
		}
		a := w.op.do("POST", "/v1/accounts/"+id+"/api-tokens", body)
		token, _ := a.body["token"].(string)
		return caller{s: w.service, token: token}, a
	}
	for _, tt := range []struct {
		mode  string
		asked any
		opens string // via what it opens the child; "" for not at all
		code  string
	}{
		{"default_off", nil, "", ""},
		{"default_off", false, "", ""},
		{"default_off", true, "grant", ""},
		{"default_on", nil, "grant", ""},
		{"default_on", false, "", ""},
		{"default_on", true, "grant", ""},
		{"always_on", nil, "always_on", ""},
		{"always_on", true, "always_on", ""},
		{"always_on", false, "", "always_on"},
	} {
		top, child := w.branch(tt.mode)
		robot, a := create(top, tt.asked)
		if a.code() != tt.code {
			t.Errorf("%+v: %s", tt, a.raw)
		}
		if tt.code != "" {
			continue
		}
		var want []string
		if tt.opens != "" {
			want = []string{tt.opens + " at " + top + " [viewer]"}
		}
		if diff := cmp.Diff(want, robot.me()[child]); diff != "" {
			t.Errorf("%+v: %s", tt, diff)
		}
		if tt.opens == "always_on" { // S4: it keeps its access when the mode ends
			w.mode(top, "default_off")
			if diff := cmp.Diff([]string{"kept at " + top + " [viewer]"}, robot.me()[child]); diff != "" {
				t.Errorf("%+v: %s", tt, diff)
			}
		}
	}
	w.op.refuse("not_a_parent_account", "POST", "/v1/accounts/"+w.newLeaf()+"/api-tokens", obj{"name": "Robot", "roles": []string{"viewer"}, "sub_account_access": true})
}

// newLeaf makes an account that may not have sub-accounts.
func (w *world) newLeaf() string {
	w.t.Helper()
	id := w.fresh("leaf")
	w.op.must("POST", "/v1/accounts", obj{"id": id, "name": id})
	return id
}

// TestC1_ARoleThatOnlyAPITokensCarry comes into use with the first and out of use with the last.
func TestC1_ARoleThatOnlyAPITokensCarry(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.op.must("POST", "/v1/roles", obj{"key": "gadget", "account": "globex", "permissions": []string{"fe.secure.read.users"}})
	var ids []string
	for range 2 {
		robot := w.machine("globex-eu", obj{"name": "Robot", "roles": []string{"gadget"}})
		robot.must("GET", "/v1/accounts/globex-eu/members", nil)
		ids = append(ids, strings.Split(robot.token, ".")[1])
	}
	w.op.refuse("role_in_use", "DELETE", "/v1/roles/gadget", nil)
	w.op.refuse("role_out_of_branch", "POST", "/v1/accounts/globex-eu/move", obj{"parent": "initech"})
	w.op.refuse("role_out_of_branch", "POST", "/v1/accounts/initech/api-tokens", obj{"name": "Robot", "roles": []string{"gadget"}})
	for _, id := range ids {
		w.op.refuse("role_in_use", "DELETE", "/v1/roles/gadget", nil)
		w.op.must("DELETE", tokensOfEU+"/"+id, nil)
	}
	w.op.must("DELETE", "/v1/roles/gadget", nil)
}

// TestA5_DeletingAnAccountEndsItsAPITokens, and nobody else's.
func TestA5_DeletingAnAccountEndsItsAPITokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	id := w.newAccount("globex-eu")
	gone := w.machine(id, obj{"name": "Robot", "roles": []string{"viewer"}})
	stays := w.machine("globex-eu", obj{"name": "Robot", "roles": []string{"viewer"}})
	w.op.must("DELETE", "/v1/accounts/"+id, nil)
	gone.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
	stays.must("GET", "/v1/me/accounts", nil)
}
