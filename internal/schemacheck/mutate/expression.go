package mutate

import (
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// change is an expression in the place of a branch of a permission.
type change struct {
	kind   Kind
	at     zed.Location
	branch *zed.Expr // what it stands for
	now    *zed.Expr
}

// changes returns the faults that the expression of a permission may have, from the left.
func (g *generation) changes(r *zed.Relation) []change {
	var all []change
	r.Expr.Walk(func(e *zed.Expr) bool {
		switch e.Op {
		case zed.Union, zed.Intersection, zed.Exclusion:
			all = append(all, swaps(e)...)
			all = append(all, drops(e)...)
		case zed.Reference:
			all = append(all, replacements(r, e)...)
		case zed.Arrow, zed.All:
			all = append(all, g.redirections(r, e)...)
		case zed.Nil, zed.Self:
		}
		return true
	})
	if r.Expr.Op != zed.Nil && len(r.Expr.Children) == 0 {
		all = append(all, change{BranchDropped, r.Expr.At, r.Expr, &zed.Expr{Op: zed.Nil}})
	}
	return all
}

// swaps returns an operation with another operator: all its operators, or that of one operand.
func swaps(e *zed.Expr) []change {
	var all []change
	swap := func(now *zed.Expr) { all = append(all, change{OperatorSwapped, e.At, e, now}) }
	if e.Op == zed.Exclusion {
		a, b := e.Children[0], e.Children[1]
		swap(&zed.Expr{Op: zed.Union, Children: []*zed.Expr{a, b}})
		swap(&zed.Expr{Op: zed.Intersection, Children: []*zed.Expr{a, b}})
		swap(&zed.Expr{Op: zed.Exclusion, Children: []*zed.Expr{b, a}})
		return all
	}
	other := zed.Union
	if e.Op == zed.Union {
		other = zed.Intersection
	}
	swap(&zed.Expr{Op: other, Children: e.Children})
	for i, c := range slices.Backward(e.Children) {
		rest := without(e, i)
		swap(&zed.Expr{Op: zed.Exclusion, Children: []*zed.Expr{rest, c}})
		if len(e.Children) > 2 {
			swap(&zed.Expr{Op: other, Children: []*zed.Expr{rest, c}})
		}
	}
	return all
}

// drops returns an operation with one operand less.
func drops(e *zed.Expr) []change {
	if e.Op == zed.Exclusion {
		return []change{
			{BranchDropped, e.Children[1].At, e, e.Children[0]},
			{BranchDropped, e.Children[0].At, e, &zed.Expr{Op: zed.Nil}},
		}
	}
	var all []change
	for i, c := range e.Children {
		rest := without(e, i)
		all = append(all, change{BranchDropped, c.At, e, rest})
	}
	return all
}

// without returns a union or intersection without one operand.
func without(e *zed.Expr, i int) *zed.Expr {
	rest := slices.Delete(slices.Clone(e.Children), i, i+1)
	if len(rest) == 1 {
		return rest[0]
	}
	return &zed.Expr{Op: e.Op, Children: rest, At: e.At}
}

// replacements returns other relations and permissions of the definition in the
// place of a reference. The permission itself is none of them: that leads in a circle.
func replacements(r *zed.Relation, e *zed.Expr) []change {
	var names []string
	for _, other := range r.Definition.Relations {
		if other != r {
			names = append(names, other.Name)
		}
	}
	var all []change
	for _, name := range nearest(e.Relation, names) {
		now := &zed.Expr{Op: zed.Reference, Relation: name}
		all = append(all, change{ReferenceReplaced, e.At, e, now})
	}
	return all
}

// redirections returns an arrow over other relations, to other relations and
// permissions, and with `all` for `any`.
func (g *generation) redirections(r *zed.Relation, e *zed.Expr) []change {
	var all []change
	add := func(kind Kind, now zed.Expr) {
		now.At = zed.Location{}
		all = append(all, change{kind, e.At, e, &now})
	}
	var over []string
	for _, other := range r.Definition.Relations {
		if !other.IsPermission() && slices.Contains(g.targets(other), e.Target) {
			over = append(over, other.Name)
		}
	}
	for _, name := range nearest(e.Relation, over) {
		add(ArrowRedirected, zed.Expr{Op: e.Op, Relation: name, Target: e.Target})
	}
	for _, name := range nearest(e.Target, g.targets(r.Definition.Relation(e.Relation))) {
		add(ArrowRedirected, zed.Expr{Op: e.Op, Relation: e.Relation, Target: name})
	}
	turned := zed.All
	if e.Op == zed.All {
		turned = zed.Arrow
	}
	add(ArrowTurned, zed.Expr{Op: turned, Relation: e.Relation, Target: e.Target})
	return all
}

// targets returns what may be asked of the objects that a relation leads to.
func (g *generation) targets(over *zed.Relation) []string {
	var names []string
	for _, t := range over.Types {
		for _, r := range g.schema.Definition(t.Definition).Relations {
			if !slices.Contains(names, r.Name) {
				names = append(names, r.Name)
			}
		}
	}
	return names
}

// replaced returns an expression with another one in the place of a branch.
func replaced(e, branch, now *zed.Expr) *zed.Expr {
	if e == branch {
		return now
	}
	if len(e.Children) == 0 {
		return e
	}
	c := *e
	c.Children = make([]*zed.Expr, len(e.Children))
	for i, child := range e.Children {
		c.Children[i] = replaced(child, branch, now)
	}
	return &c
}
