package directory_test

import (
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// TestE4_TheLastAdminStays for whoever is not at the machine itself, whatever it is that they would lose.
func TestE4_TheLastAdminStays(t *testing.T) {
	h := signingIn(t)
	mara := directory.Request{Actor: account.Actor{Environment: "prod", Client: "mara", Person: true}}
	h.is("staff", "1", "mara@vendor.example", mara.Actor)
	viewer := directory.OperatorPatch{Roles: &[]account.PortalRole{account.BackofficeViewer}}
	stays := func() {
		t.Helper()
		before := h.head()
		_, err := h.DeleteOperator(h.ctx, mara, "mara")
		code(t, err, "last_admin")
		_, err = h.UpdateOperator(h.ctx, mara, "mara", viewer)
		code(t, err, "last_admin")
		_, err = h.DeleteIssuer(h.ctx, mara, "staff")
		code(t, err, "last_admin")
		_, err = h.UpdateIssuer(h.ctx, mara, "staff", directory.IssuerPatch{Audiences: &[]string{"typo"}})
		code(t, err, "last_admin")
		if h.head() != before {
			t.Error("what was refused left a trace")
		}
	}
	stays()
	name := "Mara"
	_, err := h.UpdateOperator(h.ctx, mara, "mara", directory.OperatorPatch{Name: &name})
	h.must(err)

	// a client whose tokens are for less is no admin, nor one without a secret, nor who has not signed in
	admin := []account.PortalRole{account.PortalAdmin}
	_, _, err = h.CreateClient(h.ctx, h.system, account.Client{ID: "narrow", Roles: admin, Scopes: "check read"})
	h.must(err)
	_, err = h.CreateOperator(h.ctx, h.system, account.Operator{ID: "noor", Email: "noor@elsewhere.example", Roles: admin})
	h.must(err)
	_, _, err = h.CreateClient(h.ctx, h.system, account.Client{ID: "full", Roles: admin})
	h.must(err)
	secret := func() account.SecretID {
		secrets, err := h.ListSecrets(h.ctx, h.system.Actor, "full")
		h.must(err)
		return secrets[len(secrets)-1].Value.ID
	}
	_, err = h.RevokeSecret(h.ctx, mara, "full", secret())
	h.must(err)
	stays()

	// and with one that is, each of the two may go, but not both
	more := []string{"shop", "desk"}
	_, err = h.UpdateIssuer(h.ctx, mara, "staff", directory.IssuerPatch{Audiences: &more})
	h.must(err)
	_, _, err = h.AddSecret(h.ctx, h.system, "full", 0)
	h.must(err)
	_, err = h.UpdateOperator(h.ctx, mara, "mara", viewer)
	h.must(err)
	check := account.Scopes("check")
	for _, patch := range []directory.ClientPatch{{Roles: viewer.Roles}, {Scopes: &check}} {
		_, err = h.UpdateClient(h.ctx, mara, "full", patch)
		code(t, err, "last_admin")
	}
	_, err = h.RevokeSecret(h.ctx, mara, "full", secret())
	code(t, err, "last_admin")
	added, _, err := h.AddSecret(h.ctx, mara, "full", time.Hour)
	h.must(err)
	_, err = h.RevokeSecret(h.ctx, mara, "full", added.Value.ID) // the other one ends in an hour
	code(t, err, "last_admin")
	_, err = h.RevokeClient(h.ctx, mara, "full")
	code(t, err, "last_admin")
	acts := true
	_, err = h.UpdateClient(h.ctx, mara, "full", directory.ClientPatch{ActForUsers: &acts})
	h.must(err)
	_, err = h.RevokeClient(h.ctx, mara, "narrow")
	h.must(err)
	_, err = h.DeleteIssuer(h.ctx, mara, "staff") // nobody's who is one
	h.must(err)
	_, err = h.DeleteOperator(h.ctx, mara, "mara")
	h.must(err)
	_, err = h.RevokeClient(h.ctx, h.system, "full") // at the machine
	h.must(err)
	_, err = h.DeleteOperator(h.ctx, mara, "noor") // nobody is one, and nothing is lost
	h.must(err)
}
