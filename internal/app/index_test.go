package app_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/schema"
)

// answeredBy asks a check of the service, and says who answered and what.
func (c caller) answeredBy(subject, permission, resource string) (by string, allowed bool) {
	a := c.must("POST", "/v1/check", obj{"subject": subject, "permission": permission, "resource": resource})
	return a.body["answered_by"].(string), a.body["allowed"].(bool)
}

// indexed waits until the index answers.
func (w *world) indexed() {
	w.t.Helper()
	eventually(w.t, "the index answers", func() bool {
		by, _ := w.op.answeredBy("user:owner", "access", "account:globex")
		return by == "index"
	})
}

func TestIndex_AnswersSayWhoAnswered(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.indexed()
	for _, c := range []struct {
		subject, permission, resource, by string
		allowed                           bool
	}{
		{"user:owner", readSubAccounts, "account:globex-eu-fr", "index", true},
		{"user:clerk", readSubAccounts, "account:globex-eu-fr", "index", false},
		{"user:banned", "access", "account:globex", "index", false},
		{"operator:op", "create_sub_account", "account:globex", "index", true},
		{"operator:op", "manage_security", "environment:prod", "index", true},
		{"user:owner", "has_feature", "account:globex", "engine", false},
		{"user:owner", "sub_account_management", "account:globex", "engine", true},
	} {
		if by, allowed := w.op.answeredBy(c.subject, c.permission, c.resource); by != c.by || allowed != c.allowed {
			t.Errorf("%s %s %s: %t, by the %s; want %t, by the %s", c.subject, c.permission, c.resource, allowed, by, c.allowed, c.by)
		}
	}
	for path, by := range map[string]string{
		"/v1/users/owner/accounts":              "index",
		"/v1/users/owner/accounts/ids":          "index",
		"/v1/accounts/globex-eu/access":         "index",
		"/v1/accounts/globex-eu/access?q=owner": "index", // who is in a search is confirmed by it
	} {
		if got := w.op.must("GET", path, nil).body["answered_by"]; got != by {
			t.Errorf("%s is answered by %v; want %s", path, got, by)
		}
	}
}

func TestIndex_OffIsTheEngine(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.WithoutIndex = true
	w := furnished(t, cfg)
	if by, allowed := w.op.answeredBy("user:owner", "access", "account:globex"); by != "engine" || !allowed {
		t.Errorf("%t, by the %s", allowed, by)
	}
	if got := w.op.must("GET", "/v1/users/owner/accounts", nil).body["answered_by"]; got != "engine" {
		t.Errorf("the list is by %v", got)
	}
}

// TestIndex_AnotherSchemaEndsIt: an answer is what the engine's schema says, whatever the index was made for.
func TestIndex_AnotherSchemaEndsIt(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.ProveEvery = 20 * time.Millisecond
	w := furnished(t, cfg)
	w.indexed()
	write := func(text string) {
		t.Helper()
		if _, err := v1.NewSchemaServiceClient(w.Engine.Conn()).WriteSchema(t.Context(), &v1.WriteSchemaRequest{Schema: text}); err != nil {
			t.Fatal(err)
		}
	}
	const access = "permission access = (member_access - environment->blocked) + environment->view_backoffice"
	built := schema.Built()
	if !strings.Contains(built, access) {
		t.Fatal("the built schema has another permission access")
	}
	write(strings.Replace(built, access, "permission access = environment->view_backoffice", 1))
	eventually(t, "the engine answers", func() bool {
		by, allowed := w.op.answeredBy("user:owner", "access", "account:globex")
		return by == "engine" && !allowed
	})
	if got := w.metric(`tenantry_index_in_service{environment="prod"}`); got != 0 {
		t.Errorf("in service under another schema: %v", got)
	}
	write(built + "\ndefinition document {\n\trelation viewer: user\n}\n") // what an application adds is its own
	w.indexed()
	if _, allowed := w.op.answeredBy("user:owner", "access", "account:globex"); !allowed {
		t.Error("the index does not answer as before")
	}
}

// TestIndex_ASampleThatDiffersEndsIt: what somebody did to the engine behind Tenantry's back is
// found by a sample; from then on the engine answers.
func TestIndex_ASampleThatDiffersEndsIt(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.SampleEvery = 5 * time.Millisecond
	w := furnished(t, cfg)
	w.indexed()
	eventually(t, "a sample", func() bool {
		return w.metric(`tenantry_index_samples_total{environment="prod",result="same"}`) > 0
	})
	w.loseClerk()
	w.op.must("PATCH", "/v1/accounts/initech", obj{"name": "Initech II"}) // questions after this see what the engine has
	eventually(t, "the sampler finds the difference", func() bool {
		by, allowed := w.op.answeredBy("user:clerk", "access", "account:globex-eu")
		return by == "engine" && !allowed
	})
	if got := w.metric(`tenantry_index_samples_total{environment="prod",result="different"}`); got != 1 {
		t.Errorf("%v samples differed", got)
	}
	if got := w.metric(`tenantry_index_in_service{environment="prod"}`); got != 0 {
		t.Errorf("in service: %v", got)
	}
	if got := w.metric(`tenantry_index_in_service{environment="dev"}`); got != 1 {
		t.Errorf("the other environment is in service: %v", got)
	}
}

// metric is the value of a line of /metrics; 0 if it is not there.
func (s *service) metric(line string) float64 {
	s.t.Helper()
	resp, err := http.Get(s.url + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n"+line+" ")
	if !found {
		return 0
	}
	number, _, _ := strings.Cut(after, "\n")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}
