package scenario

import (
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// thing is a kind of named thing.
type thing string

const (
	anAccount  thing = "account"
	aRole      thing = "role"
	aUser      thing = "user"
	anOperator thing = "operator"
	anAPIToken thing = "API token"
	aFeature   thing = "feature"
	aPlan      thing = "plan"
)

// subjects are the things that may do something. A sentence says only their
// name, so none of them has the name of another.
func subjects() []thing { return []thing{aUser, anOperator, anAPIToken} }

// names knows what there is in a scenario, and where it is said.
type names map[thing]map[string]finding.Place

func (n names) has(kind thing, name string) bool {
	_, ok := n[kind][name]
	return ok
}

// kindOf returns which of the kinds a name is of; "" if of none.
func (n names) kindOf(name string, kinds ...thing) thing {
	for _, k := range kinds {
		if n.has(k, name) {
			return k
		}
	}
	return ""
}

// all returns the names of some kinds, sorted.
func (n names) all(kinds ...thing) []string {
	var list []string
	for _, k := range kinds {
		for name := range n[k] {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// add notes a name; false, and a finding, if it cannot be one.
func (n names) add(s *state, kind thing, w word) bool {
	rivals := []thing{kind}
	if slices.Contains(subjects(), kind) {
		rivals = subjects()
	}
	if taken := n.kindOf(w.text, rivals...); taken != "" {
		s.faultAt(w.at, CodeDuplicateName, "%s is %s already, at line %d", w.text, taken.one(), n[taken][w.text].Line)
		return false
	}
	if err := account.CheckID(string(kind), account.ID(w.text)); err != nil {
		s.faultAt(w.at, CodeInvalidScenario, "the name of %s is 1 to 64 of the characters A-Z a-z 0-9 _ -, not %s", kind.one(), account.Quote(w.text))
		return false
	}
	if n[kind] == nil {
		n[kind] = map[string]finding.Place{}
	}
	n[kind][w.text] = w.at
	return true
}

// check reports whether a name is one of the kinds; if not, that is noted.
func (n names) check(s *state, w word, kinds ...thing) bool {
	if n.kindOf(w.text, kinds...) != "" {
		return true
	}
	s.faultAt(w.at, CodeUnknownName, "there is no %s %s in this scenario%s", anyOf(kinds), account.Quote(w.text), didYouMean(w.text, n.all(kinds...)))
	return false
}

// one returns the kind with its article.
func (k thing) one() string {
	switch k {
	case anAccount, anOperator, anAPIToken:
		return "an " + string(k)
	default:
		return "a " + string(k)
	}
}

// anyOf joins kinds as a sentence has them.
func anyOf(kinds []thing) string {
	what := make([]string, len(kinds))
	for i, k := range kinds {
		what[i] = string(k)
	}
	last := len(what) - 1
	if last == 0 {
		return what[0]
	}
	return strings.Join(what[:last], ", ") + " or " + what[last]
}
