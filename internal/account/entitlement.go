package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/fault"
)

// Feature is something of the vendor's product that plans hold and that is
// switched on or off for accounts.
type Feature struct {
	Key         FeatureKey    `json:"key"`
	Name        string        `json:"name,omitempty"`
	Description string        `json:"description,omitempty"`
	Permission  PermissionKey `json:"permission,omitempty"` // what its users need in the account besides; "" is being able to open it
}

// Plan is a named set of features. An account has the plan given to it, or that
// of its nearest ancestor that was given one.
type Plan struct {
	Key         PlanKey      `json:"key"`
	Name        string       `json:"name,omitempty"`
	Description string       `json:"description,omitempty"`
	Features    []FeatureKey `json:"features"` // sorted, without repeats
}

// FeatureSwitch turns a feature on or off at an account, whatever its plan says:
// there alone, or in its whole branch. Of several switches the nearest counts, and
// at one account the one for it alone.
type FeatureSwitch struct {
	Account ID         `json:"account"`
	Feature FeatureKey `json:"feature"`
	Branch  bool       `json:"branch,omitempty"` // for the whole branch; otherwise for the account alone
	On      bool       `json:"on"`
}

// Scope says for which accounts a switch counts.
type Scope string

// The scopes.
const (
	ForAccount Scope = "account" // the account alone
	ForBranch  Scope = "branch"  // the account and all below it
)

// Scope says for which accounts the switch counts.
func (s FeatureSwitch) Scope() Scope {
	if s.Branch {
		return ForBranch
	}
	return ForAccount
}

// CheckScope returns an Invalid fault (code "invalid_scope") unless s is a scope.
func CheckScope(field string, s Scope) error {
	switch s {
	case ForAccount, ForBranch:
		return nil
	default:
		return fault.New(fault.Invalid, "invalid_scope", "%s is account or branch, not %s", field, Quote(string(s))).In(field)
	}
}

const (
	// MaxDescriptionLength is the longest description of anything, in characters.
	MaxDescriptionLength = 1000
	// MaxPlanFeatures is the most features of a plan: changing all of them is one call to the engine.
	MaxPlanFeatures = 450
)

// CleanDescription returns text without surrounding space, which may be empty and
// have several lines, or an Invalid fault (code "invalid_description") naming the field.
func CleanDescription(field, text string) (string, error) {
	text = strings.TrimSpace(text)
	odd := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > MaxDescriptionLength || strings.ContainsFunc(text, odd) {
		return "", fault.New(fault.Invalid, "invalid_description",
			"%s is text of at most %d characters, without control characters but for line ends and tabs", field, MaxDescriptionLength).In(field)
	}
	return text, nil
}
