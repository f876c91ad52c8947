package app_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const modelDepth = 5

// history drives a service and the model with the same random requests.
type history struct {
	t     *rapid.T
	c     caller
	m     *model
	clock *testClock // nil where the engine goes by the machine's
	users []string
	env   string
	both  *tellers
	n     int // things made
	steps int // taken
}

// drawn is one of the keys of a map.
func drawn[T any](h *history, of map[string]T, label string) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(of))).Draw(h.t, label)
}

func (h *history) account(label string) string { return drawn(h, h.m.accounts, label) }

func (h *history) user() string { return rapid.SampledFrom(h.users).Draw(h.t, "user") }

func (h *history) odds(label string, one int) bool {
	return rapid.IntRange(1, one).Draw(h.t, label) == one
}

// fresh is an id that was not used before.
func (h *history) fresh(prefix string) string {
	h.n++
	return fmt.Sprintf("%s%d", prefix, h.n)
}

// expect sends a request; code is what the model says it is refused with, "" if it succeeds.
func (h *history) expect(code, method, path string, body any) answer {
	h.t.Logf("%s %s %v → %s", method, path, body, code)
	a, err := h.c.try(method, path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	if code == "" && a.status >= 300 || code != "" && a.code() != code {
		h.t.Fatalf("%s %s %v: want %q, got %d %s", method, path, body, code, a.status, a.raw)
	}
	if a.status == 202 {
		h.t.Fatalf("%s %s: not in force: %s", method, path, a.raw)
	}
	return a
}

// permissionsAsked are those that are compared; "" is opening the account.
var permissionsAsked = []string{"", readSubAccounts, writeUsers, inviteUsers}

// questions collects checks with the answers of the model.
type questions struct {
	items []obj
	want  []bool
}

func (q *questions) add(subject, permission, id string, want bool) {
	if permission == "" {
		permission = "access"
	}
	q.items = append(q.items, obj{"subject": subject, "permission": permission, "resource": "account:" + id})
	q.want = append(q.want, want)
}

// of adds what there is to ask about a member of some kind at an account.
func (q *questions) of(m *model, subject, id string, may func(permission string) bool) {
	for _, p := range permissionsAsked {
		q.add(subject, p, id, may(p))
	}
	for feature, needs := range m.features {
		q.add(subject, "feature:"+feature, id, m.has(feature, id) && may(needs))
	}
}

// sort puts those about features last: the index answers calls without them.
func (q *questions) sort() {
	var sorted questions
	for _, features := range []bool{false, true} {
		for i, item := range q.items {
			if strings.HasPrefix(item["permission"].(string), "feature:") == features {
				sorted.items, sorted.want = append(sorted.items, item), append(sorted.want, q.want[i])
			}
		}
	}
	*q = sorted
}

// put asks all of them.
func (h *history) put(q questions) {
	const most = 500
	q.sort()
	for from := 0; from < len(q.items); from += most {
		items, want := q.items[from:min(from+most, len(q.items))], q.want[from:]
		a, err := h.c.try("POST", "/v1/check/bulk", obj{"items": items})
		if err != nil || a.status != 200 {
			h.t.Fatalf("bulk check: %v %s", err, a.raw)
		}
		for i, got := range a.body["items"].([]any) {
			h.both.note(got.(map[string]any)["answered_by"])
			if got := got.(map[string]any)["allowed"]; got != want[i] {
				h.t.Fatalf("%v: the service says %v, the model %v", items[i], got, want[i])
			}
		}
	}
}

// agree compares checks of every user, API token and account with the model, and a list of each user's accounts.
func (h *history) agree() {
	var all questions
	for id := range h.m.accounts {
		for _, user := range h.users {
			all.of(h.m, "user:"+user, id, func(p string) bool { return h.m.may(user, p, id) })
		}
		for k := range h.m.tokens {
			all.of(h.m, "api_token:"+k[1], id, func(p string) bool { return h.m.holds(h.m.tokens, k[1], p, id) })
		}
	}
	h.put(all)
	for i, user := range h.users {
		h.lists(user, h.steps+i)
		h.both.agree(h.t, accountEnv(h.env), user)
	}
	h.both.agreeOnOpeners(h.t, accountEnv(h.env), h.account("opened"))
}

// lists compares one of the lists of a user's accounts.
func (h *history) lists(user string, which int) {
	opens := func(id string) bool { return h.m.may(user, "", id) }
	switch which % 5 {
	case 0:
		h.list(user, "sort=tree", opens)
	case 1:
		h.list(user, "sort=name", opens)
	case 2:
		h.list(user, "sort=date", opens)
	case 3:
		h.list(user, "permission="+writeUsers, func(id string) bool { return h.m.may(user, writeUsers, id) })
	default:
		h.list(user, "permission=feature:people", func(id string) bool {
			return h.m.has("people", id) && h.m.may(user, h.m.features["people"], id)
		})
	}
}

// list compares one list of a user's accounts.
func (h *history) list(user, query string, in func(id string) bool) {
	var want []string
	for id := range h.m.accounts {
		if in(id) {
			want = append(want, id)
		}
	}
	got := h.c.reach(user, query)
	if query == "sort=tree" {
		h.treeOrder(got)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.t.Fatalf("switcher of %s by %s: the service says %v, the model %v", user, query, got, want)
	}
}

// treeOrder checks that no account comes before one that is above it, and that branches are not mixed.
func (h *history) treeOrder(ids []string) {
	for i, id := range ids {
		for j, other := range ids {
			if j > i && slices.Contains(h.m.path(id)[1:], other) {
				h.t.Fatalf("tree order: %s comes before its ancestor %s in %v", id, other, ids)
			}
		}
	}
}

// TestHistories holds the service, its checks and its switcher against the model over random histories. On one
// machine the clock is the test's, and memberships expire; elsewhere the engine has a clock of its own.
func TestHistories(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			cfg := s.make(t)
			var clock *testClock
			if cfg.Embedded() {
				clock = newTestClock()
				cfg.Now = clock.now
			}
			service := start(t, cfg)
			both := newTellers(t, service, cfg.Now)
			round := 0
			deadline := time.Now().Add(s.histories)
			rapid.Check(t, func(rt *rapid.T) {
				if round > 2 && time.Now().After(deadline) {
					return // what there is time for on a slow machine; three rounds always
				}
				round++
				runHistory(t, rt, service, clock, fmt.Sprintf("h%d", round), both)
			})
			t.Logf("%d histories", round)
			both.wereBoth(t)
		})
	}
}

// begin makes what every history begins with.
func (h *history) begin() {
	for key, permissions := range map[string][]string{"viewer": {readSubAccounts}, "manager": {readSubAccounts, writeUsers}} {
		h.c.must("POST", "/v1/roles", obj{"key": key, "permissions": permissions})
		h.m.roles[key] = &modelRole{permissions: permissions}
	}
	for key, permission := range map[string]string{"reports": "", "people": writeUsers} {
		h.c.must("POST", "/v1/features", obj{"key": key, "permission": permission})
		h.m.features[key] = permission
	}
	for key, features := range map[string][]string{"bronze": {}, "silver": {"reports"}, "gold": {"people", "reports"}} {
		h.c.must("POST", "/v1/plans", obj{"key": key, "features": features})
		h.m.plans[key] = features
	}
	// everybody is at home somewhere (U1)
	h.c.must("POST", "/v1/accounts", obj{"id": "home", "name": "Home", "sub_account_management": true, "sub_account_access": off})
	h.m.accounts["home"] = &modelAccount{mode: off, managed: true, switches: map[modelSwitch]bool{}}
	for _, u := range h.users {
		h.c.must("POST", "/v1/users", obj{"id": u, "email": u + "@home.example", "memberships": []obj{{"account": "home", "roles": []string{"viewer"}}}})
		h.m.members[[2]string{"home", u}] = &modelMember{roles: []string{"viewer"}}
	}
}

func runHistory(t *testing.T, rt *rapid.T, s *service, clock *testClock, env string, both *tellers) {
	s.environmentOfDepth(env, modelDepth)
	h := &history{
		t: rt, c: s.client(accountEnv(env), "op", false, "admin"), users: []string{"u0", "u1", "u2", "u3"}, m: newModel(), clock: clock, env: env, both: both,
	}
	h.tick(0)
	h.begin()
	steps := []func(){
		h.create, h.create, h.create, h.move, h.move, h.remove, h.manage,
		h.grant, h.grant, h.grant, h.grant, h.revoke, h.mode, h.mode, h.block,
		h.makeRole, h.editRole, h.dropRole,
		h.givePlan, h.editPlan, h.switchFeature, h.switchFeature,
	}
	if clock != nil {
		steps = append(steps, h.wait, h.wait)
	}
	if strings.Contains(string(h.c.must("GET", "/openapi.json", nil).raw), "/v1/accounts/{account}/api-tokens") {
		steps = append(steps, h.makeToken, h.dropToken)
	}
	for range rapid.IntRange(5, 30).Draw(rt, "steps") {
		rapid.SampledFrom(steps).Draw(rt, "step")()
		h.steps++
		h.agree()
	}
	for _, user := range h.users {
		for which := range 5 {
			h.lists(user, which)
		}
	}
	drift, err := s.Relay.Reconcile(t.Context(), accountEnv(env), true, nil)
	if err != nil || !drift.Drift.Empty() {
		rt.Fatalf("drift after the history: %v %+v", err, drift.Drift)
	}
}
