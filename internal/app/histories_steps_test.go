package app_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

var modes = []string{off, on, always}

// create makes an account.
func (h *history) create() {
	parent := ""
	if !h.odds("root?", 10) {
		parent = h.account("parent")
	}
	id, mode := h.fresh("a"), rapid.SampledFrom(modes).Draw(h.t, "mode")
	managed := !h.odds("without sub-accounts?", 6)
	body := obj{"id": id, "name": strings.ToUpper(id), "sub_account_management": managed, "sub_account_access": mode}
	if parent != "" {
		body["parent"] = parent
	}
	code := h.m.mayBeHere(parent, 1)
	h.expect(code, "POST", "/v1/accounts", body)
	if code == "" {
		h.m.accounts[id] = &modelAccount{parent: parent, mode: mode, managed: managed, switches: map[modelSwitch]bool{}}
	}
}

// move puts a branch elsewhere.
func (h *history) move() {
	id, parent := h.account("account"), ""
	body := obj{"parent": nil}
	if !h.odds("to the root?", 6) {
		parent = h.account("parent")
		body["parent"] = parent
	}
	code := ""
	switch {
	case parent == h.m.accounts[id].parent:
	case parent != "" && slices.Contains(h.m.path(parent), id):
		code = "hierarchy_cycle"
	case h.m.mayBeHere(parent, h.m.height(id)) != "":
		code = h.m.mayBeHere(parent, h.m.height(id))
	case h.leavesARole(id, parent):
		code = "role_out_of_branch"
	}
	h.expect(code, "POST", "/v1/accounts/"+id+"/move", body)
	if code == "" {
		h.m.accounts[id].parent = parent
	}
}

// leavesARole says whether a role would be in use outside of its branch after a move (U2).
func (h *history) leavesARole(id, parent string) (leaves bool) {
	before := h.m.accounts[id].parent
	h.m.accounts[id].parent = parent
	h.m.carried(func(at, role string) { leaves = leaves || !h.m.usable(role, at) })
	h.m.accounts[id].parent = before
	return leaves
}

// remove deletes an account.
func (h *history) remove() {
	id := h.account("account")
	if h.m.children(id) > 0 { // A5
		h.expect("account_has_children", "DELETE", "/v1/accounts/"+id, nil)
		return
	}
	for k := range h.m.members {
		if k[0] == id && h.m.membershipsOf(k[1]) == 1 { // U1
			h.expect("users_without_account", "DELETE", "/v1/accounts/"+id, nil)
			return
		}
	}
	h.expect("", "DELETE", "/v1/accounts/"+id, nil)
	delete(h.m.accounts, id)
	for _, held := range []map[[2]string]*modelMember{h.m.members, h.m.tokens} {
		for k := range held {
			if k[0] == id {
				delete(held, k)
			}
		}
	}
	for key, role := range h.m.roles {
		if role.owner == id {
			delete(h.m.roles, key)
		}
	}
}

// manage turns sub-accounts on or off: of an account (A3), or of the environment (E2).
func (h *history) manage() {
	if h.odds("the environment's?", 4) {
		h.m.enabled = !h.m.enabled
		h.expect("", "PATCH", "/v1/environment", obj{"sub_accounts_enabled": h.m.enabled})
		return
	}
	id := h.account("account")
	h.m.accounts[id].managed = !h.m.accounts[id].managed
	h.expect("", "PATCH", "/v1/accounts/"+id, obj{"sub_account_management": h.m.accounts[id].managed})
}

// asks draws roles, an expiry and a choice about sub-account access, as a body, and what a member would become.
func (h *history) asks() (body obj, wants modelMember, asked string) {
	all := make([]string, 0, len(h.m.roles))
	for key := range h.m.roles {
		all = append(all, key)
	}
	slices.Sort(all)
	wants.roles = rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, min(2, len(all)), rapid.ID).Draw(h.t, "roles")
	body = obj{"roles": wants.roles}
	if h.odds("expires?", 3) {
		seconds := []int{1, 2, 30, 60}
		if h.clock == nil {
			seconds = []int{1_000_000}
		}
		if h.odds("in the past?", 5) {
			seconds = []int{-1}
		}
		wants.expires = h.m.now.Truncate(time.Second).Add(time.Duration(rapid.SampledFrom(seconds).Draw(h.t, "seconds")) * time.Second)
		body["expires_at"] = wants.expires
	}
	asked = rapid.SampledFrom([]string{"", "true", "false"}).Draw(h.t, "sub_account_access")
	if asked != "" {
		body["sub_account_access"] = asked == "true"
	}
	return body, wants, asked
}

// judge says with what code a membership is refused, and what it becomes; present is nil for a new one.
func (h *history) judge(id string, present *modelMember, wants *modelMember, asked string) string {
	a := h.m.accounts[id]
	same := present != nil && present.expires.Equal(wants.expires)
	if !wants.expires.IsZero() && !wants.expires.After(h.m.now) && !same {
		return "expiry_past"
	}
	wants.own = a.mode == on
	if present != nil {
		wants.own = present.own
	}
	switch {
	case a.mode == always && asked == "false": // S3
		return "always_on"
	case a.mode == always || asked == "":
	case asked == "false":
		wants.own = false
	case !wants.own && !a.managed && h.m.children(id) == 0: // S2
		return "not_a_parent_account"
	default:
		wants.own = true
	}
	for _, role := range wants.roles {
		if !h.m.usable(role, id) { // U2
			return "role_out_of_branch"
		}
	}
	return ""
}

// grant makes a user a member, or changes the membership.
func (h *history) grant() {
	id, user := h.account("account"), h.user()
	body, wants, asked := h.asks()
	key := [2]string{id, user}
	code := h.judge(id, h.m.members[key], &wants, asked)
	h.expect(code, "PUT", "/v1/accounts/"+id+"/members/"+user, body)
	if code == "" {
		h.m.members[key] = &wants
	}
}

// revoke ends a membership.
func (h *history) revoke() {
	keys := make([]string, 0, len(h.m.members))
	for k := range h.m.members {
		keys = append(keys, k[0]+"/"+k[1])
	}
	slices.Sort(keys)
	id, user, _ := strings.Cut(rapid.SampledFrom(keys).Draw(h.t, "membership"), "/")
	path := "/v1/accounts/" + id + "/members/" + user
	if h.m.membershipsOf(user) == 1 { // U1
		h.expect("users_without_account", "DELETE", path, nil)
		return
	}
	h.expect("", "DELETE", path, nil)
	delete(h.m.members, [2]string{id, user})
}

// mode changes the access mode of an account.
func (h *history) mode() {
	id, mode := h.account("account"), rapid.SampledFrom(modes).Draw(h.t, "mode")
	h.expect("", "PATCH", "/v1/accounts/"+id, obj{"sub_account_access": mode})
	if h.m.accounts[id].mode == always && mode != always { // S4
		for _, held := range []map[[2]string]*modelMember{h.m.members, h.m.tokens} {
			for k, member := range held {
				if k[0] == id {
					member.own = true
				}
			}
		}
	}
	h.m.accounts[id].mode = mode
}

// block blocks a user, or ends that.
func (h *history) block() {
	user := h.user()
	verb := map[bool]string{false: "block", true: "unblock"}[h.m.blocked[user]]
	h.expect("", "POST", "/v1/users/"+user+"/"+verb, nil)
	h.m.blocked[user] = !h.m.blocked[user]
}

// tick moves the clocks.
func (h *history) tick(seconds int) {
	if h.clock == nil {
		h.m.now = time.Now()
		return
	}
	h.clock.move(time.Duration(seconds) * time.Second)
	h.m.now = h.clock.now()
}

// wait lets time pass.
func (h *history) wait() {
	seconds := rapid.SampledFrom([]int{1, 1, 28, 30, 60, 90}).Draw(h.t, "seconds")
	h.t.Logf("%d s pass", seconds)
	h.tick(seconds)
}
