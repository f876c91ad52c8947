// Package lint warns of what a SpiceDB schema allows and hardly anyone means: parts without use, permissions that nobody can have, shapes that make checks and lookups slow.
//
// A lint reads the compiled schema alone: no relationships, no server. Each has a
// section in docs/lints.md. A comment `// lint:ignore name: reason` above a
// definition, relation, permission or caveat silences a lint there.
package lint

import (
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// DefaultMaxDepth is how many steps SpiceDB takes from a check to what decides it, unless it is told otherwise.
const DefaultMaxDepth = 50

// Options say what [Run] looks for. The zero Options are all lints that need nothing else.
type Options struct {
	Disable  []string    // names of lints to leave out; names that there are not change nothing
	Roots    []string    // names of the definitions that an application asks about; with them, unused-definition finds all that they do not lead to
	MaxDepth int         // steps that the server takes (its dispatch limit); 0 is DefaultMaxDepth
	Managed  *zed.Schema // the definitions that s must hold unchanged; nil if there are none
}

// Lint is one thing that is looked for.
type Lint struct {
	Name     string           // as in findings and comments
	Summary  string           // one sentence
	Severity finding.Severity // of its findings
	Anchor   string           // of its section in docs/lints.md

	fixed bool // a comment does not silence it
	check func(*run)
}

// run is one schema being looked at, and what was found.
type run struct {
	*zed.Schema
	options  Options
	graph    *graph
	contains *containment
	holders  *holders
	found    []found
}

// found is a finding, with what it is about.
type found struct {
	finding.Finding
	in *zed.Definition
	of *zed.Relation // nil if it is about the definition
	by *zed.Caveat   // of a caveat; in is nil then
}

// All returns every lint, by name.
func All() []Lint {
	all := append(own(), spiceDB()...)
	for i := range all {
		all[i].Anchor = all[i].Name
		if all[i].Severity == "" {
			all[i].Severity = finding.Warning
		}
	}
	slices.SortFunc(all, func(a, b Lint) int { return compareNames(a.Name, b.Name) })
	return all
}

func own() []Lint {
	return []Lint{
		{Name: unusedDefinition, Summary: "A definition that nothing leads to.", check: (*run).unusedDefinitions},
		{Name: unusedCaveat, Summary: "A caveat that no relation takes.", check: (*run).unusedCaveats},
		{Name: unusedRelation, Summary: "A relation that decides nothing.", check: (*run).unusedRelations},
		{Name: neverHolds, Summary: "A relation, permission or branch that nobody can have.", check: (*run).neverHolding},
		{Name: recursionDepth, Summary: "A recursion whose depth is up to the data.", check: (*run).recursion},
		{Name: pathExplosion, Summary: "A recursion that goes the same way more than once per level.", check: (*run).explosions},
		{Name: wildcardInExclusion, Summary: "A wildcard that is taken away.", check: (*run).wildcards},
		{Name: redundantUnion, Summary: "A branch of a union that adds nothing.", check: (*run).redundant},
		{Name: intersectionOnLookupPath, Summary: "An intersection or exclusion in a recursion.", check: (*run).lookupPaths},
		{Name: naming, Summary: "A name that misleads.", check: (*run).names},
		{Name: managedDefinition, Summary: "A definition of Tenantry's own that was changed.", Severity: finding.Error, fixed: true, check: (*run).managed},
		{Name: badSuppression, Summary: "A comment that silences nothing as it is written.", fixed: true},
		{Name: unusedSuppression, Summary: "A comment that silences what is not there.", fixed: true},
	}
}

// Run returns what the lints find in a schema, by place, without what comments
// in it silence. The code of a finding is the name of its lint.
func Run(s *zed.Schema, options Options) []finding.Finding {
	if options.MaxDepth <= 0 {
		options.MaxDepth = DefaultMaxDepth
	}
	contains := newContainment(s)
	r := &run{Schema: s, options: options, graph: newGraph(s), contains: contains, holders: newHolders(s, contains, false)}
	for _, l := range All() {
		if l.check != nil && r.enabled(l.Name) {
			l.check(r)
		}
	}
	if slices.ContainsFunc(spiceDB(), func(l Lint) bool { return r.enabled(l.Name) }) {
		r.spiceDB()
	}
	findings := r.suppress()
	finding.Sort(findings)
	return slices.Compact(findings) // a partial has what it has in each definition that takes it
}

func (r *run) enabled(name string) bool { return !slices.Contains(r.options.Disable, name) }

// about adds a finding about a relation or permission, at a place in it.
func (r *run) about(of *zed.Relation, at zed.Location, code, text string, args ...any) {
	if at.Line == 0 {
		at = of.At
	}
	r.found = append(r.found, found{Finding: at.Finding(finding.Warning, code, text, args...), in: of.Definition, of: of})
}

// aboutDefinition adds a finding about a definition.
func (r *run) aboutDefinition(d *zed.Definition, code, text string, args ...any) {
	r.found = append(r.found, found{Finding: d.At.Finding(finding.Warning, code, text, args...), in: d})
}

// relations calls visit for every relation and permission.
func (r *run) relations(visit func(*zed.Relation)) {
	for _, d := range r.Definitions {
		for _, rel := range d.Relations {
			visit(rel)
		}
	}
}
