package lint

import (
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// containment tells whether everyone who has one expression has another, by how
// they are written, whatever the relationships are. It may miss some.
type containment struct {
	*zed.Schema
	known map[question]bool // false of what is being answered, so that a recursion ends
	named map[*zed.Relation]*zed.Expr
}

func newContainment(s *zed.Schema) *containment {
	return &containment{Schema: s, known: map[question]bool{}, named: map[*zed.Relation]*zed.Expr{}}
}

// mostQuestions bounds the work for schemas in which everything is made of
// everything; what is asked after that is only compared as it is written.
const mostQuestions = 20_000

// question is whether all holders of small hold big, on objects of one definition.
type question struct{ big, small *zed.Expr }

// expr reports whether everyone who has small has big, on the same object of a definition.
func (c *containment) expr(d *zed.Definition, big, small *zed.Expr) bool {
	q := question{big, small}
	if known, asked := c.known[q]; asked {
		return known
	}
	if len(c.known) >= mostQuestions {
		return equal(big, small)
	}
	c.known[q] = false
	c.known[q] = equal(big, small) || c.splitSmall(d, big, small) || c.splitBig(d, big, small) || c.arrows(d, big, small)
	return c.known[q]
}

func (c *containment) splitSmall(d *zed.Definition, big, small *zed.Expr) bool {
	in := func(part *zed.Expr) bool { return c.expr(d, big, part) }
	switch small.Op {
	case zed.Nil:
		return true
	case zed.Union:
		return !slices.ContainsFunc(small.Children, func(part *zed.Expr) bool { return !in(part) })
	case zed.Intersection:
		return slices.ContainsFunc(small.Children, in)
	case zed.Exclusion:
		return in(small.Children[0])
	case zed.Reference:
		named := d.Relation(small.Relation)
		return named != nil && named.IsPermission() && in(named.Expr)
	default:
		return false
	}
}

func (c *containment) splitBig(d *zed.Definition, big, small *zed.Expr) bool {
	has := func(part *zed.Expr) bool { return c.expr(d, part, small) }
	switch big.Op {
	case zed.Union:
		return slices.ContainsFunc(big.Children, has)
	case zed.Intersection:
		return !slices.ContainsFunc(big.Children, func(part *zed.Expr) bool { return !has(part) })
	case zed.Reference:
		named := d.Relation(big.Relation)
		return named != nil && named.IsPermission() && has(named.Expr)
	default:
		return false
	}
}

// arrows compares what is asked of the objects of one relation, or a relation
// with an arrow over it that finds the members that its sets of subjects have anyway.
func (c *containment) arrows(d *zed.Definition, big, small *zed.Expr) bool {
	if small.Op != zed.Arrow && small.Op != zed.All || big.Relation != small.Relation {
		return false
	}
	via := d.Relation(small.Relation)
	if via == nil {
		return false
	}
	switch big.Op {
	case zed.Reference:
		for _, t := range via.Types {
			if !t.Wildcard && t.Relation != small.Target && c.Relation(t.Definition, small.Target) != nil {
				return false
			}
		}
		return true
	case zed.Arrow, zed.All:
		if big.Op == zed.All && small.Op == zed.Arrow {
			return false
		}
		for _, t := range followed(via) {
			of := c.Definition(t.Definition)
			asked, given := of.Relation(small.Target), of.Relation(big.Target)
			if asked != nil && (given == nil || asked != given && !c.expr(of, c.reference(given), c.reference(asked))) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// reference is a relation or permission as an expression of its definition.
func (c *containment) reference(rel *zed.Relation) *zed.Expr {
	if c.named[rel] == nil {
		c.named[rel] = &zed.Expr{Op: zed.Reference, Relation: rel.Name}
	}
	return c.named[rel]
}

// equal reports whether two expressions of one definition are the same but for
// the order in unions and intersections.
func equal(a, b *zed.Expr) bool {
	if a.Op != b.Op || a.Relation != b.Relation || a.Target != b.Target || len(a.Children) != len(b.Children) {
		return false
	}
	if a.Op == zed.Exclusion || len(a.Children) == 0 {
		return slices.EqualFunc(a.Children, b.Children, equal)
	}
	rest := slices.Clone(b.Children)
	for _, child := range a.Children {
		i := slices.IndexFunc(rest, func(other *zed.Expr) bool { return equal(child, other) })
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return true
}
