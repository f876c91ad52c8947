package eval

import (
	"encoding/json"
	"fmt"

	corev1 "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"
)

// Verdict is the answer to a check.
type Verdict struct {
	Outcome
	Why string // it is undecided; "" otherwise
}

// Check decides whether a subject has a relation or permission of a resource, by
// the context that the check gives to caveats. If trace is not nil, it is told of
// everything that was reached, once each.
func (w *World) Check(resource, subject tuple.ObjectAndRelation, context map[string]any, trace Trace) Verdict {
	relation := w.schema.Relation(resource.ObjectType, resource.Relation)
	switch {
	case relation == nil:
		return Verdict{Undecided, fmt.Sprintf("the schema has no %s#%s", resource.ObjectType, resource.Relation)}
	case w.schema.Definition(subject.ObjectType) == nil,
		subject.Relation != tuple.Ellipsis && w.schema.Relation(subject.ObjectType, subject.Relation) == nil:
		return Verdict{Undecided, fmt.Sprintf("the schema has no subject of the type of %s", tuple.StringONR(subject))}
	case subject.ObjectID == tuple.PublicWildcard:
		return Verdict{Undecided, "a check is about one subject, not about all of a type"}
	}
	s := w.session(subject, context)
	start := node{s.resource(resource), relation}
	v := Verdict{Outcome: s.outcome(start)}
	if v.Outcome == Undecided {
		v.Why = "it leads in a circle"
		if s.failure != nil {
			v.Why = "a caveat cannot be evaluated: " + s.failure.Error()
		}
	}
	if trace != nil {
		s.report(start, resource, trace)
	}
	return v
}

// session is all that checks of one subject with one context share.
type session struct {
	*World
	subject object
	number  number // of the subject
	node    node   // of the subject if it is a set; its relation is nil otherwise
	context map[string]any
	failure error // of the first caveat that could not be evaluated

	conditions map[*corev1.ContextualizedCaveat]Outcome // of the relationships met

	known map[node]Outcome // for good
	pass  map[node]Outcome // what is being decided, or stayed open in this pass
	news  bool             // this pass has added to known
}

type sessionKey struct {
	subject tuple.ObjectAndRelation
	context string
}

func (w *World) session(subject tuple.ObjectAndRelation, context map[string]any) *session {
	given, err := json.Marshal(context)
	key := sessionKey{subject, string(given)}
	if s, ok := w.sessions[key]; ok && err == nil {
		return s
	}
	s := &session{
		World: w, subject: object{subject.ObjectType, subject.ObjectID}, number: strangeSubject,
		context: context, conditions: map[*corev1.ContextualizedCaveat]Outcome{}, known: map[node]Outcome{}, pass: map[node]Outcome{},
	}
	if n, ok := w.numbers[s.subject]; ok {
		s.number = n
	}
	s.node = node{s.number, w.schema.Relation(subject.ObjectType, subject.Relation)}
	if err == nil {
		w.sessions[key] = s
	}
	return s
}

// resource returns the number of the object that a check is about.
func (s *session) resource(r tuple.ObjectAndRelation) number {
	o := object{r.ObjectType, r.ObjectID}
	if o == s.subject {
		return s.number
	}
	if n, ok := s.numbers[o]; ok {
		return n
	}
	return strangeResource
}

// outcome decides a node for good. What depends on itself is undecided at first;
// if others turn out not to be, that may settle it, so it is gone over again
// until nothing new is found. What then is still undecided leads in a circle.
func (s *session) outcome(n node) Outcome {
	for {
		clear(s.pass)
		s.news = false
		if o := s.decide(n); o != Undecided || !s.news {
			s.known[n] = o
			return o
		}
	}
}

// decide decides a node as far as this pass can.
func (s *session) decide(n node) Outcome {
	if o, ok := s.known[n]; ok {
		return o
	}
	if o, ok := s.pass[n]; ok {
		return o
	}
	s.pass[n] = Undecided
	o := s.work(n)
	if o != Undecided {
		s.known[n] = o
		s.news = true
	}
	return o
}

func (s *session) work(n node) Outcome {
	switch {
	case s.isSubject(n):
		return Allowed
	case n.relation.IsPermission():
		return s.branch(n.object, n.relation, n.relation.Expr)
	default:
		return s.direct(n)
	}
}

// isSubject reports whether a node is the set of subjects that is asked about: it is a member of itself.
func (s *session) isSubject(n node) bool { return s.node.relation != nil && n == s.node }
