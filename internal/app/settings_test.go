package app_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestE3_SettingsOfAnEnvironment: what they say holds for what is made afterwards, in that environment alone.
func TestE3_SettingsOfAnEnvironment(t *testing.T) {
	w := newWorld(t, oneMachine)
	was := w.op.must("GET", "/v1/environment", nil).body
	for field, want := range map[string]any{"default_access_mode": "default_off", "max_depth": 8.0, "token_minutes": 15.0, "invitation_hours": 168.0, "invitation_url": ""} {
		if was[field] != want {
			t.Errorf("%s is %v at first, want %v", field, was[field], want)
		}
	}
	for _, body := range []obj{
		{"default_access_mode": "sometimes"},
		{"max_depth": 0},
		{"max_depth": 41},
		{"token_minutes": 0},
		{"token_minutes": 1441},
		{"invitation_hours": 0},
		{"invitation_hours": 2161},
		{"invitation_url": "https://app.example/no-token"},
		{"invitation_url": "javascript:{token}"},
		{"name": " "},
	} {
		if a := w.op.do("PATCH", "/v1/environment", body); a.status != 422 {
			t.Errorf("%v: %d %s", body, a.status, a.raw)
		}
	}
	w.op.must("PATCH", "/v1/environment", obj{"default_access_mode": "always_on", "max_depth": 3})
	mode := func(c caller, id string) any {
		return c.must("GET", "/v1/accounts/"+id, nil).body["sub_account_access"]
	}
	w.account(w.op, "late", "globex")
	w.account(w.dev, "late", "globex")
	if got := []any{mode(w.op, "globex"), mode(w.op, "late"), mode(w.dev, "late")}; !cmp.Equal(got, []any{"default_off", "always_on", "default_off"}) {
		t.Errorf("the modes of an account from before, one from after, and one of another environment: %v", got)
	}
	w.op.refuse("too_deep", "POST", "/v1/accounts", obj{"name": "Fourth", "parent": "globex-eu-fr"})
	w.account(w.dev, "fourth", "globex-eu-fr")
	w.as("owner").refuse("permission_denied", "PATCH", "/v1/environment", obj{"max_depth": 40})
}

// TestA6_TheSummaryOfAnAccount: name, path, users, direct and all sub-accounts, date.
func TestA6_TheSummaryOfAnAccount(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.account(w.op, "globex-us", "globex")
	w.newUser("globex", "lobby")
	summary := w.as("owner").must("GET", "/v1/accounts/globex/summary", nil).body
	for field, want := range map[string]any{"name": "GLOBEX", "members": 4.0, "direct_sub_accounts": 2.0, "all_sub_accounts": 3.0} {
		if summary[field] != want {
			t.Errorf("%s is %v, want %v", field, summary[field], want)
		}
	}
	if text, _ := summary["created_at"].(string); text == "" {
		t.Errorf("no date in %v", summary)
	}
	deep := w.as("owner").must("GET", "/v1/accounts/globex-eu-fr/summary", nil)
	if path := deep.list("path", "id"); !cmp.Equal(path, []string{"globex", "globex-eu"}) {
		t.Errorf("the path of globex-eu-fr is %v", path)
	}
}

// TestW2_OpeningIsACheckOfTheMoment: what a list said before gives nothing; no answer carries a list for later.
func TestW2_OpeningIsACheckOfTheMoment(t *testing.T) {
	w := newWorld(t, oneMachine)
	user := w.newUser("lobby")
	w.grant("globex", user, obj{"roles": []string{"viewer"}, "sub_account_access": true})
	listed := w.as(user).reach(user, "")
	if !cmp.Equal(listed, []string{"globex", "globex-eu", "globex-eu-fr", "lobby"}) {
		t.Fatalf("the switcher lists %v", listed)
	}
	w.op.must("DELETE", "/v1/accounts/globex/members/"+user, nil)
	for _, id := range listed {
		if got, want := w.op.allowed("user:"+user, "access", "account:"+id), id == "lobby"; got != want {
			t.Errorf("opening %s: %v, want %v", id, got, want)
		}
	}
}
