package eval

import (
	"fmt"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// branch decides an expression, or a branch of one, for an object. It goes no further than it must.
func (s *session) branch(of number, in *zed.Relation, e *zed.Expr) Outcome {
	switch e.Op {
	case zed.Union:
		o := Denied
		for _, c := range e.Children {
			if o = or(o, s.branch(of, in, c)); o == Allowed {
				break
			}
		}
		return o
	case zed.Intersection:
		o := Allowed
		for _, c := range e.Children {
			if o = and(o, s.branch(of, in, c)); o == Denied {
				break
			}
		}
		return o
	case zed.Exclusion:
		o := s.branch(of, in, e.Children[0])
		for _, c := range e.Children[1:] {
			if o == Denied {
				break
			}
			o = and(o, not(s.branch(of, in, c)))
		}
		return o
	case zed.Reference:
		return s.decide(node{of, in.Definition.Relation(e.Relation)})
	case zed.Arrow, zed.All:
		return s.arrow(of, in, e)
	case zed.Self:
		if s.node.relation == nil && of == s.number {
			return Allowed
		}
		return Denied
	default: // nil
		return Denied
	}
}

// arrow asks the objects that a relation leads to; one of them must allow, or all of them.
func (s *session) arrow(of number, in *zed.Relation, e *zed.Expr) Outcome {
	edges := s.edges[node{of, in.Definition.Relation(e.Relation)}]
	if e.Op == zed.All {
		o := not(Denied)
		if len(edges) == 0 {
			o = Denied
		}
		for i := range edges {
			if o = and(o, s.over(edges[i], e.Target)); o == Denied {
				break
			}
		}
		return o
	}
	o := Denied
	for i := range edges {
		if o = or(o, s.over(edges[i], e.Target)); o == Allowed {
			break
		}
	}
	return o
}

// over decides what an arrow comes to over one relationship.
func (s *session) over(e edge, target string) Outcome {
	next := s.target(e, target)
	if next.relation == nil {
		return Denied
	}
	o := s.condition(e)
	if o == Denied {
		return o
	}
	return and(o, s.decide(next))
}

// target returns the node that an arrow asks; without a relation if the object found has none of that name.
func (s *session) target(e edge, name string) node {
	return node{e.subject, s.kinds[e.subject].Relation(name)}
}

// direct decides a relation by its relationships.
func (s *session) direct(n node) Outcome {
	edges, o := s.edges[n], Denied
	for i := range edges {
		if o = or(o, s.reaches(edges[i])); o == Allowed {
			break
		}
	}
	return o
}

// reaches decides whether a relationship leads to the subject.
func (s *session) reaches(e edge) Outcome {
	switch {
	case e.wildcard:
		if s.objects[e.subject].kind == s.subject.kind {
			return s.condition(e)
		}
	case e.relation != nil:
		if o := s.condition(e); o != Denied {
			return and(o, s.decide(node{e.subject, e.relation}))
		}
	case s.node.relation == nil && e.subject == s.number:
		return s.condition(e)
	}
	return Denied
}

// condition decides the caveat of a relationship.
func (s *session) condition(e edge) Outcome {
	if e.caveat == nil {
		return Allowed
	}
	if o, ok := s.conditions[e.caveat]; ok {
		return o
	}
	o, err := s.caveats.evaluate(e.caveat, s.context)
	if err != nil && s.failure == nil {
		s.failure = fmt.Errorf("%s: %w", e.caveat.GetCaveatName(), err)
	}
	s.conditions[e.caveat] = o
	return o
}
