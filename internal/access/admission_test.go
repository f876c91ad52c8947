package access

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// TestE3_AMemberAtHandAsksFromTheAccountsNetworks: elsewhere a yes about an account is
// taken back; a no stays one, so that nobody learns of lists in accounts that are not theirs.
func TestE3_AMemberAtHandAsksFromTheAccountsNetworks(t *testing.T) {
	s, engine, _, names := withFeatures(t, 0)
	engine.deny = map[string]bool{"prod/globex#manage_users@prod/ada": true, "prod#blocked@prod/ada": true}
	names.lists = map[account.ID]account.Networks{"globex": "192.0.2.0/24"}
	questions := []Question{
		{"user:ada", "access", "account:globex"},
		{"user:ada", "manage_users", "account:globex"},
		{"user:ada", "feature:chat", "account:globex"},
		{"user:ada", "access", "account:east"},
		{"user:ada", "edit", "document:plan"},
		{"user:ada", "none", "account:globex"},
	}
	ask := func(actor account.Actor) (got []string) {
		t.Helper()
		actor.Environment = "prod"
		said, err := s.Check(t.Context(), actor, questions, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range said.Items {
			switch {
			case a.Err != nil && a.Allowed:
				t.Errorf("%+v is both", a)
			case a.Err != nil:
				got = append(got, a.Err.Code)
			case a.Allowed:
				got = append(got, "yes")
			default:
				got = append(got, "no")
			}
		}
		return got
	}
	const yes, no, away = "yes", "no", "ip_not_allowed"
	for _, c := range []struct {
		actor account.Actor
		want  []string
	}{
		{account.Actor{User: "ada", From: "192.0.2.7"}, []string{yes, no, yes, yes, yes, "unknown_permission"}},
		{account.Actor{User: "ada", From: "198.51.100.7"}, []string{away, no, away, yes, yes, "unknown_permission"}},
		{account.Actor{User: "ada"}, []string{away, no, away, yes, yes, "unknown_permission"}},
		{account.Actor{User: "ada", Client: "portal", From: "198.51.100.7"}, []string{yes, no, yes, yes, yes, "unknown_permission"}},
	} {
		if diff := cmp.Diff(c.want, ask(c.actor)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.actor, diff)
		}
	}
}

// TestE3_AdmittedIsOfOneAccount.
func TestE3_AdmittedIsOfOneAccount(t *testing.T) {
	s, _, _, names := withFeatures(t, 0)
	names.lists = map[account.ID]account.Networks{"globex": "2001:db8::/32"}
	ada := account.Actor{Environment: "prod", User: "ada", From: "198.51.100.7"}
	if err := s.admitted(t.Context(), ada, "east"); err != nil {
		t.Error(err)
	}
	if err := s.admitted(t.Context(), ada, "globex"); !fault.HasCode(err, "ip_not_allowed") {
		t.Errorf("from elsewhere: %v", err)
	}
	ada.From = "2001:db8::7"
	if err := s.admitted(t.Context(), ada, "globex"); err != nil {
		t.Error(err)
	}
}
