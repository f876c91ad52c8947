package account

import (
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/fault"
)

// TokenScope is a part of the API that a client's token may be used for. It narrows
// what the client's portal roles allow, and adds nothing to it.
type TokenScope string

// The scopes.
const (
	ScopeCheck TokenScope = "check" // ask for permissions, explanations and accounts that users may open
	ScopeRead  TokenScope = "read"  // read accounts, users, roles and the rest of the directory
	ScopeWrite TokenScope = "write" // change these
	ScopeAdmin TokenScope = "admin" // the environment's settings, clients, operators, providers, keys, impersonation and log
)

// AllScopes returns every scope.
func AllScopes() []TokenScope { return []TokenScope{ScopeAdmin, ScopeCheck, ScopeRead, ScopeWrite} }

// Scopes is a set of scopes, sorted and separated by spaces, as OAuth 2.0 writes
// them (RFC 6749, 3.3). "" is the set that has not been narrowed: every scope.
type Scopes string

// ParseScopes returns the set of the scopes named; of none, every scope. An
// Invalid fault (unknown_scope) naming the field.
func ParseScopes[T ~string](field string, names []T) (Scopes, error) {
	all := AllScopes()
	var out []string
	for _, name := range names {
		if !slices.Contains(all, TokenScope(name)) {
			return "", fault.New(fault.Invalid, "unknown_scope", "%s is no scope; they are %s", Quote(string(name)), join(all)).In(field)
		}
		out = append(out, string(name))
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) == len(all) {
		return "", nil
	}
	return Scopes(strings.Join(out, " ")), nil
}

// NamedScopes is ParseScopes for a caller who means to name some: that none are
// named is an Invalid fault (missing_scope), rather than every scope.
func NamedScopes[T ~string](field string, names []T) (Scopes, error) {
	if len(names) == 0 {
		return "", fault.New(fault.Invalid, "missing_scope", "%s names no scope; name some of %s, or leave it out", field, join(AllScopes())).In(field)
	}
	return ParseScopes(field, names)
}

// List returns the scopes of the set, sorted.
func (s Scopes) List() []TokenScope {
	if s == "" {
		return AllScopes()
	}
	var out []TokenScope
	for name := range strings.FieldsSeq(string(s)) {
		out = append(out, TokenScope(name))
	}
	return out
}

// Has reports whether a scope is in the set.
func (s Scopes) Has(scope TokenScope) bool { return slices.Contains(s.List(), scope) }

// Within reports whether every scope of the set is in another.
func (s Scopes) Within(other Scopes) bool {
	return !slices.ContainsFunc(s.List(), func(scope TokenScope) bool { return !other.Has(scope) })
}
