package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// securityScheme is the name in the document of the one way to say who is calling.
const securityScheme = "client"

// administrative are the paths at which, and below which, an environment is administered.
var administrative = []string{"/v1/environment", "/v1/journal", "/v1/impersonations", "/v1/users/{user}/impersonate", "/v1/users/{user}/identities"}

// questions are the operations that ask what a subject may do or open, besides those about oneself.
var questions = []string{
	"POST /v1/check", "POST /v1/check/bulk", "POST /v1/explain",
	"GET /v1/accounts/{account}/features", "GET /v1/users/{user}/accounts",
}

// scopeFor is the scope that a token needs for an operation. What nothing is said of
// is a part of the directory, to be read or written.
func scopeFor(method, path string) account.TokenScope {
	within := func(top string) bool { return path == top || strings.HasPrefix(path, top+"/") }
	switch {
	case slices.ContainsFunc(administrative, within):
		return account.ScopeAdmin
	case within("/v1/me"), slices.Contains(questions, method+" "+path):
		return account.ScopeCheck
	case method == http.MethodGet, path == "/v1/schema/orphans": // which counts, and changes nothing
		return account.ScopeRead
	default:
		return account.ScopeWrite
	}
}

// needScope makes an operation one for tokens with a scope, and says so in its description.
func needScope(op *huma.Operation) {
	scope := scopeFor(op.Method, op.Path)
	op.Security = []map[string][]string{{securityScheme: {string(scope)}}}
	op.Description = strings.TrimSpace(op.Description + " Scope: " + string(scope) + ".")
}

// scopeOf is the scope that an operation needs, as the document says it; "", which no token has, if it does not.
func scopeOf(op *huma.Operation) account.TokenScope {
	for _, way := range op.Security {
		for _, scope := range way[securityScheme] {
			return account.TokenScope(scope)
		}
	}
	return ""
}

// checkScope refuses a credential that may not be used for what needs the scope: a
// Denied fault (scope_missing).
func checkScope(has account.Scopes, scope account.TokenScope) error {
	if has.Has(scope) {
		return nil
	}
	return fault.New(fault.Denied, "scope_missing", "the token may not be used for this: it lacks the scope %s", scope)
}

// admitScope is checkScope for a request that is answered with a challenge (RFC 6750, 3.1).
func admitScope(w http.ResponseWriter, has account.Scopes, scope account.TokenScope) error {
	err := checkScope(has, scope)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tenantry", error="insufficient_scope", scope="`+string(scope)+`"`)
	}
	return err
}
