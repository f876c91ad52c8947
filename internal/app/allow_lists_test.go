package app_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// from is the same caller at another address of this machine: its connections go out from there.
func (c caller) from(address string) caller {
	c.s.t.Helper()
	local := &net.TCPAddr{IP: net.ParseIP(address)}
	at, err := url.Parse(c.s.url)
	if err != nil {
		c.s.t.Fatal(err)
	}
	host := "127.0.0.1"
	if local.IP.To4() == nil {
		host = "::1"
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{LocalAddr: local}).DialContext(ctx, "tcp", net.JoinHostPort(host, at.Port()))
	}}
	c.s.t.Cleanup(transport.CloseIdleConnections)
	c.client = &http.Client{Transport: transport}
	return c
}

// limit has a caller set an allow list, of the environment or of an account.
func (c caller) limit(path string, networks ...string) answer {
	c.s.t.Helper()
	return c.must("PATCH", path, obj{"ip_allow_list": append([]string{}, networks...)})
}

const (
	theEnvironment = "/v1/environment"
	home, away     = "127.0.0.1", "127.0.0.2"
)

// barredFrom requires the refusal, and that it says nothing but where the request came from.
func (c caller) barredFrom(t *testing.T, address, method, path string, body any) {
	t.Helper()
	a := c.from(address).in(t).do(method, path, body)
	a.is(t, 403, "ip_not_allowed", "")
	if detail := "requests from " + address + " are not allowed here"; a.body["detail"] != detail {
		t.Errorf("%s %s: %s", method, path, a.raw)
	}
}

// TestE3_AnEnvironmentsListHoldsForEveryCredential from the next request on, and for its own alone.
func TestE3_AnEnvironmentsListHoldsForEveryCredential(t *testing.T) {
	w := newWorld(t, oneMachine)
	robot := w.machine("globex", obj{"name": "Robot", "roles": []string{"admin"}})
	impersonating, _ := w.impersonate(w.support, "owner")
	everybody := map[string]caller{"a client": w.op, "a client for a user": w.as("owner"), "an API token": robot, "an impersonation": impersonating}
	each := func(do func(t *testing.T, c caller)) {
		t.Helper()
		for name, c := range everybody {
			t.Run(name, func(t *testing.T) { do(t, c) })
		}
	}
	each(func(t *testing.T, c caller) { c.in(t).from(away).must("GET", "/v1/accounts/globex", nil) })

	if list := w.op.limit(theEnvironment, home+"/32", "2001:DB8::/32", home).body["ip_allow_list"]; !slices.Equal(list.([]any), []any{"127.0.0.1/32", "2001:db8::/32"}) {
		t.Errorf("the list is %v", list)
	}
	before := w.head("prod")
	each(func(t *testing.T, c caller) {
		c.barredFrom(t, away, "GET", "/v1/accounts/globex", nil)
		c.barredFrom(t, away, "PATCH", "/v1/accounts/globex", obj{"name": "Elsewhere"})
		c.barredFrom(t, away, "GET", "/v1/accounts/no-such", nil) // before anything else
		c.in(t).from(home).must("GET", "/v1/accounts/globex", nil)
		for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip", "Cf-Connecting-Ip"} {
			c.in(t).from(away).refuse("ip_not_allowed", "GET", "/v1/accounts/globex", nil, header, home)
		}
	})
	if after := w.head("prod"); after != before {
		t.Errorf("something was written from elsewhere: version %d, was %d", after, before)
	}
	w.dev.from(away).must("GET", "/v1/accounts/globex", nil)
	caller{s: w.service, token: w.op.token[:len(w.op.token)-4] + "AAAA"}.from(away).refuse("unauthenticated", "GET", "/v1/accounts/globex", nil)

	w.op.limit(theEnvironment)
	each(func(t *testing.T, c caller) { c.in(t).from(away).must("GET", "/v1/accounts/globex", nil) })
}

// TestE3_IPv4AndIPv6 on one listener, where IPv4 comes as IPv6.
func TestE3_IPv4AndIPv6(t *testing.T) {
	w := &world{service: startAt(t, oneMachine.make(t), "::")}
	w.environment("prod")
	w.op = w.client("prod", "op", false, account.PortalAdmin)
	for _, c := range []struct {
		list    []string
		address map[string]bool
	}{
		{[]string{"::1"}, map[string]bool{"::1": true, home: false, away: false}},
		{[]string{"127.0.0.1"}, map[string]bool{"::1": false, home: true, away: false}},
		{[]string{"::ffff:127.0.0.0/126"}, map[string]bool{"::1": false, home: true, away: true}},
		{[]string{"::/0"}, map[string]bool{"::1": true, home: false, away: false}}, // IPv4 is not in it
		{[]string{"127.0.0.2/32", "::1/128"}, map[string]bool{"::1": true, home: false, away: true}},
	} {
		_, err := w.Directory.UpdateEnvironment(t.Context(), directory.Request{Actor: account.Actor{Environment: "prod", System: true}}, directory.EnvironmentPatch{IPAllowList: &c.list})
		if err != nil {
			t.Fatal(err)
		}
		for address, allowed := range c.address {
			if allowed {
				w.op.from(address).must("GET", "/v1/environment", nil)
			} else {
				w.op.barredFrom(t, address, "GET", "/v1/environment", nil)
			}
		}
	}
}

// TestE3_AnAccountsListHoldsForItsMembers: for its API tokens at every request, for those from
// above where they go to the account; clients and operators come from elsewhere.
func TestE3_AnAccountsListHoldsForItsMembers(t *testing.T) {
	w := newWorld(t, oneMachine)
	admin := obj{"name": "Robot", "roles": []string{"admin"}, "sub_account_access": true}
	above, inside := w.machine("globex", admin), w.machine("globex-eu", admin)
	w.op.limit("/v1/accounts/globex-eu", home)

	for _, id := range []string{"globex-eu", "globex-eu-fr"} {
		path := "/v1/accounts/" + id
		above.barredFrom(t, away, "GET", path, nil)
		above.from(home).must("GET", path, nil)
	}
	above.from(away).must("GET", "/v1/accounts/globex", nil)
	above.barredFrom(t, away, "POST", "/v1/accounts", obj{"name": "New", "parent": "globex-eu"})
	above.barredFrom(t, away, "GET", "/v1/accounts?under=globex-eu", nil)
	inside.barredFrom(t, away, "GET", "/v1/me/accounts", nil) // it is of that account
	inside.barredFrom(t, away, "GET", "/v1/permissions", nil)
	inside.from(home).must("GET", "/v1/me/accounts", nil)
	for _, c := range []caller{w.op, w.as("owner"), w.support} {
		c.from(away).must("GET", "/v1/accounts/globex-eu", nil)
	}

	question := func(c caller, id string) obj {
		me, _, _ := strings.Cut(strings.TrimPrefix(c.token, "tenantry_api_prod."), ".")
		return obj{"subject": "api_token:" + me, "permission": "access", "resource": "account:" + id}
	}
	above.barredFrom(t, away, "POST", "/v1/check", question(above, "globex-eu-fr"))
	above.barredFrom(t, away, "POST", "/v1/explain", question(above, "globex-eu"))
	bulk := above.from(away).must("POST", "/v1/check/bulk", obj{"items": []obj{question(above, "globex"), question(above, "globex-eu"), question(above, "initech")}})
	items := bulk.body["items"].([]any)
	if got, _ := items[1].(map[string]any)["error"].(map[string]any); got["code"] != "ip_not_allowed" || items[0].(map[string]any)["allowed"] != true || items[2].(map[string]any)["error"] != nil {
		t.Errorf("many at once: %s", bulk.raw)
	}

	// the nearest list counts, and the place that an account has now
	w.op.limit("/v1/accounts/globex-eu-fr", away)
	above.from(away).must("GET", "/v1/accounts/globex-eu-fr", nil)
	above.barredFrom(t, home, "GET", "/v1/accounts/globex-eu-fr", nil)
	w.op.limit("/v1/accounts/globex-eu-fr")
	above.barredFrom(t, away, "GET", "/v1/accounts/globex-eu-fr", nil)
	w.op.must("POST", "/v1/accounts/globex-eu-fr/move", obj{"parent": "globex"})
	above.from(away).must("GET", "/v1/accounts/globex-eu-fr", nil)

	// who has no rights there learns of no list
	stranger := w.machine("initech", admin)
	for _, id := range []string{"globex-eu", "no-such"} {
		stranger.from(away).refuse("permission_denied", "GET", "/v1/accounts/"+id, nil)
	}
}

// TestE3_EveryRouteOfAnAccount that a member may use is closed to them elsewhere.
func TestE3_EveryRouteOfAnAccount(t *testing.T) {
	w := newInviting(t, oneMachine).world
	robot := w.machine("globex", obj{"name": "Robot", "roles": []string{"admin"}, "sub_account_access": true})
	w.op.limit("/v1/accounts/globex-eu", home)
	below := func(path string) bool {
		rest, ok := strings.CutPrefix(path, "/v1/accounts/")
		id := strings.FieldsFunc(rest, func(r rune) bool { return r == '/' || r == '?' })
		if !ok {
			return false
		}
		a := w.op.must("GET", "/v1/accounts/"+id[0], nil)
		return id[0] == "globex-eu" || a.body["parent"] == "globex-eu"
	}
	open, closed := map[string]bool{}, map[string]bool{}
	for _, r := range slices.Concat(accountRows(), peopleRows(), invitationRows(), machineRows(), accessRows(), featureRows()) {
		if !strings.Contains(r.route, "/{account}") || r.expect("owner") != "" || r.expect("api-token") != "" {
			continue
		}
		open[r.route] = true
		path, body := r.on(w)
		if !below(path) {
			continue
		}
		closed[r.route] = true
		method, _, _ := strings.Cut(r.route, " ")
		before := w.head("prod")
		robot.barredFrom(t, away, method, path, body)
		if after := w.head("prod"); after != before {
			t.Errorf("%s wrote something", r.route)
		}
		robot.from(home).must(method, path, body)
	}
	for route := range open {
		if !closed[route] {
			t.Errorf("%s was not tried", route)
		}
	}
	if len(closed) < 20 {
		t.Errorf("only %d routes were tried", len(closed))
	}
}

// TestE3_NobodyShutsThemselvesOutOverTheAPI, in neither way; the directory's own command line takes any list.
func TestE3_NobodyShutsThemselvesOutOverTheAPI(t *testing.T) {
	w := newWorld(t, oneMachine)
	robot := w.machine("globex", obj{"name": "Robot", "roles": []string{"admin"}})
	before := w.head("prod")
	w.op.from(away).do("PATCH", theEnvironment, obj{"ip_allow_list": []string{home}}).is(t, 422, "ip_allow_list_excludes_you", "ip_allow_list")
	robot.from(away).do("PATCH", "/v1/accounts/globex", obj{"ip_allow_list": []string{home}}, "X-Forwarded-For", home).is(t, 422, "ip_allow_list_excludes_you", "ip_allow_list")
	w.op.do("PATCH", theEnvironment, obj{"ip_allow_list": []string{"everywhere"}}).is(t, 422, "invalid_network", "ip_allow_list")
	w.op.do("PATCH", "/v1/accounts/globex", obj{"ip_allow_list": make([]string, account.MaxNetworks+1)}).is(t, 422, "too_many_networks", "ip_allow_list")
	w.op.refuse("invalid_request", "PATCH", theEnvironment, obj{"ip_allow_list": "127.0.0.1"})
	if after := w.head("prod"); after != before {
		t.Errorf("version %d, was %d", after, before)
	}

	// operators set an account's from wherever they are; they and its log are told it, members who may not change it are not
	w.op.from(away).limit("/v1/accounts/globex", "192.0.2.0/24")
	told := func(c caller, id string) any { return c.must("GET", "/v1/accounts/"+id, nil).body["ip_allow_list"] }
	for name, c := range map[string]caller{"operator": w.op, "support": w.support, "owner": w.as("owner")} {
		if list, _ := told(c, "globex").([]any); len(list) != 1 || list[0] != "192.0.2.0/24" {
			t.Errorf("%s is told %v", name, list)
		}
	}
	if list := told(w.as("viewer"), "globex"); list != nil {
		t.Errorf("a viewer is told %v", list)
	}
	if list, ok := told(w.as("clerk"), "lobby").([]any); !ok || len(list) != 0 {
		t.Errorf("where there is none, a member is told %v", list)
	}
	for _, path := range []string{"/v1/accounts?roots=true", "/v1/accounts/globex/summary", "/v1/users/owner/accounts"} {
		if a := w.op.must("GET", path, nil); strings.Contains(string(a.raw), "192.0.2.0") {
			t.Errorf("%s tells the list: %s", path, a.raw)
		}
	}
	if a := w.as("owner").must("GET", "/v1/journal?account=globex&order=desc&limit=1", nil); !strings.Contains(string(a.raw), `"ip_allow_list":["192.0.2.0/24"]`) {
		t.Errorf("the log: %s", a.raw)
	}
	robot.from(home).refuse("ip_not_allowed", "GET", "/v1/accounts/globex", nil)
}

// TestE3_InvitationsAreOpenedFromTheEnvironmentsNetworks: the link alone is no way around its list.
func TestE3_InvitationsAreOpenedFromTheEnvironmentsNetworks(t *testing.T) {
	w := newInviting(t, oneMachine).world
	_, token := w.invite("globex-eu", offer("guest@new.example"))
	w.op.limit(theEnvironment, home)
	w.op.limit("/v1/accounts/globex-eu", "192.0.2.7") // who accepts is no member yet
	before := w.head("prod")
	for _, route := range []string{"preview", "accept"} {
		w.nobody().barredFrom(t, away, "POST", "/v1/invitations/"+route, obj{"token": token})
		w.nobody().from(away).refuse("invitation_invalid", "POST", "/v1/invitations/"+route, obj{"token": token[:len(token)-4] + "AAAA"})
	}
	if after := w.head("prod"); after != before {
		t.Errorf("version %d, was %d", after, before)
	}
	w.op.from(away).refuse("ip_not_allowed", "POST", "/v1/invitations/accept", obj{"token": token, "user_id": "chosen"})
	w.nobody().from(home).must("POST", "/v1/invitations/preview", obj{"token": token})
	w.nobody().from(home).must("POST", "/v1/invitations/accept", obj{"token": token})
}

// TestE3_StreamsEndWhereTheirReaderMayNotBeAnyMore.
func TestE3_StreamsEndWhereTheirReaderMayNotBeAnyMore(t *testing.T) {
	w := newWorld(t, oneMachine)
	l, s := w.support.follow(""), w.as("owner").switcher()
	w.op.from(away).limit(theEnvironment, away)
	l.ended("ip_not_allowed")
	s.ended("ip_not_allowed")
}
