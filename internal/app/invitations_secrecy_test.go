package app_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// alike is an answer without what differs between any two.
func alike(a answer, words ...string) string {
	text := varying.ReplaceAllString(string(a.raw), `"$1":…`)
	for _, w := range words {
		text = strings.ReplaceAll(text, w, "…")
	}
	return fmt.Sprint(a.status, " ", text, " ", slices.Sorted(maps.Keys(a.header)))
}

var varying = regexp.MustCompile(`"(id|version|created_at|sent_at|expires_at|at|request_id)":("[^"]*"|[0-9]+)`)

// TestI1_InvitingTellsNothingOfTheAddress: a user that there is, a member of the
// account, one who is blocked, one of another environment, and nobody: the same
// answers, the same row in the queue, the same letter.
func TestI1_InvitingTellsNothingOfTheAddress(t *testing.T) {
	w := newInviting(t, oneMachine)
	emails := []string{"nobody@example.com", "viewer@example.com", "clerk@example.com", "banned@example.com", "dev-user@example.com"}
	var answers, listed, letters []string
	for n, email := range emails {
		a := w.as("euadmin").must("POST", invitations("globex-eu"), offer(email))
		l := w.mail.Await(n + 1)[n]
		path := invitations("globex-eu") + "/" + a.text("id")
		w.delivery(path, "sent")
		answers = append(answers, alike(a, email))
		listed = append(listed, alike(w.as("euadmin").must("GET", path, nil), email))
		letters = append(letters, strings.ReplaceAll(l.Subject+l.Text+l.HTML, tokenIn(t, l), "…"))
		again := w.as("euadmin").refuse("already_invited", "POST", invitations("globex-eu"), offer(email))
		answers[n] += alike(again, email)
	}
	for n, email := range emails {
		for what, texts := range map[string][]string{"answer": answers, "list": listed, "letter": letters} {
			if diff := cmp.Diff(texts[0], texts[n]); diff != "" {
				t.Errorf("the %s for %s differs from that for nobody:\n%s", what, email, diff)
			}
		}
	}
	// where users could ask for it, they are refused
	for _, email := range emails {
		a := w.as("euadmin").refuse("permission_denied", "POST", "/v1/users", obj{"email": email, "memberships": []obj{{"account": "globex-eu", "roles": []string{"viewer"}}}})
		letters = append(letters, alike(a))
	}
	if got := slices.Compact(letters[len(emails):]); len(got) != 1 {
		t.Errorf("the refusals differ: %v", got)
	}
}

// TestI1_ABadTokenIsABadToken: malformed, unknown, of another environment, used,
// withdrawn, replaced: one answer.
func TestI1_ABadTokenIsABadToken(t *testing.T) {
	w := newInviting(t, oneMachine)
	path, withdrawn := w.invite("globex-eu", offer("withdrawn@new.example"))
	w.op.must("DELETE", path, nil)
	_, used := w.invite("globex-eu", offer("used@new.example"))
	w.accept(used)
	path, replaced := w.invite("globex-eu", offer("replaced@new.example"))
	good := w.op.must("POST", path+"/resend", byHand(obj{})).text("token")
	gone := w.newAccount("globex")
	_, orphan := w.invite(gone, offer("orphan@new.example"))
	w.op.must("DELETE", "/v1/accounts/"+gone, nil)

	secret := good[strings.LastIndex(good, ".")+1:]
	name := strings.TrimSuffix(good, secret)
	other := strings.Repeat("A", len(secret))
	hash := string(directory.HashSecret(directory.Secret(secret)))
	tokens := map[string]string{
		"withdrawn": withdrawn, "used": used, "replaced": replaced, "of an account that is gone": orphan,
		"empty": "", "a word": "let-me-in", "without a secret": name, "cut": good[:len(good)-1], "too long": good + "A",
		"another secret": name + other, "the hash as secret": name + hash, "zeros": name + strings.Repeat("\x00", len(secret)),
		"another invitation": strings.Replace(good, "inv_", "inv_a", 1), "no such environment": strings.Replace(good, "_prod.", "_nowhere.", 1),
		"another environment": strings.Replace(good, "_prod.", "_dev.", 1), "a client's token": w.op.token,
		"malformed names": strings.Replace(good, "inv_", "inv%", 1), "more parts": good + "." + secret, "spaces": " " + good,
	}
	var first string
	for _, route := range []string{"accept", "preview"} {
		for what, token := range tokens {
			a := w.nobody().do("POST", "/v1/invitations/"+route, obj{"token": token})
			a.is(t, 404, "invitation_invalid", "token")
			if first == "" {
				first = alike(a)
			}
			if diff := cmp.Diff(first, alike(a)); diff != "" {
				t.Errorf("%s tells %s from others:\n%s", route, what, diff)
			}
		}
	}
	// nor is a token of an invitation a credential for anything else
	for _, token := range []string{good, strings.Replace(good, "tenantry_invitation_", "tenantry_", 1)} {
		caller{s: w.service, token: token}.refuse("unauthenticated", "GET", "/v1/accounts", nil)
	}
	w.accept(good)
}

// TestI1_WhoAcceptsIsNotAskedForMore: what a request carries besides the token is not looked at, but for a bound.
func TestI1_WhoAcceptsIsNotAskedForMore(t *testing.T) {
	w := newInviting(t, oneMachine)
	_, token := w.invite("globex-eu", offer("one@new.example"))
	open := "/v1/invitations/accept"
	w.nobody().do("POST", open, obj{"token": token, "name": strings.Repeat("a", 5000)}).is(t, 413, "body_too_large", "")
	w.nobody().do("POST", open, obj{"token": token, "name": "a\nb"}).is(t, 422, "invalid_name", "name")
	w.nobody().do("POST", open, obj{"token": token, "roles": []string{"admin"}}).is(t, 422, "invalid_request", "roles")
	w.nobody().do("POST", open, obj{}).is(t, 422, "invalid_request", "token")
	a := caller{s: w.service, token: "let-me-in"}.as("banned").must("POST", open, obj{"token": token, "name": " Una "})
	if a.part("user")["name"] != "Una" {
		t.Errorf("accepted: %s", a.raw)
	}
}

// TestI1_TheIDOfANewUserIsTheVendorsToChoose: others could try which ids there are.
func TestI1_TheIDOfANewUserIsTheVendorsToChoose(t *testing.T) {
	w := newInviting(t, oneMachine)
	_, token := w.invite("globex-eu", offer("new@new.example"))
	open := "/v1/invitations/accept"
	with := func(id string) obj { return obj{"token": token, "user_id": id} }
	viewer := w.client("prod", "viewer", false, account.BackofficeViewer)
	editor := w.client("prod", "editor", false, account.BackofficeEditor)
	for _, id := range []string{"owner", "subject-1"} {
		w.nobody().do("POST", open, with(id)).is(t, 401, "unauthenticated", "")
		viewer.do("POST", open, with(id)).is(t, 403, "permission_denied", "")
		w.dev.do("POST", open, with(id)).is(t, 404, "invitation_invalid", "token")
	}
	gateway := w.delegate.as("owner") // a user's wish, sent by a client that may choose
	gateway.do("POST", open, with("owner")).is(t, 403, "permission_denied", "")
	editor.do("POST", open, with("owner")).is(t, 409, "user_exists", "user_id")
	editor.do("POST", open, with("a b")).is(t, 422, "invalid_id", "user_id")
	editor.do("POST", open, with("")).is(t, 422, "invalid_id", "user_id")
	if a := editor.must("POST", open, with("subject-1")); a.part("user")["id"] != "subject-1" {
		t.Errorf("accepted: %s", a.raw)
	}
	_, token = w.invite("globex-eu", offer("viewer@example.com"))
	editor.do("POST", open, with("subject-2")).is(t, 409, "email_taken", "user_id")
	editor.must("POST", open, with("viewer"))
}

// TestU5_ABlockedUserAcceptsNothing until the block is lifted.
func TestU5_ABlockedUserAcceptsNothing(t *testing.T) {
	w := newInviting(t, oneMachine)
	_, token := w.invitedBy("euadmin", "globex-eu", offer("banned@example.com"))
	w.void(t, "user_blocked", token)
	w.op.must("POST", "/v1/users/banned/unblock", nil)
	w.accept(token)
}
