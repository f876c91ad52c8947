package mutate

import (
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// typeFaults adds the faults that the types of a relation may have.
func (g *generation) typeFaults(r *zed.Relation) {
	for i, t := range r.Types {
		rest := slices.Delete(slices.Clone(r.Types), i, i+1)
		if len(rest) > 0 {
			g.types(TypeDropped, r, t.At, t.String(), "", rest)
		}
		for _, bare := range bared(t) {
			if !contains(r.Types, bare) {
				g.types(TypeReplaced, r, t.At, t.String(), bare.String(), slices.Insert(slices.Clone(rest), i, bare))
			}
		}
	}
	for _, t := range g.additions(r) {
		more := append(slices.Clone(r.Types), t)
		g.types(TypeAdded, r, r.At, joined(r.Types), joined(more), more)
	}
}

// bared returns a type without each of its conditions.
func bared(t zed.Type) []zed.Type {
	var all []zed.Type
	if t.Caveat != "" {
		bare := t
		bare.Caveat = ""
		all = append(all, bare)
	}
	if t.Expiration {
		bare := t
		bare.Expiration = false
		all = append(all, bare)
	}
	return all
}

// additions returns types that a relation does not take: the wildcard of each
// definition that it takes objects of, what its types are without their
// conditions, and the objects of the next definition that it does not name.
func (g *generation) additions(r *zed.Relation) []zed.Type {
	var all []zed.Type
	add := func(t zed.Type) {
		if !contains(r.Types, t) && !contains(all, t) {
			all = append(all, t)
		}
	}
	last := 0
	for _, t := range r.Types {
		if t.Relation == "" {
			add(zed.Type{Definition: t.Definition, Wildcard: true})
		}
		for _, bare := range bared(t) {
			add(bare)
		}
		last = max(last, slices.Index(g.schema.Definitions, g.schema.Definition(t.Definition)))
	}
	named := func(d *zed.Definition) bool {
		return slices.ContainsFunc(r.Types, func(t zed.Type) bool { return t.Definition == d.Name })
	}
	for i := range g.schema.Definitions {
		d := g.schema.Definitions[(last+1+i)%len(g.schema.Definitions)]
		if !named(d) {
			add(zed.Type{Definition: d.Name})
			break
		}
	}
	return all
}

// contains reports whether a type is among some, wherever it is written.
func contains(kinds []zed.Type, t zed.Type) bool {
	return slices.ContainsFunc(kinds, func(k zed.Type) bool { return k.String() == t.String() })
}

// dropRelation adds the schema without a relation: nil is in the place of all
// that names it, and no relation takes sets of its subjects.
func (g *generation) dropRelation(gone *zed.Relation) {
	e := edit{exprs: map[*zed.Relation]*zed.Expr{}, types: map[*zed.Relation][]zed.Type{gone: nil}}
	changed := []*zed.Relation{gone}
	lost := func(r *zed.Relation) bool { kinds, edited := e.types[r]; return edited && len(kinds) == 0 }
	for again := true; again; { // a relation that took nothing but sets of its subjects goes as well
		again = false
		for _, d := range g.schema.Definitions {
			for _, r := range d.Relations {
				if r.IsPermission() || lost(r) {
					continue
				}
				rest := slices.DeleteFunc(slices.Clone(r.Types), func(t zed.Type) bool {
					of := g.schema.Relation(t.Definition, t.Relation)
					return of != nil && lost(of)
				})
				if was, edited := e.types[r]; len(rest) < len(r.Types) && (!edited || len(was) != len(rest)) {
					e.types[r], again = rest, true
					changed = append(changed, r)
				}
			}
		}
	}
	for _, d := range g.schema.Definitions {
		for _, r := range d.Relations {
			if now, differs := g.withoutLost(r, lost); differs {
				e.exprs[r] = now
				changed = append(changed, r)
			}
		}
	}
	g.add(&Mutant{Kind: RelationDropped, Relation: gone.String(), At: gone.At, Before: "relation " + gone.Name + ": " + joined(gone.Types)}, e, changed)
}

// withoutLost returns the expression of a permission with nil for all that names a relation that is lost.
func (g *generation) withoutLost(r *zed.Relation, lost func(*zed.Relation) bool) (now *zed.Expr, differs bool) {
	if !r.IsPermission() {
		return nil, false
	}
	now = r.Expr
	r.Expr.Walk(func(e *zed.Expr) bool {
		gone := false
		switch e.Op { //nolint:exhaustive // the others name nothing
		case zed.Reference:
			gone = lost(r.Definition.Relation(e.Relation))
		case zed.Arrow, zed.All:
			over := r.Definition.Relation(e.Relation)
			gone = lost(over) || !slices.ContainsFunc(over.Types, func(t zed.Type) bool {
				target := g.schema.Relation(t.Definition, e.Target)
				return target != nil && !lost(target)
			})
		}
		if gone {
			now, differs = replaced(now, e, &zed.Expr{Op: zed.Nil}), true
		}
		return true
	})
	return now, differs
}
