package lint

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/authzed/spicedb/pkg/development"
	developerv1 "github.com/authzed/spicedb/pkg/proto/developer/v1"
	"github.com/authzed/spicedb/pkg/schema"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const (
	nameReferencesParent = "relation-name-references-parent"
	referencesItself     = "permission-references-itself"
	arrowToNothing       = "arrow-references-unreachable-relation"
	arrowToRelation      = "arrow-references-relation"
	arrowOverSubjects    = "arrow-walks-subject-relation"
)

// spiceDB returns the lints that SpiceDB has itself. It takes care of the
// comments for them in its own form, `// spicedb-ignore-warning: name`.
func spiceDB() []Lint {
	return []Lint{
		{Name: nameReferencesParent, Summary: "A name that repeats that of its definition."},
		{Name: referencesItself, Summary: "A permission that is made of itself."},
		{Name: arrowToNothing, Summary: "An arrow to what no object at its end has."},
		{Name: arrowToRelation, Summary: "An arrow to a relation, not a permission, of another definition."},
		{Name: arrowOverSubjects, Summary: "An arrow over sets of subjects, which it does not look into."},
	}
}

// spiceDB adds SpiceDB's own warnings.
func (r *run) spiceDB() {
	system := schema.NewTypeSystem(schema.ResolverForCompiledSchema(r.Compiled))
	for i, d := range r.Compiled.ObjectDefinitions {
		warnings, err := development.AddDefinitionWarnings(context.Background(), d, system)
		if err != nil {
			continue // the schema was compiled and its types fit, so there is nothing to say of it
		}
		for _, w := range warnings {
			r.warning(r.Definitions[i], w)
		}
	}
}

var (
	ending = regexp.MustCompile(`^(.*) \(([a-z0-9-]+)\)$`)
	quoted = regexp.MustCompile(`(?:^Relation|^Permission|under permission) "([^"]+)"`)
)

// warning adds a warning of SpiceDB's about a definition at the place in its file.
func (r *run) warning(d *zed.Definition, w *developerv1.DeveloperWarning) {
	text, name := w.GetMessage(), "spicedb-warning"
	if m := ending.FindStringSubmatch(text); m != nil {
		text, name = m[1], m[2]
	}
	if !r.enabled(name) {
		return
	}
	m := quoted.FindStringSubmatch(text)
	if m == nil || d.Relation(m[1]) == nil {
		r.aboutDefinition(d, name, "%s", text)
		return
	}
	rel := d.Relation(m[1])
	at := zed.Location{Source: rel.At.Source, Place: finding.At(int(w.GetLine()), int(w.GetColumn()))}
	if at.Source == r.Text.Source {
		at.Place = r.Text.Placed(at.Place)
	}
	branch := branchAt(rel, at.Place)
	if plain := plainWarning(r.Schema, name, rel, branch); plain != "" {
		text = plain
	}
	r.about(rel, at, name, "%s", text)
}

// branchAt returns the smallest part of an expression that begins at a place, nil if none does.
func branchAt(rel *zed.Relation, at finding.Place) *zed.Expr {
	var last *zed.Expr
	rel.Expr.Walk(func(e *zed.Expr) bool {
		if e.At.Place == at {
			last = e
		}
		return true
	})
	return last
}

// plainWarning says what a warning of SpiceDB's means, why it matters and what to
// do; "" if it is not known here.
func plainWarning(s *zed.Schema, name string, rel *zed.Relation, branch *zed.Expr) string {
	arrow := branch != nil && (branch.Op == zed.Arrow || branch.Op == zed.All)
	switch {
	case name == nameReferencesParent:
		short := strings.TrimRight(strings.TrimSuffix(rel.Name, rel.Definition.Name), "_")
		if len(short) < 3 { // no name in SpiceDB
			return fmt.Sprintf("the name of the %s %s repeats that of its definition, which %s says anyway; find a name that says how the subject stands to the object", rel.Kind(), rel.Name, rel)
		}
		return fmt.Sprintf("the name of the %s %s repeats that of its definition, which %s says anyway; shorten it, to %s for example", rel.Kind(), rel.Name, rel, short)
	case name == referencesItself:
		return fmt.Sprintf("the permission %s is made of itself, on the same object, so a check of it goes round until it fails with an error; take it out of its own expression, or ask another object with an arrow", rel.Name)
	case name == arrowToNothing && arrow:
		return fmt.Sprintf("`%s` finds nobody: no object that the relation %s takes has a relation or permission %s; mind the spelling, or add it there", branch, branch.Relation, branch.Target)
	case name == arrowToRelation && arrow:
		return fmt.Sprintf("`%s` asks for a relation of another definition (%s), so that who may do what there cannot be changed without changing this; make a permission there, and name that here",
			branch, list(definitionsWith(s, rel, branch)))
	case name == arrowOverSubjects && arrow:
		return fmt.Sprintf("`%s` goes over the relation %s, which takes sets of subjects (%s), and the arrow asks the object before the # only: whether one is in the set does not count; ask over a relation of plain objects",
			branch, branch.Relation, list(subjectSets(rel.Definition.Relation(branch.Relation))))
	default:
		return ""
	}
}

// definitionsWith returns the relations of other definitions at the end of an arrow.
func definitionsWith(s *zed.Schema, rel *zed.Relation, arrow *zed.Expr) []string {
	var names []string
	for _, t := range followed(rel.Definition.Relation(arrow.Relation)) {
		if target := s.Relation(t.Definition, arrow.Target); target != nil && !target.IsPermission() && target.Definition != rel.Definition {
			names = append(names, target.String())
		}
	}
	return names
}

func subjectSets(rel *zed.Relation) []string {
	var names []string
	for _, t := range rel.Types {
		if name := t.Definition + "#" + t.Relation; t.Relation != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
