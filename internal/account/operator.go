package account

import (
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/fault"
)

// PortalRole is what an operator holds in an environment (E4).
type PortalRole string

// The portal roles of E4.
const (
	PortalAdmin        PortalRole = "admin"
	BackofficeEditor   PortalRole = "backoffice_editor"
	BackofficeViewer   PortalRole = "backoffice_viewer"
	EntitlementsEditor PortalRole = "entitlements_editor"
	EntitlementsViewer PortalRole = "entitlements_viewer"
	Impersonator       PortalRole = "impersonator"
)

// PortalRoles returns every portal role, in the order of E4.
func PortalRoles() []PortalRole {
	return []PortalRole{PortalAdmin, BackofficeEditor, BackofficeViewer, EntitlementsEditor, EntitlementsViewer, Impersonator}
}

// CheckPortalRoles returns an Invalid fault unless roles are known ones, at
// least one, and impersonator comes with admin, backoffice_editor or backoffice_viewer (E4).
func CheckPortalRoles(roles []PortalRole) error {
	if len(roles) == 0 {
		return fault.New(fault.Invalid, "missing_role", "an operator needs at least one portal role").In("roles")
	}
	for _, r := range roles {
		if !slices.Contains(PortalRoles(), r) {
			return fault.New(fault.Invalid, "unknown_portal_role", "%s is no portal role; they are %s",
				Quote(string(r)), join(PortalRoles())).In("roles")
		}
	}
	if slices.Contains(roles, Impersonator) &&
		!slices.Contains(roles, PortalAdmin) && !slices.Contains(roles, BackofficeEditor) && !slices.Contains(roles, BackofficeViewer) {
		return fault.New(fault.Invalid, "impersonator_alone",
			"impersonator must be combined with admin, backoffice_editor or backoffice_viewer").In("roles")
	}
	return nil
}

func join[T ~string](words []T) string {
	s := make([]string, len(words))
	for i, w := range words {
		s[i] = string(w)
	}
	return strings.Join(s, ", ")
}
