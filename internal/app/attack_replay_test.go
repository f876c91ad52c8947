package app_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// alphabet is what cursors and tokens are written in.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

// altered are texts that differ from one in one character, are cut off, go on, or are there twice.
func altered(text string) []string {
	out := []string{text[:len(text)-1], text[1:], text + "A", text + text, text + "=", " " + text, text + "%00", strings.ToUpper(text), strings.ToLower(text)}
	for i := range text {
		at := strings.IndexByte(alphabet, text[i])
		out = append(out, text[:i]+string(alphabet[(at+1)%len(alphabet)])+text[i+1:])
	}
	return out
}

// TestAttack_AlteredCursors: a cursor says where a page begins, and nothing else.
// Whatever is made of it is refused, or gives a page that the caller could have asked for.
func TestAttack_AlteredCursors(t *testing.T) {
	w := newWorld(t, oneMachine)
	for range 3 {
		w.newUser("initech")
		w.newAccount("initech")
	}
	outsider := w.as("outsider")
	for _, c := range []struct{ path, list string }{
		{"/v1/accounts/initech/members?limit=1", "members"},
		{"/v1/accounts/initech/access?limit=1", "subjects"},
		{"/v1/accounts?under=initech&limit=1", "accounts"},
		{"/v1/me/accounts?limit=1", "accounts"},
	} {
		first := outsider.do("GET", c.path, nil)
		next, _ := first.body["next_cursor"].(string)
		if next == "" {
			t.Fatalf("%s has no second page: %d %s", c.path, first.status, first.raw)
		}
		whole := map[string]bool{}
		for page := first; ; {
			raw, _ := json.Marshal(page.body[c.list])
			if items, _ := page.body[c.list].([]any); len(items) != 1 {
				t.Fatalf("%s: a page is %s", c.path, page.raw)
			}
			whole[string(raw)] = true
			cursor, more := page.body["next_cursor"].(string)
			if !more {
				break
			}
			page = outsider.must("GET", c.path+"&cursor="+url.QueryEscape(cursor), nil)
		}
		refused := 0
		for _, cursor := range altered(next) {
			a := outsider.do("GET", c.path+"&cursor="+url.QueryEscape(cursor), nil)
			if a.code() == "invalid_cursor" {
				refused++
				continue
			}
			raw, _ := json.Marshal(a.body[c.list])
			if a.status != 200 || !whole[string(raw)] && string(raw) != "[]" {
				t.Errorf("%s with %q: %d %.300s", c.path, cursor, a.status, a.raw)
			}
		}
		if refused < 5 {
			t.Errorf("%s: only %d altered cursors were refused", c.path, refused)
		}
		// the cursor of one list is none of another
		for _, other := range []string{"/v1/accounts/initech/invitations?limit=1", "/v1/accounts/initech/api-tokens?limit=1", "/v1/accounts/initech/features?limit=1"} {
			outsider.refuse("invalid_cursor", "GET", other+"&cursor="+url.QueryEscape(next), nil)
		}
	}
}

// TestAttack_AlteredConsistencyTokens: a token asks for a version; one that was never written is refused, not waited for.
func TestAttack_AlteredConsistencyTokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	check := obj{"subject": "user:owner", "permission": "access", "resource": "account:globex"}
	token := w.op.must("POST", "/v1/check", check).header.Get("Consistency-Token")
	for _, changed := range altered(token) {
		if strings.TrimSpace(changed) == token || changed == strings.ToUpper(token) && changed == token {
			continue
		}
		a := w.op.do("POST", "/v1/check", check, "Consistency-Token", changed)
		if a.status == 200 {
			continue // another version that there is
		}
		if code := a.code(); code != "invalid_consistency_token" && code != "unknown_version" {
			t.Errorf("%q: %d %.300s", changed, a.status, a.raw)
		}
	}
}

// TestAttack_IdempotencyKeysOfOthers: the answer that is kept under a key is shown to who sent the request, and to nobody else.
func TestAttack_IdempotencyKeysOfOthers(t *testing.T) {
	w := newWorld(t, oneMachine)
	body := obj{"id": "kept", "name": "Kept", "parent": "globex"}
	first := w.as("owner").must("POST", "/v1/accounts", body, "Idempotency-Key", "my-key")
	again := w.as("owner").must("POST", "/v1/accounts", body, "Idempotency-Key", "my-key")
	if diff := cmp.Diff(first.body, again.body); diff != "" {
		t.Fatalf("the repeat is answered otherwise:\n%s", diff)
	}
	if a := w.as("outsider").do("POST", "/v1/accounts", body, "Idempotency-Key", "my-key"); a.status < 400 || strings.Contains(string(a.raw), "Kept") {
		t.Errorf("an outsider with the key is shown %d %s", a.status, a.raw)
	}
	if a := w.as("viewer").do("POST", "/v1/accounts", body, "Idempotency-Key", "my-key"); a.status < 400 || strings.Contains(string(a.raw), "Kept") {
		t.Errorf("a viewer of the same account with the key is shown %d %s", a.status, a.raw)
	}
	if a := w.dev.do("POST", "/v1/accounts", body, "Idempotency-Key", "my-key"); a.status != 201 {
		t.Errorf("the key means nothing in another environment: %d %s", a.status, a.raw)
	}
	w.as("owner").refuse("idempotency_key_reused", "POST", "/v1/accounts", obj{"name": "Another", "parent": "globex"}, "Idempotency-Key", "my-key")
	// who lost the right is not shown it either
	w.op.must("DELETE", "/v1/accounts/globex/members/owner", nil)
	if a := w.as("owner").do("POST", "/v1/accounts", body, "Idempotency-Key", "my-key"); a.code() != "permission_denied" {
		t.Errorf("after the membership has ended: %d %s", a.status, a.raw)
	}
}

// TestAttack_NothingTellsWhatThereIs: to who may not see it, what there is
// answers as what there is not, with every method at every path about one thing.
func TestAttack_NothingTellsWhatThereIs(t *testing.T) {
	w := newInviting(t, oneMachine).world
	outsider := w.as("outsider")
	scrub := func(a answer, id string) string {
		delete(a.body, "request_id")
		raw, _ := json.Marshal(a.body)
		return strings.ReplaceAll(string(raw), id, "ID")
	}
	asked := 0
	for _, r := range allRows() {
		method, _, _ := strings.Cut(r.route, " ")
		path, body := r.on(w)
		for _, pair := range [][2]string{{"globex-eu", "not-there"}, {"globex", "not-there"}, {"owner", "nobody"}} {
			where, _, _ := strings.Cut(path, "?")
			if !strings.Contains(where+"/", "/"+pair[0]+"/") {
				continue
			}
			there := outsider.do(method, path, body)
			gone := outsider.do(method, strings.Replace(path, "/"+pair[0], "/"+pair[1], 1), body)
			asked++
			if there.status != gone.status || scrub(there, pair[0]) != scrub(gone, pair[1]) {
				t.Errorf("%s %s: %d %s, but of what is not there %d %s", method, path, there.status, there.raw, gone.status, gone.raw)
			}
		}
	}
	if asked < 40 {
		t.Errorf("only %d paths were asked", asked)
	}
}
