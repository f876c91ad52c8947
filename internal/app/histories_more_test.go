package app_test

import (
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// somePermissions draws what a role holds.
func (h *history) somePermissions() []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(permissionsAsked[1:]), 0, 2, rapid.ID).Draw(h.t, "permissions")
}

// makeRole creates a role, mostly of an account.
func (h *history) makeRole() {
	key, role := h.fresh("r"), modelRole{permissions: h.somePermissions()}
	body := obj{"key": key, "permissions": role.permissions}
	if !h.odds("of the environment?", 5) {
		role.owner = h.account("owner")
		body["account"] = role.owner
	}
	h.expect("", "POST", "/v1/roles", body)
	h.m.roles[key] = &role
}

// editRole changes what a role holds, for all who have it.
func (h *history) editRole() {
	key, permissions := drawn(h, h.m.roles, "role"), h.somePermissions()
	h.expect("", "PATCH", "/v1/roles/"+key, obj{"permissions": permissions})
	h.m.roles[key].permissions = permissions
}

// dropRole deletes a role that nobody has; viewer and manager stay.
func (h *history) dropRole() {
	key := drawn(h, h.m.roles, "role")
	switch {
	case h.m.inUse(key):
		h.expect("role_in_use", "DELETE", "/v1/roles/"+key, nil)
	case key != "viewer" && key != "manager":
		h.expect("", "DELETE", "/v1/roles/"+key, nil)
		delete(h.m.roles, key)
	}
}

// givePlan gives an account a plan of its own, or takes it away.
func (h *history) givePlan() {
	id := h.account("account")
	path := "/v1/accounts/" + id + "/plan"
	if h.m.accounts[id].plan != "" && h.odds("take it away?", 2) {
		h.expect("", "DELETE", path, nil)
		h.m.accounts[id].plan = ""
		return
	}
	plan := drawn(h, h.m.plans, "plan")
	h.expect("", "PUT", path, obj{"plan": plan})
	h.m.accounts[id].plan = plan
}

// editPlan changes the features of a plan.
func (h *history) editPlan() {
	key := drawn(h, h.m.plans, "plan")
	all := slices.Sorted(maps.Keys(h.m.features))
	features := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, len(all), rapid.ID).Draw(h.t, "features")
	h.expect("", "PATCH", "/v1/plans/"+key, obj{"features": features})
	h.m.plans[key] = features
}

// switchFeature turns a feature on or off at an account, or removes the switch.
func (h *history) switchFeature() {
	id, s := h.account("account"), modelSwitch{drawn(h, h.m.features, "feature"), rapid.Bool().Draw(h.t, "branch")}
	path, scope := "/v1/accounts/"+id+"/features/"+s.feature, map[bool]string{false: "account", true: "branch"}[s.branch]
	switches := h.m.accounts[id].switches
	if h.odds("remove it?", 3) {
		code := ""
		if _, switched := switches[s]; !switched {
			code = "feature_switch_not_found"
		}
		h.expect(code, "DELETE", path+"?scope="+scope, nil)
		delete(switches, s)
		return
	}
	enabled := rapid.Bool().Draw(h.t, "enabled")
	h.expect("", "PUT", path, obj{"enabled": enabled, "scope": scope})
	switches[s] = enabled
}

// makeToken gives an account an API token (C1), which is a member as far as access goes.
func (h *history) makeToken() {
	id := h.account("account")
	body, wants, asked := h.asks()
	body["name"] = "Machine"
	code := h.judge(id, nil, &wants, asked)
	a := h.expect(code, "POST", "/v1/accounts/"+id+"/api-tokens", body)
	if code == "" {
		h.m.tokens[[2]string{id, a.body["id"].(string)}] = &wants
	}
}

// dropToken revokes an API token.
func (h *history) dropToken() {
	if len(h.m.tokens) == 0 {
		return
	}
	keys := make([]string, 0, len(h.m.tokens))
	for k := range h.m.tokens {
		keys = append(keys, k[0]+"/"+k[1])
	}
	slices.Sort(keys)
	id, token, _ := strings.Cut(rapid.SampledFrom(keys).Draw(h.t, "token"), "/")
	h.expect("", "DELETE", "/v1/accounts/"+id+"/api-tokens/"+token, nil)
	delete(h.m.tokens, [2]string{id, token})
}
