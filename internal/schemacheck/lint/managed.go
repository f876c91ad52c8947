package lint

import (
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const managedDefinition = "managed-definition"

// managed compares the definitions that Tenantry writes to with what it takes
// them to be. More relations and permissions may be added to them.
func (r *run) managed() {
	if r.options.Managed == nil {
		return
	}
	for _, want := range r.options.Managed.Definitions {
		have := r.Definition(want.Name)
		if have == nil {
			r.found = append(r.found, found{Finding: r.Text.Finding(r.Text.Placed(finding.At(1, 1)), finding.Error, managedDefinition,
				"the definition %s is missing: Tenantry writes relationships of it; build the schema with `tenantry schema build` and add to what it makes", want.Name)})
			continue
		}
		for _, rel := range want.Relations {
			at, changed := have.At, "lacks the "+rel.Kind()+" "+rel.Name
			if now := have.Relation(rel.Name); now != nil {
				at, changed = now.At, difference(now, rel)
			}
			if changed != "" {
				r.found = append(r.found, found{in: have, Finding: at.Finding(finding.Error, managedDefinition,
					"%s %s: Tenantry relies on it as it was built, and would decide wrongly; take the definition from `tenantry schema build` as it is, and put what you want of your own in other relations and permissions",
					want.Name, changed)})
			}
		}
	}
}

// difference says how a relation or permission differs from another; "" if it does not.
func difference(have, want *zed.Relation) string {
	switch {
	case have.Kind() != want.Kind():
		return fmt.Sprintf("has a %s %s where a %s should be", have.Kind(), have.Name, want.Kind())
	case !have.IsPermission() && !slices.Equal(written(have), written(want)):
		return fmt.Sprintf("has a relation %s of other types than %s", have.Name, list(written(want)))
	case have.IsPermission() && !equal(have.Expr, want.Expr):
		return fmt.Sprintf("has a permission %s that is not `%s`", have.Name, want.Expr)
	default:
		return ""
	}
}

func written(rel *zed.Relation) []string {
	var all []string
	for _, t := range rel.Types {
		all = append(all, t.String())
	}
	slices.Sort(all)
	return all
}
