package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/ndjson"
)

// world is a small hierarchy in prod, and another one with the same ids in dev:
//
//	globex            owner (admin, with sub-account access), viewer (viewer), banned (as owner, but blocked)
//	└ globex-eu       euadmin (admin), clerk (manager); both without sub-account access
//	  └ globex-eu-fr
//	initech           outsider (admin, with sub-account access)
//	lobby             owner, euadmin and clerk (greeter): here they know whom they may add elsewhere
//
// In dev the same users are viewers of initech, and there is more that prod does not have.
type world struct {
	*service
	op       caller // admin of prod
	delegate caller // admin of prod that acts for users
	support  caller // of prod, may impersonate users and view the back office
	dev      caller // admin of dev
	made     int
}

func newWorld(t testing.TB, s shape) *world {
	t.Helper()
	return furnished(t, s.make(t))
}

// furnished is a world on a deployment. An empty deployment on one machine gets a copy of the world that was made
// first: it is what that one was when it ended, with the same secrets. If the test listens to what the service
// says or does, its world is made before its ears.
func furnished(t testing.TB, cfg app.Config) *world {
	t.Helper()
	heard := cfg.Log != nil || cfg.OnStep != nil || cfg.OnBuild != nil || cfg.Registry != nil
	copied := cfg.Embedded() && cfg.Database == "" && !heard && isEmpty(t, cfg.DataDir)
	if copied {
		firstWorld(t).copyTo(t, cfg.DataDir)
	}
	w := &world{service: start(t, cfg)}
	if copied {
		w.take(firstWorld(t).tokens)
		return w
	}
	w.make()
	return w
}

// make furnishes a deployment that has nothing.
func (w *world) make() {
	w.t.Helper()
	w.environment("prod")
	w.environment("dev")
	w.op = w.client("prod", "op", false, account.PortalAdmin)
	w.delegate = w.client("prod", "delegate", true, account.PortalAdmin)
	w.support = w.client("prod", "support", false, account.Impersonator, account.BackofficeViewer)
	w.dev = w.client("dev", "op", true, account.PortalAdmin)

	w.furnish(w.op)
	at := func(id, role string, branch bool) []obj {
		return []obj{{"account": id, "roles": []string{role}, "sub_account_access": branch}}
	}
	greeter := at("lobby", "greeter", false)[0]
	w.user(w.op, "owner", append(at("globex", "admin", true), greeter))
	w.user(w.op, "viewer", at("globex", "viewer", false))
	w.user(w.op, "banned", at("globex", "admin", true))
	w.user(w.op, "euadmin", append(at("globex-eu", "admin", false), greeter))
	w.user(w.op, "clerk", append(at("globex-eu", "manager", false), greeter))
	w.user(w.op, "outsider", at("initech", "admin", true))
	w.op.must("POST", "/v1/users/banned/block", nil)

	w.furnish(w.dev)
	for _, id := range []string{"owner", "viewer", "banned", "euadmin", "clerk", "outsider", "dev-user"} {
		w.user(w.dev, id, at("initech", "viewer", true))
	}
	w.dev.must("POST", "/v1/roles", obj{"key": "dev-role", "permissions": []string{}})
	w.dev.must("POST", "/v1/accounts", obj{"id": "dev-only", "name": "Dev only", "sub_account_management": true})
}

// furnish makes the roles and accounts of one environment.
func (w *world) furnish(c caller) {
	w.t.Helper()
	manager := []string{
		"fe.account-hierarchy.read.subAccount", "fe.account-hierarchy.write.subAccount",
		"fe.secure.read.users", "fe.secure.invite.users", "fe.secure.write.users",
	}
	w.role(c, "admin", w.permissions()...)
	w.role(c, "manager", manager...)
	w.role(c, "viewer", "fe.account-hierarchy.read.subAccount")
	w.role(c, "greeter", "fe.secure.read.users")
	w.account(c, "globex", "")
	w.account(c, "globex-eu", "globex")
	w.account(c, "globex-eu-fr", "globex-eu")
	w.account(c, "initech", "")
	w.account(c, "lobby", "")
}

// permissions is the keys of the catalogue.
func (w *world) permissions() []string {
	var keys []string
	for _, p := range w.Directory.Catalogue().Permissions {
		keys = append(keys, string(p.Key))
	}
	return keys
}

func (w *world) role(c caller, key string, permissions ...string) {
	w.t.Helper()
	c.must("POST", "/v1/roles", obj{"key": key, "permissions": permissions})
}

// account makes an account that may have sub-accounts; a root account if parent is "".
func (w *world) account(c caller, id, parent string) {
	w.t.Helper()
	body := obj{"id": id, "name": strings.ToUpper(id), "sub_account_management": true}
	if parent != "" {
		body["parent"] = parent
	}
	c.must("POST", "/v1/accounts", body)
}

func (w *world) user(c caller, id string, memberships []obj) {
	w.t.Helper()
	c.must("POST", "/v1/users", obj{"id": id, "email": id + "@example.com", "memberships": memberships})
}

// grant makes a user a member, as the operator.
func (w *world) grant(id, user string, body obj) answer {
	w.t.Helper()
	return w.op.must("PUT", "/v1/accounts/"+id+"/members/"+user, body)
}

// as is the delegate client, acting for a user.
func (w *world) as(user string) caller { return w.delegate.as(user) }

// fresh returns an id that was not used before.
func (w *world) fresh(prefix string) string {
	w.made++
	return fmt.Sprintf("%s-%d", prefix, w.made)
}

// newUser makes a viewer of an account that nobody has used before.
func (w *world) newUser(accounts ...string) string {
	w.t.Helper()
	id := w.fresh("user")
	var memberships []obj
	for _, a := range accounts {
		memberships = append(memberships, obj{"account": a, "roles": []string{"viewer"}})
	}
	w.user(w.op, id, memberships)
	return id
}

// newAccount makes an account below parent.
func (w *world) newAccount(parent string) string {
	w.t.Helper()
	id := w.fresh("account")
	w.account(w.op, id, parent)
	return id
}

// in is the caller for a subtest, which its failures end.
func (c caller) in(t testing.TB) caller {
	s := *c.s
	s.t = t
	c.s = &s
	return c
}

// head is the version of the environment's newest journal entry.
func (s *service) head(env account.EnvironmentID) account.Version {
	s.t.Helper()
	heads, err := s.Store.Heads(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return heads[env]
}

// export is all that the directory holds of an environment, in the load format.
func (s *service) export(env account.EnvironmentID) string {
	s.t.Helper()
	var out strings.Builder
	writer := ndjson.NewWriter(&out)
	if err := s.Directory.Export(s.t.Context(), account.Actor{Environment: env, System: true}, writer.Write); err != nil {
		s.t.Fatal(err)
	}
	return out.String()
}

// is checks that an answer is a complete problem with a status, a code and a field.
func (a answer) is(t testing.TB, status int, code, field string) {
	t.Helper()
	got, _ := a.body["field"].(string)
	if a.status != status || a.code() != code || got != field {
		t.Errorf("want %d %s in %q, got %d %.400s", status, code, field, a.status, a.raw)
		return
	}
	if media := a.header.Get("Content-Type"); media != "application/problem+json" {
		t.Errorf("the Content-Type of a problem is %q", media)
	}
	if detail, _ := a.body["detail"].(string); detail == "" || a.body["type"] != "urn:tenantry:error:"+code || a.body["title"] != http.StatusText(status) {
		t.Errorf("the problem is not complete: %s", a.raw)
	}
}

// list takes the strings named name out of an answer's list of objects.
func (a answer) list(list, name string) []string {
	items, _ := a.body[list].([]any)
	out := make([]string, 0, len(items))
	for _, item := range items {
		text, _ := item.(map[string]any)[name].(string)
		out = append(out, text)
	}
	return out
}

// sorted is the ids of the accounts that a user may open, in alphabetical order.
func (c caller) sorted(user string) []string {
	c.s.t.Helper()
	ids := c.reach(user, "")
	slices.Sort(ids)
	return ids
}
