package cover

import "github.com/tenantry/tenantry/internal/schemacheck/zed"

// possible knows of every relation and permission whether any relationships make
// it allow. It looks at each operand by itself, not at what two of them have in common.
type possible map[*zed.Relation]bool

func newPossible(s *zed.Schema) possible {
	p := possible{}
	for news := true; news; {
		news = false
		for _, d := range s.Definitions {
			for _, r := range d.Relations {
				if !p[r] && p.relation(s, r) {
					p[r], news = true, true
				}
			}
		}
	}
	return p
}

func (p possible) relation(s *zed.Schema, r *zed.Relation) bool {
	if r.IsPermission() {
		return p.branch(s, r, r.Expr)
	}
	for _, t := range r.Types {
		if p.kind(s, t) {
			return true
		}
	}
	return false
}

// kind reports whether a relationship of a type can lead to a subject.
func (p possible) kind(s *zed.Schema, t zed.Type) bool {
	return t.Relation == "" || s.Relation(t.Definition, t.Relation) != nil // the set is a member of itself
}

func (p possible) branch(s *zed.Schema, in *zed.Relation, e *zed.Expr) bool {
	switch e.Op {
	case zed.Union:
		for _, c := range e.Children {
			if p.branch(s, in, c) {
				return true
			}
		}
		return false
	case zed.Intersection:
		for _, c := range e.Children {
			if !p.branch(s, in, c) {
				return false
			}
		}
		return true
	case zed.Exclusion:
		return p.branch(s, in, e.Children[0])
	case zed.Reference:
		return p[in.Definition.Relation(e.Relation)]
	case zed.Arrow, zed.All:
		for _, t := range in.Definition.Relation(e.Relation).Types {
			if p[s.Relation(t.Definition, e.Target)] {
				return true
			}
		}
		return false
	case zed.Self:
		return true
	default: // nil
		return false
	}
}
