package diff

import (
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// verdict says what may have become of a set of subjects.
type verdict uint8

const (
	mayNarrow verdict = 1 << iota // a subject may be in it before and not after
	mayWiden                      // a subject may be in it after and not before
)

const mayBoth = mayNarrow | mayWiden

// formula is an expression in which a leaf is a variable.
type formula struct {
	op       zed.Op // Union, Intersection, Exclusion, Nil, or Reference for a leaf
	children []*formula
	leaf     string // what it is, in the same words in both schemas
	index    int    // of the leaf among those of the two formulas that are compared
}

const (
	mostNodes  = 4000    // of a formula with the permissions that it refers to put in their place
	mostStates = 1 << 16 // of all leaves together that are tried one by one
)

// formulaOf turns an expression of a definition into a formula. Permissions of
// the definition are put in the place of references to them, if that does not
// become too large; within themselves they are leaves.
func formulaOf(r *zed.Relation) *formula {
	left := mostNodes
	if f := expand(r, map[string]bool{}, true, &left); left >= 0 {
		return f
	}
	left = 1 << 30
	return expand(r, map[string]bool{}, false, &left)
}

func expand(r *zed.Relation, within map[string]bool, deep bool, left *int) *formula {
	if !r.IsPermission() {
		return &formula{op: zed.Reference, leaf: r.Name}
	}
	within[r.Name] = true
	defer delete(within, r.Name)
	var build func(e *zed.Expr) *formula
	build = func(e *zed.Expr) *formula {
		if *left--; *left < 0 {
			return &formula{op: zed.Nil}
		}
		f := &formula{op: e.Op}
		switch e.Op {
		case zed.Union, zed.Intersection, zed.Exclusion:
			for _, c := range e.Children {
				f.children = append(f.children, build(c))
			}
		case zed.Nil:
		case zed.Reference:
			to := r.Definition.Relation(e.Relation)
			if deep && to != nil && to.IsPermission() && !within[e.Relation] {
				return expand(to, within, deep, left)
			}
			f.leaf = e.Relation
		default: // arrows and self
			f.op, f.leaf = zed.Reference, e.String()
		}
		return f
	}
	return build(r.Expr)
}

// number gives each leaf of a formula its index among those known, and returns all known then.
func (f *formula) number(known []string, seen map[string]int) []string {
	if f.op == zed.Reference {
		if _, ok := seen[f.leaf]; !ok {
			seen[f.leaf] = len(known)
			known = append(known, f.leaf)
		}
		f.index = seen[f.leaf]
	}
	for _, c := range f.children {
		known = c.number(known, seen)
	}
	return known
}

// holds evaluates a formula for what its leaves are.
func (f *formula) holds(leaves []bool) bool {
	switch f.op {
	case zed.Union:
		for _, c := range f.children {
			if c.holds(leaves) {
				return true
			}
		}
		return false
	case zed.Intersection:
		for _, c := range f.children {
			if !c.holds(leaves) {
				return false
			}
		}
		return true
	case zed.Exclusion:
		return f.children[0].holds(leaves) && !f.children[1].holds(leaves)
	case zed.Reference:
		return leaves[f.index]
	default: // nil
		return false
	}
}

// formulas are the two that an expression is in the two schemas.
type formulas struct {
	before, after *formula
	leaves        []string // of both

	known bool
	given []verdict // on the leaves, when the verdict was found
	found verdict
	sure  bool
}

func newFormulas(before, after *zed.Relation) *formulas {
	f := &formulas{before: formulaOf(before), after: formulaOf(after)}
	seen := map[string]int{}
	f.leaves = f.after.number(f.before.number(nil, seen), seen)
	return f
}

// became says what may become of the one formula when the other takes its place, given
// what may have become of each leaf; sure is false if it is too large to tell.
func (f *formulas) became(of func(leaf string) verdict) (v verdict, sure bool) {
	given := make([]verdict, len(f.leaves))
	for i, l := range f.leaves {
		given[i] = of(l)
	}
	if !f.known || !slices.Equal(given, f.given) {
		f.known, f.given = true, given
		f.found, f.sure = f.find(given)
	}
	return f.found, f.sure
}

func (f *formulas) find(given []verdict) (v verdict, sure bool) {
	s := &shapes{given: given, known: map[pair]bool{}}
	if !s.implies(f.before, f.after, false) {
		v |= mayNarrow
	}
	if !s.implies(f.after, f.before, true) {
		v |= mayWiden
	}
	if v == 0 {
		return 0, true
	}
	states := 1
	for _, g := range given {
		if states *= len(possible[g]); states > mostStates {
			return v, false
		}
	}
	return f.tabled(given), true
}

// possible has, for each verdict on a leaf, what it may be before and after.
var possible = map[verdict][][2]bool{
	0:         {{false, false}, {true, true}},
	mayNarrow: {{false, false}, {true, true}, {true, false}},
	mayWiden:  {{false, false}, {true, true}, {false, true}},
	mayBoth:   {{false, false}, {true, true}, {true, false}, {false, true}},
}

// tabled tries all that the leaves may be.
func (f *formulas) tabled(given []verdict) (v verdict) {
	was, is := make([]bool, len(given)), make([]bool, len(given))
	var try func(i int)
	try = func(i int) {
		if v == mayBoth {
			return
		}
		if i < len(given) {
			for _, p := range possible[given[i]] {
				was[i], is[i] = p[0], p[1]
				try(i + 1)
			}
			return
		}
		held, holds := f.before.holds(was), f.after.holds(is)
		if held && !holds {
			v |= mayNarrow
		}
		if !held && holds {
			v |= mayWiden
		}
	}
	try(0)
	return v
}

// shapes finds implications between formulas of the two schemas by their form
// alone: fast whatever their size, and never wrong, but not all that there are.
type shapes struct {
	given []verdict // on the leaves
	known map[pair]bool
}

type pair struct{ a, b *formula }

// implies reports whether a, where it holds, has b hold. backward is whether a is of the new schema and b of the old.
func (s *shapes) implies(a, b *formula, backward bool) bool {
	if known, ok := s.known[pair{a, b}]; ok {
		return known
	}
	result := s.decide(a, b, backward)
	s.known[pair{a, b}] = result
	return result
}

func (s *shapes) decide(a, b *formula, backward bool) bool {
	toB := func(c *formula) bool { return s.implies(c, b, backward) }
	fromA := func(c *formula) bool { return s.implies(a, c, backward) }
	switch {
	case a.op == zed.Nil:
		return true
	case a.op == zed.Union:
		return every(a.children, toB)
	case b.op == zed.Intersection:
		return every(b.children, fromA)
	case a.op == zed.Reference && b.op == zed.Reference && a.leaf == b.leaf:
		lost := mayNarrow
		if backward {
			lost = mayWiden
		}
		return s.given[a.index]&lost == 0
	case a.op == zed.Exclusion && b.op == zed.Exclusion &&
		s.implies(a.children[0], b.children[0], backward) && s.implies(b.children[1], a.children[1], !backward):
		return true
	case a.op == zed.Intersection && slices.ContainsFunc(a.children, toB):
		return true
	case a.op == zed.Exclusion && s.implies(a.children[0], b, backward):
		return true
	default:
		return b.op == zed.Union && slices.ContainsFunc(b.children, fromA)
	}
}

func every(all []*formula, ok func(*formula) bool) bool {
	return !slices.ContainsFunc(all, func(f *formula) bool { return !ok(f) })
}
