package switcher

import (
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/schema"
)

// right is what a permission on an account is made of, as the built schema has it.
type right struct {
	permission int    // that a membership has to give; opening for any
	operator   string // the operator's right that suffices in its place; "" if none does
	atParent   bool   // the permission is held at the account's parent
	managed    bool   // where it is held, sub-account management has to be on (A3)
	enabled    bool   // the environment has to have sub-accounts enabled (E2)
	bound      bool   // operators are bound by managed and enabled as well
}

// rightsOf are the permissions on accounts that the index answers, by their names in the schema.
func rightsOf(c *schema.Catalogue) map[string]right {
	out := map[string]right{"access": {permission: opening, operator: "view_backoffice"}}
	for i, p := range c.Permissions {
		out[p.Relation] = right{permission: i, operator: p.Operator}
	}
	made := func(name, of string, also right) {
		also.permission = out[of].permission
		also.operator = "edit_backoffice"
		if also.bound {
			also.operator = out[of].operator
		}
		out[name] = also
	}
	made("create_sub_account", "write_sub_accounts", right{managed: true, enabled: true, bound: true})
	made("update_account", "write_sub_accounts", right{atParent: true})
	made("delete_account", "delete_sub_accounts", right{atParent: true})
	made("move_account", "delete_sub_accounts", right{atParent: true})
	made("delegate_sub_account_management", "write_sub_account_management", right{managed: true, bound: true})
	made("set_sub_account_management", "write_sub_account_management", right{atParent: true, managed: true})
	return out
}

// portal is which portal roles give an operator a right, as the core schema has it (E4).
var portal = map[string][]account.PortalRole{
	"manage_security": {account.PortalAdmin},
	"edit_backoffice": {account.PortalAdmin, account.BackofficeEditor},
	"view_backoffice": {
		account.PortalAdmin, account.BackofficeEditor, account.BackofficeViewer, account.EntitlementsEditor, account.EntitlementsViewer,
	},
	"edit_entitlements": {account.PortalAdmin, account.EntitlementsEditor},
	"view_entitlements": {account.PortalAdmin, account.EntitlementsEditor, account.EntitlementsViewer},
}

// Portal reports whether a subject holds an operator's right in the environment; ok is whether the index knows of that right (E4).
func (v *View) Portal(who Subject, right string) (holds, ok bool) {
	var held officer // nobody else holds any
	if who.Kind == Operator {
		held = v.state.officers[who.ID]
	}
	switch right {
	case "act_for_users":
		return held.delegate, true
	case "impersonate":
		overseer := slices.ContainsFunc(held.portal, func(r account.PortalRole) bool {
			return r == account.PortalAdmin || r == account.BackofficeEditor || r == account.BackofficeViewer
		})
		return overseer && slices.Contains(held.portal, account.Impersonator), true
	}
	needed, ok := portal[right]
	return slices.ContainsFunc(held.portal, func(r account.PortalRole) bool { return slices.Contains(needed, r) }), ok
}

// Allowed answers a check: whether a subject holds a permission, by its name in the
// schema, at an account. ok is whether the index knows of the permission; if not, nobody but the engine can tell.
func (v *View) Allowed(who Subject, permission string, id account.ID) (allowed, ok bool) {
	r, ok := v.model.rights[permission]
	if !ok {
		return false, false
	}
	at, there := v.state.accounts.find(id)
	if !there {
		return false, true
	}
	where := at
	if r.atParent {
		where = v.state.accounts.parent(at)
	}
	conditions := v.conditions(r, where)
	if r.operator != "" && who.Kind == Operator {
		holds, _ := v.Portal(who, r.operator)
		return holds && (conditions || !r.bound), true
	}
	return where != none && conditions && !v.Blocked(who) && v.held(who, r.permission, where), true
}

// conditions reports whether what a permission needs besides is so where it is held.
func (v *View) conditions(r right, where slot) bool {
	if r.enabled && !v.state.enabled {
		return false
	}
	return !r.managed || where != none && v.state.accounts.nodes.At(where).flags&managed != 0
}
