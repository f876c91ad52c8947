package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestL1_AccountAdminsSeeWhatConcernsTheirAccount and nothing else of the same entries.
func TestL1_AccountAdminsSeeWhatConcernsTheirAccount(t *testing.T) {
	w := newWorld(t, oneMachine)
	both := []obj{{"account": "globex-eu", "roles": []string{"viewer"}}, {"account": "initech", "roles": []string{"manager"}}}
	w.user(w.op, "both", both)
	w.as("owner").must("PATCH", "/v1/accounts/globex-eu", obj{"name": "EU"}, "X-Request-Id", "by-owner")
	w.op.must("PATCH", "/v1/users/both", obj{"name": "Renamed"}) // concerns no account
	w.op.must("POST", "/v1/accounts", obj{"id": "below", "name": "Below", "parent": "globex-eu"})
	w.op.must("POST", "/v1/users", obj{"id": "deep", "email": "deep@example.com", "memberships": []obj{{"account": "below", "roles": []string{"viewer"}}}})

	own := w.as("euadmin").log("account=globex-eu")
	for _, e := range own {
		for _, c := range e.Changes {
			for _, side := range []map[string]map[string]any{c.Before, c.After} {
				for kind, thing := range side {
					place := thing["account"]
					if kind == "account" {
						place = thing["id"]
					}
					if kind != "user" && place != "globex-eu" {
						t.Errorf("%s of %v is shown: %v", kind, place, thing)
					}
				}
			}
		}
		if e.Total != len(e.Changes) {
			t.Errorf("what is left out is counted: %+v", e)
		}
		if e.Actor.Name == "operator" && (e.From != "" || e.RequestID != "" || e.Actor.Client != "") {
			t.Errorf("an operator is shown: %+v", e)
		}
	}
	want := []string{"account.created", "user.created", "user.created", "user.created", "account.changed"} // euadmin, clerk, both
	if diff := cmp.Diff(want, kinds(own)); diff != "" {
		t.Errorf("own log:\n%s", diff)
	}
	if both := own[3]; both.things() != "assignment membership user" || len(both.Changes) != 3 || both.Actor.Name != "operator" {
		t.Errorf("a user of two accounts: %+v", both)
	}
	if e := own[4]; e.Actor.Name != "user:owner" || e.Actor.Client != "" || e.From != "127.0.0.1" || e.RequestID != "by-owner" {
		t.Errorf("a user's act: %+v", e)
	}
	branch := w.as("owner").log("account=globex-eu&branch=true&kind=account.created")
	if got := kinds(branch); len(got) != 3 { // globex-eu, globex-eu-fr, below
		t.Errorf("the branch: %v", got)
	}
	for path, format := range map[string]string{"/v1/journal/export?": "ndjson", "/v1/journal/export?format=csv&": "csv"} {
		text := string(w.as("euadmin").must("GET", path+"account=globex-eu", nil).raw)
		for _, secret := range []string{"initech", "operator:", "system", "below", "deep", "Renamed", `"op"`, "delegate"} {
			if strings.Contains(text, secret) {
				t.Errorf("the export as %s has %s", format, secret)
			}
		}
	}
}

// TestL1_NothingElseCanBeReadByTricks: filters, versions and pages do not tell what is left out.
func TestL1_NothingElseCanBeReadByTricks(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.user(w.op, "both", []obj{{"account": "globex-eu", "roles": []string{"viewer"}}, {"account": "initech", "roles": []string{"manager"}}})
	mixed := w.head("prod")
	w.op.must("POST", "/v1/accounts", obj{"id": "secret", "name": "Secret"})
	hidden := w.head("prod")
	eu := w.as("euadmin")

	for _, query := range []string{"", "actor=user:euadmin", "subject=account:globex-eu", "subject=user:euadmin", "branch=false"} {
		for _, path := range []string{"/v1/journal?", "/v1/journal/export?", "/v1/journal/stream?", fmt.Sprintf("/v1/journal/%d?", mixed)} {
			if strings.Contains(path, "/journal/") && query != "" && query != "branch=false" {
				continue
			}
			eu.refuse("permission_denied", "GET", path+query, nil)
		}
	}
	for _, id := range []string{"globex", "initech", "globex-eu-fr", "secret", "nowhere", "dev-only"} {
		for _, path := range []string{"/v1/journal?account=", "/v1/journal/export?account=", "/v1/journal/stream?account=", fmt.Sprintf("/v1/journal/%d?account=", mixed)} {
			eu.refuse("permission_denied", "GET", path+id, nil)
		}
	}
	eu.refuse("permission_denied", "GET", "/v1/journal?account=globex-eu&branch=true", nil)
	for _, actor := range []string{"operator:op", "operator:nobody", "system"} {
		eu.refuse("permission_denied", "GET", "/v1/journal?account=globex-eu&actor="+actor, nil)
	}

	// An entry is found by what is shown of it, not by what is left out.
	for _, subject := range []string{"account:initech", "role:manager", "client:op", "environment:prod", "account:secret"} {
		for _, order := range []string{"asc", "desc"} {
			a := eu.must("GET", "/v1/journal?limit=1&account=globex-eu&order="+order+"&since=2020-01-01T00:00:00Z&after=0&subject="+subject, nil)
			if subject == "role:manager" { // clerk has it there, which both has elsewhere
				if ids := a.list("entries", "kind"); len(ids) != 1 || a.body["more"] != false {
					t.Errorf("%s %s: %s", subject, order, a.raw)
				}
				continue
			}
			if len(a.body["entries"].([]any)) != 0 || a.body["more"] != false || a.body["next_after"] != 0.0 || a.body["next_before"] != nil {
				t.Errorf("%s %s: %s", subject, order, a.raw)
			}
		}
	}
	eu.must("GET", fmt.Sprintf("/v1/journal/%d?account=globex-eu", mixed), nil)
	for _, version := range []any{hidden, 1, 0, -1, w.head("prod") + 1, "9999999999999"} {
		a := eu.do("GET", fmt.Sprintf("/v1/journal/%v?account=globex-eu", version), nil)
		a.is(t, 404, "entry_not_found", "")
	}
	for after := range hidden + 1 { // from wherever one begins
		a := eu.must("GET", fmt.Sprintf("/v1/journal?account=globex-eu&after=%d&limit=1", after), nil)
		if strings.Contains(string(a.raw), "initech") || strings.Contains(string(a.raw), "secret") {
			t.Errorf("after %d: %s", after, a.raw)
		}
	}
	// The other environment has accounts of the same ids, and a log of its own.
	foreign := w.dev.as("owner")
	foreign.refuse("permission_denied", "GET", "/v1/journal?account=globex-eu", nil)
	for _, e := range w.dev.log("account=globex-eu") {
		if strings.Contains(fmt.Sprint(e), "euadmin") {
			t.Errorf("dev's log has prod's: %+v", e)
		}
	}
	w.dev.refuse("entry_not_found", "GET", fmt.Sprintf("/v1/journal/%d", hidden+1000), nil)
}

// TestL1_AnIdUsedAgainHasNoPast: who makes an account under the id of one that was
// deleted does not read the log of that one; operators read both.
func TestL1_AnIdUsedAgainHasNoPast(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.account(w.op, "branch", "globex")
	victim := w.newUser("lobby")
	w.grant("branch", victim, obj{"roles": []string{"admin"}})
	w.op.must("DELETE", "/v1/accounts/branch/members/"+victim, nil)
	w.op.must("DELETE", "/v1/accounts/branch", nil)
	past := w.head("prod")

	thief := w.as("outsider") // of initech
	thief.must("POST", "/v1/accounts", obj{"id": "branch", "name": "Mine", "parent": "initech"})
	for _, query := range []string{"account=branch", "account=branch&branch=true", "account=initech&branch=true&subject=account:branch"} {
		got := thief.log(query)
		if diff := cmp.Diff([]string{"account.created"}, kinds(got)); diff != "" || got[0].Version <= past {
			t.Errorf("%s:\n%s", query, diff)
		}
	}
	thief.refuse("entry_not_found", "GET", fmt.Sprintf("/v1/journal/%d?account=branch", past), nil)
	want := []string{"account.created", "membership.set", "membership.removed", "account.deleted"}
	if got := kinds(w.op.log("account=branch")); !slices.Equal(got, append(want, "account.created")) {
		t.Errorf("to operators: %v", got)
	}
	// The branch that it was in remembers it.
	if got := kinds(w.as("owner").log("account=globex&branch=true&subject=account:branch")); !slices.Equal(got, want) {
		t.Errorf("to those above: %v", got)
	}
}
