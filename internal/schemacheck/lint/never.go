package lint

import (
	"maps"
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const neverHolds = "never-holds"

// neverHolding finds what nobody can have. What nobody can have only because of
// something else is named there.
func (r *run) neverHolding() {
	empty := map[int]bool{}
	for i, rel := range r.graph.nodes {
		if len(r.holders.of[rel]) == 0 {
			empty[i] = true
		}
	}
	parts := components(len(r.graph.nodes), func(i int) []edge {
		return slices.DeleteFunc(slices.Clone(r.graph.out[i]), func(e edge) bool { return !empty[i] || !empty[e.to] })
	})
	for _, part := range parts {
		if empty[part[0]] {
			r.never(part, empty)
		}
	}
	r.relations(func(rel *zed.Relation) {
		if rel.IsPermission() && len(r.holders.of[rel]) > 0 {
			r.neverBranches(rel)
		}
	})
}

// never reports nodes that depend on each other and that nobody can have, unless
// somebody could if somebody had what else they depend on.
func (r *run) never(part []int, empty map[int]bool) {
	could := *r.holders
	could.of = maps.Clone(r.holders.of)
	everyone := set{}
	for _, d := range r.Definitions {
		everyone[d.Name] = true
	}
	for i := range empty {
		could.of[r.graph.nodes[i]] = everyone
	}
	var nodes []*zed.Relation
	for _, i := range part {
		nodes = append(nodes, r.graph.nodes[i])
		delete(could.of, r.graph.nodes[i])
	}
	could.settle(nodes)
	nodes = slices.DeleteFunc(nodes, func(rel *zed.Relation) bool { return len(could.of[rel]) > 0 })
	if len(nodes) == 0 {
		return
	}
	rel := nodes[0]
	var also []string
	for _, i := range r.reaching(r.graph.index[rel], empty) {
		also = append(also, r.graph.nodes[i].String())
	}
	consequence := "every check of it is denied"
	if len(also) > 0 {
		consequence += ", and with it every check of " + list(also)
	}
	r.about(rel, rel.At, neverHolds, "nobody can have the %s %s, so %s: %s", rel.Kind(), rel.Name, consequence, r.whyNever(rel))
}

// reaching returns the other empty nodes that ask a node, directly or through others.
func (r *run) reaching(node int, empty map[int]bool) []int {
	seen := map[int]bool{node: true}
	for changed := true; changed; {
		changed = false
		for i := range r.graph.nodes {
			if !empty[i] || seen[i] {
				continue
			}
			if slices.ContainsFunc(r.graph.out[i], func(e edge) bool { return seen[e.to] }) {
				seen[i], changed = true, true
			}
		}
	}
	delete(seen, node)
	return slices.Sorted(maps.Keys(seen))
}

// whyNever says what keeps everybody from having it, and what to do.
func (r *run) whyNever(rel *zed.Relation) string {
	if !rel.IsPermission() {
		return "it takes only sets of subjects that have no members themselves; add a type of object, such as a user, here or there"
	}
	if why := r.whyNeverExpr(rel.Definition, rel.Expr); why != "" {
		return why
	}
	return "it leads only back to itself, and nothing on the way grants it; add to it (with +) a relation that names who has it in the first place"
}

// whyNeverExpr says why nobody can have an expression by what it is; "" if it is what it names.
func (r *run) whyNeverExpr(d *zed.Definition, e *zed.Expr) string {
	switch e.Op {
	case zed.Nil:
		return "`nil` grants nothing to anybody; give it an expression, or say in a comment that nobody shall have it: // lint:ignore never-holds: why"
	case zed.Arrow, zed.All:
		if !slices.ContainsFunc(followed(d.Relation(e.Relation)), func(t zed.Type) bool { return r.Relation(t.Definition, e.Target) != nil }) {
			return "no object that the relation " + e.Relation + " takes has a relation or permission " + e.Target + ", so `" + e.String() + "` finds nobody; name one that there is"
		}
	case zed.Exclusion:
		if len(r.holders.expr(d, e.Children[0])) > 0 && r.contains.expr(d, e.Children[1], e.Children[0]) {
			return "in `" + e.String() + "` the right side takes away all that the left side grants; take away less"
		}
	case zed.Intersection:
		if slices.ContainsFunc(e.Children, func(c *zed.Expr) bool { return len(r.holders.expr(d, c)) == 0 }) {
			break
		}
		return "the sides of `" + e.String() + "` have no kind of subject in common (" + r.kinds(d, e) + "), and `&` needs one that is on every side; let the relations take the same kind, or join them with +"
	default:
	}
	for _, c := range e.Children {
		if why := r.whyNeverExpr(d, c); why != "" && len(r.holders.expr(d, c)) == 0 {
			return why
		}
	}
	return ""
}

// kinds says who may have the sides of an intersection.
func (r *run) kinds(d *zed.Definition, e *zed.Expr) string {
	var sides []string
	for _, c := range e.Children {
		sides = append(sides, c.String()+": "+list(slices.Sorted(maps.Keys(r.holders.expr(d, c)))))
	}
	return list(sides)
}

// neverBranches reports the branches of a permission that add nothing because
// nobody can have them, though each of their sides somebody can.
func (r *run) neverBranches(rel *zed.Relation) {
	rel.Expr.Walk(func(e *zed.Expr) bool {
		if e.Op != zed.Intersection && e.Op != zed.Exclusion || len(r.holders.expr(rel.Definition, e)) > 0 {
			return true
		}
		for _, c := range e.Children {
			if e.Op == zed.Intersection && len(r.holders.expr(rel.Definition, c)) == 0 {
				return true
			}
		}
		if len(r.holders.expr(rel.Definition, e.Children[0])) > 0 {
			r.about(rel, e.At, neverHolds, "nobody can have this branch of the permission %s, so it grants nothing: %s", rel.Name, r.whyNeverExpr(rel.Definition, e))
		}
		return true
	})
}
