package lint

import (
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const naming = "naming"

// names finds names that are taken for others. SpiceDB itself refuses capitals and most signs.
func (r *run) names() {
	for _, d := range r.Definitions {
		if unclear(d.Name) {
			r.aboutDefinition(d, naming, "the name %s has two underscores in a row, which are easily read as one; separate words with one underscore", d.Name)
		}
		like := map[string]*zed.Relation{}
		for _, rel := range d.Relations {
			joined := strings.ReplaceAll(rel.Name, "_", "")
			switch first := like[joined]; {
			case unclear(rel.Name):
				r.about(rel, rel.At, naming, "the name %s has two underscores in a row, which are easily read as one; separate words with one underscore", rel.Name)
			case first != nil:
				r.about(rel, rel.At, naming, "%s differs from the %s %s of the same definition only in underscores, so one is easily written for the other; rename one of them", rel.Name, first.Kind(), first.Name)
			case rel.IsPermission() && r.Definition(rel.Name) != nil:
				r.about(rel, rel.At, naming,
					"the permission %s has the name of a definition, so that %s reads as if it were an object and not something that may be done; name it after what it allows, as in view_%s", rel.Name, rel, rel.Name)
			}
			if like[joined] == nil {
				like[joined] = rel
			}
		}
	}
	for _, c := range r.Caveats {
		if unclear(c.Name) {
			r.found = append(r.found, found{by: c, Finding: c.At.Finding("warning", naming, "the name %s has two underscores in a row, which are easily read as one; separate words with one underscore", c.Name)})
		}
	}
}

func unclear(name string) bool { return strings.Contains(name, "__") }
