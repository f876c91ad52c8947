package app_test

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

// entry is an entry of the log as it is read.
type entry struct {
	Version   account.Version
	At        time.Time
	Kind      string
	From      string
	RequestID string `json:"request_id"`
	Actor     struct{ Name, Client, User string }
	Changes   []struct{ Before, After map[string]map[string]any }
	Total     int `json:"changes_total"`
}

// things are the types of what the entry changes.
func (e entry) things() string {
	var out []string
	for _, c := range e.Changes {
		for _, side := range []map[string]map[string]any{c.Before, c.After} {
			for kind := range side {
				out = append(out, kind)
			}
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

// log reads all pages that a query selects.
func (c caller) log(query string) []entry {
	c.s.t.Helper()
	var all []entry
	for after := account.Version(0); ; {
		a := c.must("GET", fmt.Sprintf("/v1/journal?limit=7&after=%d&%s", after, query), nil)
		var page struct {
			Entries   []entry
			More      bool
			NextAfter account.Version `json:"next_after"`
		}
		if err := json.Unmarshal(a.raw, &page); err != nil {
			c.s.t.Fatal(err)
		}
		all = append(all, page.Entries...)
		if !page.More {
			return all
		}
		after = page.NextAfter
	}
}

// kinds are the kinds of entries.
func kinds(entries []entry) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Kind)
	}
	return out
}

// TestL1_EveryChangeSaysWhoWhenFromWhereAndWhat makes a change of each kind that the
// API makes, and reads what the log says of it.
func TestL1_EveryChangeSaysWhoWhenFromWhereAndWhat(t *testing.T) {
	w := newWorld(t, oneMachine)
	for _, c := range []struct {
		kind, method, path string
		body               any
		subject, things    string
		before, after      any // of a field of the subject's thing: name, or what is given as field
		field              string
	}{
		{"environment.changed", "PATCH", "/v1/environment", obj{"name": "New"}, "environment:prod", "environment", "prod", "New", "name"},
		{"client.created", "POST", "/v1/environment/clients", obj{"id": "c1", "roles": []string{"admin"}}, "client:c1", "client client_secret", nil, "c1", "id"},
		{"client.changed", "PATCH", "/v1/environment/clients/c1", obj{"name": "C"}, "client:c1", "client", "c1", "C", "name"},
		{"client.secret_added", "POST", "/v1/environment/clients/c1/secrets", nil, "client:c1", "client_secret", nil, nil, ""},
		{"client.revoked", "DELETE", "/v1/environment/clients/c1", nil, "client:c1", "client client_secret", "c1", nil, "id"},
		{"role.created", "POST", "/v1/roles", obj{"key": "r1", "permissions": []string{}}, "role:r1", "role", nil, "r1", "key"},
		{"role.changed", "PATCH", "/v1/roles/r1", obj{"name": "R"}, "role:r1", "role", "", "R", "name"},
		{"account.created", "POST", "/v1/accounts", obj{"id": "x1", "name": "X"}, "account:x1", "account", nil, "X", "name"},
		{"account.changed", "PATCH", "/v1/accounts/x1", obj{"name": "Y"}, "account:x1", "account", "X", "Y", "name"},
		{"account.moved", "POST", "/v1/accounts/x1/move", obj{"parent": "globex"}, "account:x1", "account", nil, "globex", "parent"},
		{"user.created", "POST", "/v1/users", obj{"id": "u1", "email": "u1@example.com", "memberships": []obj{{"account": "x1", "roles": []string{"r1"}}}}, "user:u1", "assignment membership user", nil, "u1@example.com", "email"},
		{"user.changed", "PATCH", "/v1/users/u1", obj{"name": "U"}, "user:u1", "user", "", "U", "name"},
		{"user.blocked", "POST", "/v1/users/u1/block", nil, "user:u1", "user", false, true, "blocked"},
		{"user.unblocked", "POST", "/v1/users/u1/unblock", nil, "user:u1", "user", true, false, "blocked"},
		{"membership.set", "PUT", "/v1/accounts/lobby/members/u1", obj{"roles": []string{"r1"}}, "account:lobby", "assignment membership", nil, "u1", "user"},
		{"membership.removed", "DELETE", "/v1/accounts/lobby/members/u1", nil, "account:lobby", "assignment membership", "u1", nil, "user"},
		{"user.deleted", "DELETE", "/v1/users/u1", nil, "user:u1", "assignment membership user", "u1", nil, "id"},
		{"role.deleted", "DELETE", "/v1/roles/r1", nil, "role:r1", "role", "r1", nil, "key"},
		{"account.deleted", "DELETE", "/v1/accounts/x1", nil, "account:x1", "account", "Y", nil, "name"},
	} {
		t.Run(c.kind, func(t *testing.T) {
			began := time.Now().Add(-time.Second)
			w.op.in(t).must(c.method, c.path, c.body, "X-Request-Id", "trace-"+c.kind)
			found := w.op.in(t).log("actor=operator:op&kind=" + c.kind + "&subject=" + c.subject + "&since=" + url.QueryEscape(began.Format(time.RFC3339Nano)))
			if len(found) == 0 {
				t.Fatal("there is no such entry")
			}
			e := found[len(found)-1]
			if e.Actor.Name != "operator:op" || e.Actor.Client != "op" || e.From != "127.0.0.1" || e.RequestID != "trace-"+c.kind || e.At.After(time.Now()) || e.Version != w.head("prod") {
				t.Errorf("who, when, from where: %+v", e)
			}
			if e.things() != c.things || e.Total != len(e.Changes) {
				t.Errorf("what: %s (%d)", e.things(), e.Total)
			}
			kind, _, _ := strings.Cut(c.kind, ".")
			for _, change := range e.Changes {
				if before, ok := change.Before[kind]; ok && before[c.field] != c.before {
					t.Errorf("before: %v", before)
				}
				if after, ok := change.After[kind]; ok && after[c.field] != c.after {
					t.Errorf("after: %v", after)
				}
			}
		})
	}
	first := w.op.log("kind=environment.created")
	if len(first) != 1 || first[0].Actor.Name != "system" || first[0].Version != 1 {
		t.Errorf("the beginning: %+v", first)
	}
	w.as("owner").must("PATCH", "/v1/accounts/globex-eu", obj{"name": "EU"})
	mine := w.op.log("actor=user:owner")
	if len(mine) != 1 || mine[0].Actor.Name != "user:owner" || mine[0].Actor.Client != "delegate" || mine[0].Actor.User != "owner" {
		t.Errorf("a user's: %+v", mine)
	}
}

// TestL1_PagesOfEitherOrderHoldEverythingOnce reads the same entries forwards and backwards.
func TestL1_PagesOfEitherOrderHoldEverythingOnce(t *testing.T) {
	w := newWorld(t, oneMachine)
	oldest := w.op.log("kind=account.*&kind=user.created")
	var newest []entry
	for before := account.Version(0); ; {
		var page struct {
			Entries    []entry
			More       bool
			NextBefore account.Version `json:"next_before"`
		}
		a := w.op.must("GET", fmt.Sprintf("/v1/journal?order=desc&limit=3&before=%d&kind=account.*&kind=user.created", before), nil)
		if err := json.Unmarshal(a.raw, &page); err != nil {
			t.Fatal(err)
		}
		newest = append(newest, page.Entries...)
		if before = page.NextBefore; !page.More {
			break
		}
	}
	slices.Reverse(newest)
	if diff := cmp.Diff(oldest, newest); diff != "" || len(oldest) != 5+6 {
		t.Errorf("%d entries (-oldest first +newest first):\n%s", len(oldest), diff)
	}
}

// TestL1_LargeEntriesAreReadInParts: a list shows the beginning, and says so.
func TestL1_LargeEntriesAreReadInParts(t *testing.T) {
	w := newWorld(t, oneMachine)
	const n = 2500
	changes := make([]account.Change, n)
	for i := range changes {
		changes[i].After = account.Of(account.User{ID: account.UserID(fmt.Sprintf("u%d", i)), Email: fmt.Sprintf("u%d@example.com", i)})
	}
	err := w.Store.Write(t.Context(), "prod", func(tx directory.Tx) error {
		_, err := tx.Append(t.Context(), account.Entry{Kind: account.Imported, Changes: changes})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	listed := w.op.log("kind=directory.imported")
	if len(listed) != 1 || len(listed[0].Changes) != 100 || listed[0].Total != n {
		t.Fatalf("listed: %d of %d", len(listed[0].Changes), listed[0].Total)
	}
	var ids []string
	for next := 0; ; {
		var part struct {
			entry
			FirstChange int `json:"first_change"`
			NextChange  int `json:"next_change"`
		}
		a := w.op.must("GET", fmt.Sprintf("/v1/journal/%d?first_change=%d", listed[0].Version, next), nil)
		if err := json.Unmarshal(a.raw, &part); err != nil || part.FirstChange != next || part.Total != n {
			t.Fatalf("part at %d: %v, %d, %d", next, err, part.FirstChange, part.Total)
		}
		for _, c := range part.Changes {
			ids = append(ids, c.After["user"]["id"].(string))
		}
		if next = part.NextChange; next == 0 {
			break
		}
	}
	for i, id := range ids {
		if id != fmt.Sprintf("u%d", i) {
			t.Fatalf("change %d is of %s", i, id)
		}
	}
	if len(ids) != n {
		t.Errorf("%d changes", len(ids))
	}
}

// TestL1_ExportsAreCompleteAndSaySo in both forms, with what the list has.
func TestL1_ExportsAreCompleteAndSaySo(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.op.must("POST", "/v1/accounts", obj{"id": "evil", "name": "=cmd|' /C calc'!A0"})
	const query = "kind=account.*"
	listed := w.op.log(query)

	a := w.op.must("GET", "/v1/journal/export?"+query, nil)
	lines := strings.Split(strings.TrimSpace(string(a.raw)), "\n")
	var last struct {
		Complete bool
		Entries  int
		Through  account.Version
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || !last.Complete || last.Entries != len(listed) || last.Through != w.head("prod") {
		t.Errorf("the last line: %v %+v", err, last)
	}
	var exported []entry
	for _, line := range lines[:len(lines)-1] {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		exported = append(exported, e)
	}
	if diff := cmp.Diff(listed, exported); diff != "" {
		t.Errorf("NDJSON (-listed +exported):\n%s", diff)
	}

	a = w.op.must("GET", "/v1/journal/export?format=csv&"+query, nil)
	if a.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("content type %s", a.header.Get("Content-Type"))
	}
	rows, err := csv.NewReader(strings.NewReader(string(a.raw))).ReadAll()
	if err != nil || len(rows) != len(listed)+2 || rows[len(rows)-1][0] != "complete" {
		t.Fatalf("CSV: %v, %d rows for %d entries", err, len(rows), len(listed))
	}
	for i, e := range listed {
		if rows[i+1][0] != fmt.Sprint(e.Version) || rows[i+1][2] != e.Kind {
			t.Errorf("row %d: %v", i, rows[i+1])
		}
	}
}

// TestC2_SecretsAreNeverInTheLog: not in the clear, not as what is kept of them.
func TestC2_SecretsAreNeverInTheLog(t *testing.T) {
	w := newWorld(t, oneMachine)
	token := w.op.must("POST", "/v1/environment/clients", obj{"id": "keeper", "roles": []string{"admin"}}).body["token"].(string)
	w.op.must("DELETE", "/v1/environment/clients/keeper", nil)
	all, err := w.Store.Entries(t.Context(), "prod", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	shown := string(text)
	for _, path := range []string{"/v1/journal?limit=1000", "/v1/journal/export", "/v1/journal/export?format=csv"} {
		shown += string(w.op.must("GET", path, nil).raw)
	}
	for _, token := range []string{token, w.op.token, w.delegate.token} {
		parsed, err := identity.ParseToken(token)
		if err != nil {
			t.Fatal(err)
		}
		secret := parsed.Secret
		hash := directory.HashSecret(secret)
		for _, form := range []string{
			string(secret), hex.EncodeToString(hash), base64.StdEncoding.EncodeToString(hash), base64.RawURLEncoding.EncodeToString(hash),
		} {
			if strings.Contains(shown, form) {
				t.Errorf("the log holds %.12s…", form)
			}
		}
	}
}
