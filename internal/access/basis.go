package access

import (
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

// basis is what a permission on an account rests on, as the schema has it: to say
// where it comes from, never to decide.
type basis struct {
	relation string // the permission of the catalogue that a role has to hold; "" is opening the account
	atParent bool   // it is held at the account's parent
	managed  bool   // where it is held, sub-account management has to be on (A3)
	enabled  bool   // the environment has to have sub-accounts enabled (E2)
	operator string // the operator's right that suffices
	bound    bool   // managed and enabled bind operators as well
}

// derived are the permissions of an account that are made of others.
var derived = map[string]basis{
	"access":                          {operator: "view_backoffice"},
	"create_sub_account":              {relation: "write_sub_accounts", managed: true, enabled: true, operator: "edit_backoffice", bound: true},
	"update_account":                  {relation: "write_sub_accounts", atParent: true, operator: "edit_backoffice"},
	"delete_account":                  {relation: "delete_sub_accounts", atParent: true, operator: "edit_backoffice"},
	"move_account":                    {relation: "delete_sub_accounts", atParent: true, operator: "edit_backoffice"},
	"delegate_sub_account_management": {relation: "write_sub_account_management", managed: true, operator: "edit_backoffice", bound: true},
	"set_sub_account_management":      {relation: "write_sub_account_management", atParent: true, managed: true, operator: "edit_backoffice"},
}

// basisOf returns what a permission rests on, by a name that Service.permission
// has returned. An Invalid fault (not_explained) for a relation of the schema.
func basisOf(catalogue *schema.Catalogue, name string) (basis, error) {
	if b, ok := derived[name]; ok {
		return b, nil
	}
	if p, ok := catalogue.Lookup(name); ok {
		return basis{relation: p.Relation, operator: p.Operator}, nil
	}
	return basis{}, fault.New(fault.Invalid, "not_explained", "%s is no permission of the catalogue, and none of an account that is made of one; what else the schema has, only a check answers", account.Quote(name)).In("permission")
}

// portal is which portal roles give an operator a right (E4).
var portal = map[string][]account.PortalRole{
	"view_backoffice": {
		account.PortalAdmin, account.BackofficeEditor, account.BackofficeViewer, account.EntitlementsEditor, account.EntitlementsViewer,
	},
	"edit_backoffice":   {account.PortalAdmin, account.BackofficeEditor},
	"view_entitlements": {account.PortalAdmin, account.EntitlementsEditor, account.EntitlementsViewer},
	"edit_entitlements": {account.PortalAdmin, account.EntitlementsEditor},
}

// portalSources says by which of an operator's portal roles they hold a right.
func portalSources(roles []account.PortalRole, right string) []Source {
	var held []account.PortalRole
	for _, r := range roles {
		if slices.Contains(portal[right], r) {
			held = append(held, r)
		}
	}
	if len(held) == 0 {
		return nil
	}
	return []Source{{Via: OperatorRole, Portal: held}}
}
