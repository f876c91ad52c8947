package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
)

func trusting(t testing.TB, networks ...string) account.Networks {
	t.Helper()
	n, err := account.ParseNetworks("trusted-proxies", networks)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestClientAddress: only what trusted proxies say counts, and of that only what they have seen themselves.
func TestClientAddress(t *testing.T) {
	const proxy, client = "10.0.0.9:4711", "198.51.100.7"
	tests := []struct {
		name, remote string
		headers      []string // pairs
		want         string   // "" is a refusal
	}{
		{"peer that is no proxy", "203.0.113.5:1", nil, "203.0.113.5"},
		{"peer that is no proxy, and lies", "203.0.113.5:1", []string{"X-Forwarded-For", client}, "203.0.113.5"},
		{"peer that is no proxy, with garbage", "203.0.113.5:1", []string{"X-Forwarded-For", "garbage"}, "203.0.113.5"},
		{"one proxy", proxy, []string{"X-Forwarded-For", client}, client},
		{"what the client wrote before", proxy, []string{"X-Forwarded-For", "127.0.0.1, 10.0.0.1, " + client}, client},
		{"garbage that the client wrote before", proxy, []string{"X-Forwarded-For", "garbage, " + client}, client},
		{"two proxies", proxy, []string{"X-Forwarded-For", "127.0.0.1, " + client + ", 10.7.7.7"}, client},
		{"several headers", proxy, []string{"X-Forwarded-For", "127.0.0.1", "X-Forwarded-For", client, "X-Forwarded-For", "10.7.7.7"}, client},
		{"100 entries", proxy, []string{"X-Forwarded-For", strings.Repeat("127.0.0.1, ", 99) + client}, client},
		{"100 proxies", proxy, []string{"X-Forwarded-For", client + strings.Repeat(", 10.1.1.1", 99)}, client},
		{"empty entries", proxy, []string{"X-Forwarded-For", client + ",, \t,", "X-Forwarded-For", ""}, client},
		{"only proxies: the first", proxy, []string{"X-Forwarded-For", "10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		{"a proxy that says nothing", proxy, nil, "10.0.0.9"},
		{"a proxy that says garbage", proxy, []string{"X-Forwarded-For", "garbage"}, ""},
		{"garbage behind a proxy", proxy, []string{"X-Forwarded-For", client + ", unknown, 10.7.7.7"}, ""},
		{"garbage before proxies", proxy, []string{"X-Forwarded-For", "unknown, 10.7.7.7"}, ""},
		{"a network is no address", proxy, []string{"X-Forwarded-For", "198.51.100.0/24"}, ""},
		{"a name is no address", proxy, []string{"X-Forwarded-For", "localhost"}, ""},
		{"leading zeros are no address", proxy, []string{"X-Forwarded-For", "198.051.100.007"}, ""},
		{"with a port", proxy, []string{"X-Forwarded-For", client + ":1234"}, client},
		{"IPv6", "[2001:db8:f::1]:443", []string{"X-Forwarded-For", "2001:DB8::0:7"}, "2001:db8::7"},
		{"IPv6 in brackets", proxy, []string{"X-Forwarded-For", "[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 with a port", proxy, []string{"X-Forwarded-For", "[2001:db8::7]:1234"}, "2001:db8::7"},
		{"IPv4 in brackets", proxy, []string{"X-Forwarded-For", "[198.51.100.7]"}, ""},
		{"an IPv4 proxy seen as IPv6", "[::ffff:10.0.0.9]:4711", []string{"X-Forwarded-For", client}, client},
		{"an IPv4 client written as IPv6", proxy, []string{"X-Forwarded-For", "::ffff:198.51.100.7"}, client},
		{"an IPv4 proxy written as IPv6", proxy, []string{"X-Forwarded-For", client + ", ::ffff:10.0.0.1"}, client},
		{"a proxy's address with a zone", proxy, []string{"X-Forwarded-For", client + ", 2001:db8:f::2%eth0"}, client},
		{"a peer with a zone", "[fe80::1%eth0]:1", nil, "fe80::1"},
		{"other headers", proxy, []string{
			"X-Real-IP", client, "Forwarded", "for=" + client, "True-Client-IP", client, "X-Client-IP", client,
			"CF-Connecting-IP", client, "X-Forwarded-Host", client, "X-Cluster-Client-IP", client,
		}, "10.0.0.9"},
	}
	p := newProxies(trusting(t, "10.0.0.0/8", "2001:db8:f::/48"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := from(t.Context(), tt.remote, tt.headers...)
			got, err := p.client(r)
			if tt.want == "" {
				if err == nil {
					t.Fatalf("%s was taken for the client", got)
				}
				return
			}
			if err != nil || got.String() != tt.want {
				t.Errorf("the client is %s (%v), want %s", got, err, tt.want)
			}
			if none, err := proxies(nil).client(r); err != nil || none != peerAddr(tt.remote) {
				t.Errorf("without trusted proxies the client is %s (%v)", none, err)
			}
		})
	}
}

// from is a request from an address; headers are pairs.
func from(ctx context.Context, remote string, headers ...string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/accounts/globex", nil)
	r.RemoteAddr = remote
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// TestUnreadableForwardingIsRefused: rather than take the proxy's address, which lists may allow.
func TestUnreadableForwardingIsRefused(t *testing.T) {
	a := serve(t, Deps{}, Config{TrustedProxies: trusting(t, "10.0.0.0/8")})
	a.send(from(t.Context(), "10.0.0.9:1", forwardedFor, "unknown")).refused(422, "invalid_forwarded_for", forwardedFor)
	a.send(from(t.Context(), "203.0.113.5:1", forwardedFor, "unknown")).refused(401, "unauthenticated", "")
}

// TestL1_TheJournalHasTheClientsAddress: not the proxy's, and no invented one.
func TestL1_TheJournalHasTheClientsAddress(t *testing.T) {
	d, _ := onSQLite(t, granting{})
	a := serve(t, Deps{Directory: d}, Config{TrustedProxies: trusting(t, "192.0.2.0/24")}) // httptest's requests are from 192.0.2.1
	a.do("POST", "/v1/accounts", `{"id":"globex","name":"Globex"}`, forwardedFor, "127.0.0.1, 198.51.100.7").ok(201)
	got := a.do("GET", "/v1/journal?after=1", "").ok(200)
	if entries, _ := got.body["entries"].([]any); len(entries) != 1 || entries[0].(map[string]any)["from"] != "198.51.100.7" {
		t.Errorf("the journal: %s", got.text)
	}
}

// FuzzClientAddress: the client of a request through a trusted proxy is what that proxy saw, whatever the client wrote before.
func FuzzClientAddress(f *testing.F) {
	p := newProxies(trusting(f, "10.0.0.0/8"))
	for _, s := range []string{"", "127.0.0.1", "a,b", ",,", "::1", "[::1]:2", "10.0.0.1", "\x00", "1.2.3.4,10.0.0.1:80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, written string) {
		r := from(t.Context(), "10.0.0.9:1", forwardedFor, written+", 198.51.100.7", forwardedFor, "10.1.1.1")
		if got, err := p.client(r); err != nil || got != netip.MustParseAddr("198.51.100.7") {
			t.Errorf("the client is %s (%v)", got, err)
		}
		r = from(t.Context(), "10.0.0.9:1", forwardedFor, written)
		got, err := p.client(r)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() || (err != nil && got != netip.MustParseAddr("10.0.0.9")) {
			t.Errorf("the client is %s (%v)", got, err)
		}
		if alone, ok := parseHop(strings.Trim(written, " \t")); ok && !strings.Contains(written, ",") && got != alone {
			t.Errorf("%s was written, and %s is the client", alone, got)
		}
	})
}
