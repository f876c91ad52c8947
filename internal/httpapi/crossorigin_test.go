package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/fault"
)

func TestOrigins(t *testing.T) {
	got, err := CheckOrigins([]string{"https://App.example:443", " http://localhost:5173", "https://app.example", "http://[::1]:80"})
	if diff := cmp.Diff([]string{"http://[::1]", "http://localhost:5173", "https://app.example"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{
		"", "*", "null", "https://*", "https://*.app.example", "app.example", "https://app.example/", "https://app.example/x", "https://app.example?", "https://app.example#",
		"https://user@app.example", "ftp://app.example", "file://", "https://", "https://a.example,https://b.example", "https://a b", "chrome-extension://x", "\x00",
	} {
		if got, err := CheckOrigins([]string{bad}); !fault.HasCode(err, "invalid_origin") {
			t.Errorf("%q is taken for %v (%v)", bad, got, err)
		}
	}
	if _, err := CheckOrigins(slices.Repeat([]string{"https://app.example"}, MaxOrigins+1)); !fault.HasCode(err, "invalid_origin") {
		t.Errorf("too many: %v", err)
	}
}

func preflight(a *api, origin string) answer {
	return a.do("OPTIONS", "/v1/accounts", "", "Authorization", "-", "Origin", origin, "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "authorization,content-type,idempotency-key")
}

// corsHeaders are the names of an answer's headers about other origins.
func corsHeaders(a answer) (names []string) {
	for name := range a.header {
		if strings.HasPrefix(name, "Access-Control-") {
			names = append(names, name)
		}
	}
	return names
}

func TestOtherOriginsMayNotCall(t *testing.T) {
	closed := failing(t, nil)
	open := serve(t, Deps{}, Config{Origins: []string{"https://app.example"}})
	for _, origin := range []string{"https://app.example.evil.example", "https://evil.example", "http://app.example", "https://app.example:8443", "https://APP.example", "null", "*", "https://app.example, https://evil.example"} {
		for name, a := range map[string]*api{"closed": closed, "open": open} {
			for _, got := range []answer{preflight(a, origin), a.do("GET", "/healthz", "", "Origin", origin), a.do("GET", "/v1/accounts", "", "Authorization", "-", "Origin", origin)} {
				if names := corsHeaders(got); len(names) > 0 {
					t.Errorf("%s, from %s: %v", name, origin, names)
				}
			}
		}
	}
	preflight(closed, "https://app.example").refused(405, "method_not_allowed", "")
}

func TestNamedOriginsMayCall(t *testing.T) {
	a := serve(t, Deps{}, Config{Origins: []string{"https://app.example", "https://admin.example"}})
	got := preflight(a, "https://app.example").ok(204)
	want := map[string]string{
		"Access-Control-Allow-Origin": "https://app.example", "Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": "600",
		"Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
	}
	for name, value := range want {
		if got.header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), value)
		}
	}
	if got.header.Get("Access-Control-Allow-Credentials") != "" || !slices.Contains(got.header.Values("Vary"), "Origin") {
		t.Errorf("preflight: %v", got.header)
	}
	got = a.do("GET", "/v1/accounts", "", "Authorization", "-", "Origin", "https://admin.example").refused(401, "unauthenticated", "")
	exposed := got.header.Get("Access-Control-Expose-Headers")
	for _, name := range []string{"ETag", "Consistency-Token", "RateLimit-Remaining", "Retry-After", "X-Request-Id", "Impersonated-By"} {
		if !strings.Contains(strings.ToLower(exposed), strings.ToLower(name)) {
			t.Errorf("%s is not exposed: %s", name, exposed)
		}
	}
	if got.header.Get("Access-Control-Allow-Origin") != "https://admin.example" || got.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("answer: %v", got.header)
	}
	a.do("OPTIONS", "/v1/accounts", "", "Origin", "https://app.example").refused(405, "method_not_allowed", "") // no preflight
	if got := a.do("OPTIONS", "/v1/accounts", "", "Origin", "https://app.example", "Access-Control-Request-Method", "CONNECT"); len(corsHeaders(got)) > 0 {
		t.Errorf("a method that the API does not have: %v", got.header)
	}
}

// TestHeadersOfEveryAnswer: also of refusals, and of what is not there.
func TestHeadersOfEveryAnswer(t *testing.T) {
	a := failing(t, nil)
	for _, got := range []answer{
		a.do("GET", "/healthz", ""), a.do("GET", "/openapi.json", ""), a.do("GET", "/nothing", ""), a.do("DELETE", "/v1/accounts", ""),
		a.do("GET", "/v1/accounts", "", "Authorization", "-"), a.do("GET", "/v1/accounts", ""),
	} {
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Server": "", "Strict-Transport-Security": "", "Location": "",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%d: %s is %q, want %q", got.status, name, got.header.Get(name), want)
			}
		}
	}
	h := http.Header{}
	if harden(h, true); h.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("with TLS: %v", h)
	}
}
