package lint

import (
	"maps"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// set is a set of names of definitions.
type set map[string]bool

func (s set) addAll(more set) { maps.Copy(s, more) }

func (s set) meets(other set) bool {
	for name := range s {
		if other[name] {
			return true
		}
	}
	return false
}

// holders says of every relation and permission which objects may have it: those
// of which definitions, when sets of subjects are followed to their members. It
// is never too few: what it says nobody can have, nobody can.
type holders struct {
	*zed.Schema
	contains *containment
	of       map[*zed.Relation]set
	everyone bool // of whom only wildcards count
}

// newHolders finds the holders of all that a schema has; those only of whom
// everyone may have it through a wildcard if everyone is true.
func newHolders(s *zed.Schema, contains *containment, everyone bool) *holders {
	h := &holders{Schema: s, contains: contains, of: map[*zed.Relation]set{}, everyone: everyone}
	var all []*zed.Relation
	for _, d := range s.Definitions {
		all = append(all, d.Relations...)
	}
	h.settle(all)
	return h
}

// settle adds to the holders of some relations and permissions until nothing changes.
func (h *holders) settle(some []*zed.Relation) {
	for changed := true; changed; {
		changed = false
		for _, rel := range some {
			if now := h.relation(rel); len(now) > len(h.of[rel]) {
				h.of[rel], changed = now, true
			}
		}
	}
}

// relation returns the holders of a relation or permission by what is known of the others.
func (h *holders) relation(rel *zed.Relation) set {
	if rel.IsPermission() {
		return h.expr(rel.Definition, rel.Expr)
	}
	out := set{}
	for _, t := range rel.Types {
		switch {
		case t.Relation != "":
			out.addAll(h.of[h.Relation(t.Definition, t.Relation)])
		case t.Wildcard || !h.everyone:
			out[t.Definition] = true
		}
	}
	return out
}

// expr returns the holders of an expression of a definition.
func (h *holders) expr(d *zed.Definition, e *zed.Expr) set {
	out := set{}
	switch e.Op {
	case zed.Reference:
		return h.of[d.Relation(e.Relation)]
	case zed.Arrow, zed.All:
		for _, t := range followed(d.Relation(e.Relation)) {
			out.addAll(h.of[h.Relation(t.Definition, e.Target)])
		}
	case zed.Self:
		if !h.everyone {
			out[d.Name] = true
		}
	case zed.Union:
		for _, c := range e.Children {
			out.addAll(h.expr(d, c))
		}
	case zed.Intersection:
		out.addAll(h.expr(d, e.Children[0]))
		for _, c := range e.Children[1:] {
			other := h.expr(d, c)
			maps.DeleteFunc(out, func(name string, _ bool) bool { return !other[name] })
		}
	case zed.Exclusion:
		if !h.contains.expr(d, e.Children[1], e.Children[0]) {
			return h.expr(d, e.Children[0])
		}
	case zed.Nil:
	}
	return out
}
