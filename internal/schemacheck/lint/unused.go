package lint

import (
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const (
	unusedDefinition = "unused-definition"
	unusedCaveat     = "unused-caveat"
	unusedRelation   = "unused-relation"
)

// unusedDefinitions finds definitions that are neither asked about nor anyone
// who may have something: without relations, and taken by none; or, if the roots
// are known, not led to from them.
func (r *run) unusedDefinitions() {
	taken := set{}
	r.relations(func(rel *zed.Relation) {
		for _, t := range rel.Types {
			taken[t.Definition] = true
		}
	})
	led := r.ledTo()
	for _, d := range r.Definitions {
		switch {
		case r.ofManaged(d):
		case len(d.Relations) == 0 && !taken[d.Name]:
			r.aboutDefinition(d, unusedDefinition,
				"nothing uses %s: it has no relations, and no relation takes it, so no check can be about it; add the relation that takes it, or remove the definition", d.Name)
		case led != nil && !led[d.Name]:
			r.aboutDefinition(d, unusedDefinition,
				"nothing leads to %s: no relation of the definitions that are asked about (%s), nor of what they lead to, takes it, so it decides none of their permissions; remove it, or name it among the roots",
				d.Name, list(r.options.Roots))
		}
	}
}

func (r *run) ofManaged(d *zed.Definition) bool {
	return r.options.Managed != nil && r.options.Managed.Definition(d.Name) != nil
}

// ledTo returns the roots and all definitions that they lead to; nil if there are no roots.
func (r *run) ledTo() set {
	if len(r.options.Roots) == 0 {
		return nil
	}
	led, next := set{}, slices.Clone(r.options.Roots)
	for len(next) > 0 {
		d := r.Definition(next[0])
		next = next[1:]
		if d == nil || led[d.Name] {
			continue
		}
		led[d.Name] = true
		for _, rel := range d.Relations {
			for _, t := range rel.Types {
				next = append(next, t.Definition)
			}
		}
	}
	return led
}

func (r *run) unusedCaveats() {
	taken := set{}
	r.relations(func(rel *zed.Relation) {
		for _, t := range rel.Types {
			taken[t.Caveat] = true
		}
	})
	for _, c := range r.Caveats {
		if !taken[c.Name] {
			r.found = append(r.found, found{by: c, Finding: c.At.Finding("warning", unusedCaveat,
				"no relation takes the caveat %s, so no relationship can be written with it and it restricts nothing; add `with %s` to a type of a relation, or remove it", c.Name, c.Name)})
		}
	}
}

// unusedRelations finds relations that are asked neither by a permission nor as
// a set of subjects. Where a definition has no permissions, its relations are
// what is asked.
func (r *run) unusedRelations() {
	used := map[*zed.Relation]bool{}
	r.relations(func(rel *zed.Relation) {
		rel.Expr.Walk(func(e *zed.Expr) bool {
			used[rel.Definition.Relation(e.Relation)] = true
			return true
		})
	})
	for i := range r.graph.nodes {
		for _, e := range r.graph.out[i] {
			used[r.graph.nodes[e.to]] = true
		}
	}
	for _, d := range r.Definitions {
		if !slices.ContainsFunc(d.Relations, (*zed.Relation).IsPermission) {
			continue
		}
		for _, rel := range d.Relations {
			if !rel.IsPermission() && !used[rel] {
				r.about(rel, rel.At, unusedRelation,
					"no permission uses the relation %s: relationships written for it grant nothing unless a program checks %s by itself; use it in a permission, or remove it", rel.Name, rel)
			}
		}
	}
}
