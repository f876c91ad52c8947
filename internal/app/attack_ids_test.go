package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAttack_ForeignIDsInEveryPosition takes every request of the route table
// as somebody who owns another account would send it, and puts an id of another
// account, and then of another environment, into each position: every part of the
// path, every query parameter, every text in the body. Whatever the answer is, it
// shows nothing of theirs, and nothing of theirs has changed.
func TestAttack_ForeignIDsInEveryPosition(t *testing.T) {
	w := newInviting(t, oneMachine).world
	victims := w.victims()
	attacker := w.as("outsider")
	sent := 0
	for _, r := range allRows() {
		method, route, _ := strings.Cut(r.route, " ")
		if r.may == "**" || strings.Contains(route, "/export") || strings.Contains(route, "/stream") {
			continue // the credential is in the body; what answers bit by bit is held by the log's own tests
		}
		path, body := r.on(w) // which may make things for it
		before := w.theirs()
		for _, try := range swapped(t, ownPath(path), ownBody(t, body), victims) {
			a := attacker.do(method, try.path, try.body)
			sent++
			for _, mark := range []string{"GLOBEX", "owner@example.com", "euadmin@example.com", "DEV", "dev-user@example.com", "theirs-secret-name"} {
				if strings.Contains(string(a.raw), mark) {
					t.Errorf("%s %s %v shows %s: %d %.300s", method, try.path, try.body, mark, a.status, a.raw)
				}
			}
		}
		if diff := cmp.Diff(before, w.theirs()); diff != "" {
			t.Fatalf("after %s what belongs to globex or to dev is another:\n%s", r.route, diff)
		}
	}
	t.Logf("%d requests", sent)
	if sent < 1000 {
		t.Errorf("only %d requests were sent", sent)
	}
}

// victims are ids of things in globex and in dev, by what they are.
func (w *world) victims() []string {
	w.t.Helper()
	w.op.must("POST", "/v1/roles", obj{"key": "globex-own", "name": "theirs-secret-name", "account": "globex", "permissions": []string{}})
	token := w.op.must("POST", "/v1/accounts/globex/api-tokens", obj{"name": "theirs-secret-name", "roles": []string{"viewer"}}).body["id"].(string)
	invitation := w.op.must("POST", "/v1/accounts/globex/invitations", obj{"email": "theirs-secret-name@example.com", "roles": []string{"viewer"}}).body["id"].(string)
	session := w.support.must("POST", "/v1/users/owner/impersonate", obj{"reason": "theirs-secret-name"}).body["id"].(string)
	return []string{"globex", "globex-eu", "owner", "globex-own", token, invitation, session, "dev-only", "dev-user", "dev-role", "dev", "prod"}
}

// theirs is the state of what is not the attacker's: of globex's branch, and of dev.
func (w *world) theirs() map[string]any {
	w.t.Helper()
	out := map[string]any{"dev": strings.Split(w.export("dev"), "\n")}
	for _, path := range []string{
		"/v1/accounts?under=globex&limit=100", "/v1/accounts/globex/members", "/v1/accounts/globex-eu/members", "/v1/accounts/globex/roles",
		"/v1/accounts/globex/api-tokens", "/v1/accounts/globex/invitations", "/v1/accounts/globex/features", "/v1/users/owner", "/v1/users/owner/accounts",
		"/v1/environment", "/v1/environment/clients", "/v1/impersonations",
	} {
		body := w.op.must("GET", path, nil).body
		for _, list := range []string{"invitations", "clients", "api_tokens"} {
			items, _ := body[list].([]any)
			for _, i := range items {
				delete(i.(map[string]any), "delivery") // the letter is on its way
				delete(i.(map[string]any), "last_used_at")
			}
		}
		out[path] = body
	}
	return out
}

// own is whose ids stand in the route table, and what the attacker has in their place.
var own = strings.NewReplacer("globex-eu-fr", "initech", "globex-eu", "initech", "globex", "initech", "owner", "outsider", "euadmin", "outsider")

func ownPath(path string) string { return own.Replace(path) }

func ownBody(t *testing.T, body any) any {
	t.Helper()
	if body == nil {
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal([]byte(own.Replace(string(raw))), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// request is where and what is sent.
type request struct {
	path string
	body any
}

// swapped are the requests in which one position holds a victim.
func swapped(t *testing.T, path string, body any, victims []string) []request {
	t.Helper()
	var out []request
	where, query, _ := strings.Cut(path, "?")
	parts := strings.Split(where, "/")
	for i := 2; i < len(parts); i++ {
		for _, v := range victims {
			changed := slices.Clone(parts)
			changed[i] = v
			out = append(out, request{strings.TrimSuffix(strings.Join(changed, "/")+"?"+query, "?"), body})
		}
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	for name := range values {
		for _, v := range victims {
			changed := maps.Clone(values)
			changed[name] = []string{v}
			out = append(out, request{where + "?" + changed.Encode(), body})
		}
	}
	for n := range texts(body, -1, "").count {
		for _, v := range victims {
			out = append(out, request{path, texts(body, n, v).value})
		}
	}
	return out
}

// replaced is a body with one text in place of another, and how many texts it has.
type replaced struct {
	value any
	count int
}

// texts replaces the nth text of a JSON value by another; the names of fields are none.
func texts(v any, n int, by string) replaced {
	switch v := v.(type) {
	case string:
		if n == 0 {
			return replaced{by, 1}
		}
		for _, prefix := range []string{"user:", "account:"} { // a subject or a resource
			if strings.HasPrefix(v, prefix) && n == 1 {
				return replaced{prefix + by, 2}
			}
		}
		return replaced{v, 2}
	case []any:
		out, count := make([]any, len(v)), 0
		for i, item := range v {
			r := texts(item, n-count, by)
			out[i], count = r.value, count+r.count
		}
		return replaced{out, count}
	case map[string]any:
		out, count := map[string]any{}, 0
		for _, name := range slices.Sorted(maps.Keys(v)) {
			r := texts(v[name], n-count, by)
			out[name], count = r.value, count+r.count
		}
		return replaced{out, count}
	default:
		return replaced{v, 0}
	}
}

// TestAttack_TextsAreFound holds the attack itself: it reaches every text of a body, and changes one at a time.
func TestAttack_TextsAreFound(t *testing.T) {
	body := ownBody(t, obj{"a": "x", "b": []any{"user:y", obj{"c": "z"}}, "d": 1})
	seen := map[string]bool{}
	for n := range texts(body, -1, "").count {
		seen[fmt.Sprint(texts(body, n, "V").value)] = true
	}
	for _, want := range []string{"map[a:V b:[user:y map[c:z]] d:1]", "map[a:x b:[V map[c:z]] d:1]", "map[a:x b:[user:V map[c:z]] d:1]", "map[a:x b:[user:y map[c:V]] d:1]"} {
		if !seen[want] {
			t.Errorf("%s is not tried", want)
		}
	}
}
