package httpapi

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/cors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// MaxOrigins is the most origins that may call from web pages.
const MaxOrigins = 100

// CheckOrigins returns origins of web pages as browsers send them. Each is an exact one,
// like https://app.example or http://localhost:5173: no pattern, and not null, which is
// what any page in a sandbox sends. Invalid faults (invalid_origin).
func CheckOrigins(texts []string) ([]string, error) {
	if len(texts) > MaxOrigins {
		return nil, fault.New(fault.Invalid, "invalid_origin", "there are at most %d origins, not %d", MaxOrigins, len(texts))
	}
	var out []string
	for _, text := range texts {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.ContainsAny(u.Host, "*, ") ||
			u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(text, "?#") {
			return nil, fault.New(fault.Invalid, "invalid_origin", "%s is not the origin of a web page; write it like https://app.example", account.Quote(text))
		}
		host := strings.ToLower(u.Host)
		host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
		out = append(out, u.Scheme+"://"+host)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// crossOrigin lets web pages of the origins read answers; without any it lets none.
// No cookies: a page sends a token that it has, or none.
func crossOrigin(origins []string) []func(http.Handler) http.Handler {
	if len(origins) == 0 {
		return nil
	}
	return []func(http.Handler) http.Handler{cors.Handler(cors.Options{
		AllowOriginFunc: func(_ *http.Request, origin string) bool { return slices.Contains(origins, origin) },
		AllowedMethods:  []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{
			"Accept", "Act-For-User", "Authorization", "Consistency-Token", "Content-Type", "Idempotency-Key", "If-Match", "Last-Event-ID",
			"Tenantry-Environment", "X-Request-Id",
		},
		ExposedHeaders: []string{
			"Consistency-Token", "ETag", "Impersonated-By", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After",
			"WWW-Authenticate", "X-Request-Id",
		},
		MaxAge:             600,
		OptionsPassthrough: true, // to the limits, and then to endPreflight
	})}
}

// isForeignForm reports whether a page of another origin than this server's has a browser guess at a client's secret, and it is
// none of those that may call. A form is all that such a page can send: a header Authorization would make the browser ask first.
// Browsers say so by themselves (Sec-Fetch-Site), older ones by the origin alone.
func (s *server) isForeignForm(r *http.Request) bool {
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	switch {
	case !showsItsSecretLater(r), origin != "" && slices.Contains(s.cfg.Origins, origin):
		return false
	case site == "":
		return origin != "" && !isOriginOf(r.Host, origin)
	default:
		return site != "same-origin" && site != "none"
	}
}

// isOriginOf reports whether an origin is one of the host that a request names.
func isOriginOf(host, origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// foreignOrigin is the fault of a form that a page of another origin sends. It is
// refused unread, so that no page can make its readers' addresses count for those of who guesses.
func foreignOrigin() *fault.Error {
	return fault.New(fault.Denied, "origin_not_allowed", "a web page of another origin sends this, and it is none of those that may call")
}

// endPreflight answers what browsers ask before a request from another origin. What
// they may do is in the headers already. Where no origin may call there are no such questions.
func (s *server) endPreflight(next http.Handler) http.Handler {
	if len(s.cfg.Origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hardened is what harden sets. Answers share the values, so nobody may write into them; to replace one is another thing.
var hardened = map[string][]string{
	"X-Content-Type-Options":       {"nosniff"},
	"Cache-Control":                {"no-store"},
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
	"Referrer-Policy":              {"no-referrer"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
}

// harden sets what every answer tells browsers: this is data, for nobody else to keep, show or run.
func harden(h http.Header, encrypted bool) {
	maps.Copy(h, hardened)
	if encrypted {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
