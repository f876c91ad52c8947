package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const modelDepth = 5

// history drives a service and the model with the same random requests.
type history struct {
	t     *rapid.T
	c     caller
	m     *model
	users []string
	n     int // accounts made
}

func (h *history) account(label string) string {
	ids := make([]string, 0, len(h.m.accounts))
	for id := range h.m.accounts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return rapid.SampledFrom(ids).Draw(h.t, label)
}

func (h *history) user() string { return rapid.SampledFrom(h.users).Draw(h.t, "user") }

// expect sends a request; code is what the model says it is refused with, "" if it succeeds.
func (h *history) expect(code, method, path string, body any) {
	h.t.Logf("%s %s %v → %s", method, path, body, code)
	a, err := h.c.try(method, path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	if code == "" && a.status >= 300 || code != "" && a.code() != code {
		h.t.Fatalf("%s %s %v: want %q, got %d %s", method, path, body, code, a.status, a.raw)
	}
	if a.status == 202 {
		h.t.Fatalf("%s %s: not in force: %s", method, path, a.raw)
	}
}

func (h *history) create() {
	parent := ""
	if len(h.m.accounts) > 0 && rapid.IntRange(0, 9).Draw(h.t, "root?") > 0 {
		parent = h.account("parent")
	}
	id := fmt.Sprintf("a%d", h.n)
	h.n++
	mode := rapid.SampledFrom([]string{"default_off", "default_on", "always_on"}).Draw(h.t, "mode")
	body := obj{"id": id, "name": strings.ToUpper(id), "sub_account_management": true, "sub_account_access": mode}
	if parent != "" {
		body["parent"] = parent
		if len(h.m.path(parent)) >= modelDepth {
			h.expect("too_deep", "POST", "/v1/accounts", body)
			return
		}
	}
	h.expect("", "POST", "/v1/accounts", body)
	h.m.accounts[id] = &modelAccount{parent: parent, mode: mode}
}

func (h *history) move() {
	id, parent := h.account("account"), h.account("parent")
	code := ""
	switch {
	case slices.Contains(h.m.path(parent), id):
		code = "hierarchy_cycle"
	case h.m.accounts[id].parent == parent:
	case len(h.m.path(parent))+h.m.height(id) > modelDepth:
		code = "too_deep"
	}
	h.expect(code, "POST", "/v1/accounts/"+id+"/move", obj{"parent": parent})
	if code == "" {
		h.m.accounts[id].parent = parent
	}
}

func (h *history) remove() {
	id := h.account("account")
	if h.m.children(id) > 0 {
		h.expect("account_has_children", "DELETE", "/v1/accounts/"+id, nil)
		return
	}
	for k := range h.m.members {
		if k[0] == id && h.m.membershipsOf(k[1]) == 1 {
			h.expect("users_without_account", "DELETE", "/v1/accounts/"+id, nil)
			return
		}
	}
	h.expect("", "DELETE", "/v1/accounts/"+id, nil)
	delete(h.m.accounts, id)
	for k := range h.m.members {
		if k[0] == id {
			delete(h.m.members, k)
		}
	}
}

func (h *history) grant() {
	id, user := h.account("account"), h.user()
	roles := rapid.SampledFrom([][]string{{"viewer"}, {"manager"}, {"manager", "viewer"}}).Draw(h.t, "roles")
	asked := rapid.SampledFrom([]string{"", "true", "false"}).Draw(h.t, "sub_account_access")
	body := obj{"roles": roles}
	if asked != "" {
		body["sub_account_access"] = asked == "true"
	}
	key := [2]string{id, user}
	present, mode := h.m.members[key], h.m.accounts[id].mode
	own := mode == "default_on"
	if present != nil {
		own = present.own
	}
	switch {
	case asked == "false" && mode == "always_on": // S3
		h.expect("always_on", "PUT", "/v1/accounts/"+id+"/members/"+user, body)
		return
	case asked == "true" && mode != "always_on":
		own = true
	case asked == "false":
		own = false
	}
	h.expect("", "PUT", "/v1/accounts/"+id+"/members/"+user, body)
	h.m.members[key] = &modelMember{roles: roles, own: own}
}

func (h *history) revoke() {
	if len(h.m.members) == 0 {
		return
	}
	keys := make([]string, 0, len(h.m.members))
	for k := range h.m.members {
		keys = append(keys, k[0]+"/"+k[1])
	}
	slices.Sort(keys)
	id, user, _ := strings.Cut(rapid.SampledFrom(keys).Draw(h.t, "membership"), "/")
	path := "/v1/accounts/" + id + "/members/" + user
	if h.m.membershipsOf(user) == 1 {
		h.expect("users_without_account", "DELETE", path, nil)
		return
	}
	h.expect("", "DELETE", path, nil)
	delete(h.m.members, [2]string{id, user})
}

func (h *history) mode() {
	id := h.account("account")
	mode := rapid.SampledFrom([]string{"default_off", "default_on", "always_on"}).Draw(h.t, "mode")
	h.expect("", "PATCH", "/v1/accounts/"+id, obj{"sub_account_access": mode})
	if h.m.accounts[id].mode == "always_on" && mode != "always_on" { // S4
		for k, member := range h.m.members {
			if k[0] == id {
				member.own = true
			}
		}
	}
	h.m.accounts[id].mode = mode
}

func (h *history) block() {
	user := h.user()
	if h.m.blocked[user] {
		h.expect("", "POST", "/v1/users/"+user+"/unblock", nil)
		h.m.blocked[user] = false
	} else {
		h.expect("", "POST", "/v1/users/"+user+"/block", nil)
		h.m.blocked[user] = true
	}
}

// agree compares checks and switcher lists of every user and account with the model.
func (h *history) agree() {
	for _, user := range h.users {
		var items []obj
		var want []bool
		var open []string
		for id := range h.m.accounts {
			for _, p := range []string{"access", "fe.account-hierarchy.read.subAccount", "fe.secure.write.users"} {
				permission := p
				if p == "access" {
					permission = ""
				}
				items = append(items, obj{"subject": "user:" + user, "permission": p, "resource": "account:" + id})
				want = append(want, h.m.may(user, permission, id))
			}
			if h.m.may(user, "", id) {
				open = append(open, id)
			}
		}
		if len(items) == 0 {
			continue
		}
		a, err := h.c.try("POST", "/v1/check/bulk", obj{"items": items})
		if err != nil || a.status != 200 {
			h.t.Fatalf("bulk check: %v %s", err, a.raw)
		}
		for i, got := range a.body["items"].([]any) {
			if got := got.(map[string]any)["allowed"]; got != want[i] {
				h.t.Fatalf("%v: the service says %v, the model %v", items[i], got, want[i])
			}
		}
		for _, sort := range []string{"tree", "name", "date"} {
			got := h.c.reach(user, "sort="+sort)
			if sort == "tree" {
				h.treeOrder(got)
			}
			slices.Sort(got)
			slices.Sort(open)
			if !slices.Equal(got, open) {
				h.t.Fatalf("switcher of %s by %s: the service says %v, the model %v", user, sort, got, open)
			}
		}
		writers := slices.DeleteFunc(slices.Clone(open), func(id string) bool { return !h.m.may(user, "fe.secure.write.users", id) })
		got := h.c.reach(user, "permission=fe.secure.write.users")
		slices.Sort(got)
		if !slices.Equal(got, writers) {
			h.t.Fatalf("switcher of %s by permission: the service says %v, the model %v", user, got, writers)
		}
	}
}

// treeOrder checks that no account comes before one that is above it, and that branches are not mixed.
func (h *history) treeOrder(ids []string) {
	for i, id := range ids {
		for j, other := range ids {
			if j > i && slices.Contains(h.m.path(id)[1:], other) {
				h.t.Fatalf("tree order: %s comes before its ancestor %s in %v", id, other, ids)
			}
		}
	}
}

// TestHistories holds the service, its checks and its switcher against the model over random histories.
func TestHistories(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			service := start(t, s.make(t))
			round := 0
			deadline := time.Now().Add(s.histories)
			rapid.Check(t, func(rt *rapid.T) {
				if round > 2 && time.Now().After(deadline) {
					return // what there is time for on a slow machine; three rounds always
				}
				round++
				runHistory(t, rt, service, fmt.Sprintf("h%d", round))
			})
			t.Logf("%d histories", round)
		})
	}
}

func runHistory(t *testing.T, rt *rapid.T, s *service, env string) {
	s.environmentOfDepth(env, modelDepth)
	h := &history{
		t: rt, c: s.client(accountEnv(env), "op", false, "admin"), users: []string{"u0", "u1", "u2", "u3"},
		m: &model{accounts: map[string]*modelAccount{}, members: map[[2]string]*modelMember{}, blocked: map[string]bool{}},
	}
	for key, permissions := range modelRoles {
		h.c.must("POST", "/v1/roles", obj{"key": key, "permissions": permissions})
	}
	// everybody is at home somewhere (U1)
	h.c.must("POST", "/v1/accounts", obj{"id": "home", "name": "Home", "sub_account_management": true, "sub_account_access": "default_off"})
	h.m.accounts["home"] = &modelAccount{mode: "default_off"}
	for _, u := range h.users {
		h.c.must("POST", "/v1/users", obj{"id": u, "email": u + "@home.example", "memberships": []obj{{"account": "home", "roles": []string{"viewer"}}}})
		h.m.members[[2]string{"home", u}] = &modelMember{roles: []string{"viewer"}}
	}
	steps := []func(){h.create, h.create, h.create, h.move, h.remove, h.grant, h.grant, h.grant, h.revoke, h.mode, h.block}
	for range rapid.IntRange(5, 25).Draw(rt, "steps") {
		rapid.SampledFrom(steps).Draw(rt, "step")()
		h.agree()
	}
	drift, err := s.Relay.Reconcile(t.Context(), accountEnv(env), true, nil)
	if err != nil || !drift.Drift.Empty() {
		rt.Fatalf("drift after the history: %v %+v", err, drift.Drift)
	}
}
