package eval

import (
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// Step is one thing that a check reached, and what it came to there.
type Step struct {
	Relation *zed.Relation // the relation or permission reached
	Expr     *zed.Expr     // the branch of the permission's expression; nil if the step is about something else
	Type     *zed.Type     // the type of the relation; nil if the step is about something else
	Resource tuple.ObjectAndRelation
	Outcome  Outcome
}

// Trace is told of steps. Those of a relation or permission come after its own.
type Trace func(Step)

// report tells of everything that a check reaches, decided or not by the time it gets there.
func (s *session) report(start node, resource tuple.ObjectAndRelation, trace Trace) {
	r := reporter{session: s, resource: resource, trace: trace, seen: map[node]bool{start: true}, next: []node{start}}
	for len(r.next) > 0 {
		n := r.next[0]
		r.next = r.next[1:]
		r.visit(n)
	}
}

type reporter struct {
	*session
	resource tuple.ObjectAndRelation // of the check
	trace    Trace
	seen     map[node]bool
	next     []node
}

func (r *reporter) later(n node) {
	if !r.seen[n] {
		r.seen[n] = true
		r.next = append(r.next, n)
	}
}

func (r *reporter) visit(n node) {
	step := Step{Relation: n.relation, Resource: r.resource, Outcome: r.outcome(n)}
	if n.object >= 0 {
		o := r.objects[n.object]
		step.Resource = tuple.ObjectAndRelation{ObjectType: o.kind, ObjectID: o.id}
	}
	step.Resource.Relation = n.relation.Name
	r.trace(step)
	switch {
	case r.isSubject(n): // nothing of it is asked
	case n.relation.IsPermission():
		r.branch(n, step, n.relation.Expr)
	default:
		edges := r.edges[n]
		r.types(step, edges, Denied, or, func(e edge) Outcome {
			if e.relation != nil {
				set := node{e.subject, e.relation}
				r.later(set)
				r.outcome(set)
			}
			return r.reaches(e)
		})
	}
}

// branch tells of a branch and all below it, and returns what it comes to.
func (r *reporter) branch(n node, step Step, e *zed.Expr) Outcome {
	step.Expr = e
	step.Outcome = r.below(n, step, e)
	r.trace(step)
	return step.Outcome
}

func (r *reporter) below(n node, step Step, e *zed.Expr) Outcome {
	switch e.Op {
	case zed.Union, zed.Intersection, zed.Exclusion:
		var o Outcome
		for i, c := range e.Children {
			got := r.branch(n, step, c)
			switch {
			case i == 0:
				o = got
			case e.Op == zed.Union:
				o = or(o, got)
			case e.Op == zed.Intersection:
				o = and(o, got)
			default:
				o = and(o, not(got))
			}
		}
		return o
	case zed.Reference:
		to := node{n.object, n.relation.Definition.Relation(e.Relation)}
		r.later(to)
		return r.outcome(to)
	case zed.Arrow, zed.All:
		return r.arrow(n, step, e)
	default:
		return r.session.branch(n.object, n.relation, e)
	}
}

// arrow tells of the relation that an arrow goes over what the arrow comes to, and the same of each of its types.
func (r *reporter) arrow(n node, step Step, e *zed.Expr) Outcome {
	over := node{n.object, n.relation.Definition.Relation(e.Relation)}
	edges := r.edges[over]
	for _, found := range edges {
		if to := r.target(found, e.Target); to.relation != nil {
			r.later(to)
			r.outcome(to)
		}
	}
	o := r.session.arrow(n.object, n.relation, e)
	about := Step{Relation: over.relation, Resource: step.Resource, Outcome: o}
	about.Resource.Relation = over.relation.Name
	r.trace(about)
	start, join := Denied, or
	if e.Op == zed.All {
		start, join = Allowed, and
	}
	r.types(about, edges, start, join, func(found edge) Outcome { return r.over(found, e.Target) })
	return o
}

// types tells of each type of a relation what its relationships come to together; those without are denied.
func (r *reporter) types(step Step, edges []edge, start Outcome, join func(a, b Outcome) Outcome, each func(edge) Outcome) {
	outcomes := make([]Outcome, len(step.Relation.Types))
	met := make([]bool, len(outcomes))
	for _, e := range edges {
		if !met[e.allowed] {
			met[e.allowed], outcomes[e.allowed] = true, start
		}
		outcomes[e.allowed] = join(outcomes[e.allowed], each(e))
	}
	for i := range outcomes {
		step.Type, step.Outcome = &step.Relation.Types[i], outcomes[i]
		r.trace(step)
	}
}
