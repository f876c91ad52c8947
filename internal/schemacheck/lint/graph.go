package lint

import (
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// graph has every relation and permission of a schema, and from each an edge to
// what is asked to answer it: once for every time that it is asked.
type graph struct {
	nodes []*zed.Relation
	index map[*zed.Relation]int
	out   [][]edge
	part  []int   // of each node: its strongly connected component
	parts [][]int // the nodes of each component, in order
}

// edge is a question that another question leads to.
type edge struct {
	to     int
	via    *zed.Relation // the relation whose relationships lead to the objects asked; nil if it is the same object
	over   zed.Type      // the type of subject that is followed; with via
	branch *zed.Expr     // where it is written; nil if it is a type of a relation
}

// hop says what kind of relationship is followed. Two edges with the same hop go
// to the same objects. It is the zero hop if the object stays the same.
type hop struct {
	via                  *zed.Relation
	definition, relation string
}

func (e edge) hop() hop {
	if e.via == nil {
		return hop{}
	}
	return hop{e.via, e.over.Definition, e.over.Relation}
}

func newGraph(s *zed.Schema) *graph {
	g := &graph{index: map[*zed.Relation]int{}}
	for _, d := range s.Definitions {
		for _, rel := range d.Relations {
			g.index[rel] = len(g.nodes)
			g.nodes = append(g.nodes, rel)
		}
	}
	g.out = make([][]edge, len(g.nodes))
	for i, rel := range g.nodes {
		g.out[i] = g.edges(s, rel)
	}
	g.parts = components(len(g.nodes), func(i int) []edge { return g.out[i] })
	g.part = make([]int, len(g.nodes))
	for p, members := range g.parts {
		for _, i := range members {
			g.part[i] = p
		}
	}
	return g
}

func (g *graph) edges(s *zed.Schema, rel *zed.Relation) []edge {
	var out []edge
	add := func(to *zed.Relation, e edge) {
		if to != nil {
			e.to = g.index[to]
			out = append(out, e)
		}
	}
	for _, t := range distinct(rel.Types, func(t zed.Type) zed.Type { return zed.Type{Definition: t.Definition, Relation: t.Relation} }) {
		if t.Relation != "" {
			add(s.Relation(t.Definition, t.Relation), edge{via: rel, over: t})
		}
	}
	rel.Expr.Walk(func(e *zed.Expr) bool {
		switch e.Op {
		case zed.Reference:
			add(rel.Definition.Relation(e.Relation), edge{branch: e})
		case zed.Arrow, zed.All:
			via := rel.Definition.Relation(e.Relation)
			for _, t := range followed(via) {
				add(s.Relation(t.Definition, e.Target), edge{via: via, over: t, branch: e})
			}
		default: // its branches are walked too
		}
		return true
	})
	return out
}

// followed returns the types of objects that an arrow over a relation goes to,
// each definition once. It does not follow wildcards, and of a set of subjects
// it takes the object.
func followed(via *zed.Relation) []zed.Type {
	if via == nil {
		return nil
	}
	var types []zed.Type
	for _, t := range via.Types {
		if !t.Wildcard && !slices.ContainsFunc(types, func(known zed.Type) bool { return known.Definition == t.Definition }) {
			types = append(types, zed.Type{Definition: t.Definition, At: t.At})
		}
	}
	return types
}

// distinct returns the first of all that have the same key.
func distinct[T any, K comparable](all []T, key func(T) K) []T {
	seen, out := map[K]bool{}, []T(nil)
	for _, v := range all {
		if k := key(v); !seen[k] {
			seen[k] = true
			out = append(out, v)
		}
	}
	return out
}

// inside returns the edges from a node that stay in its component: those of recursions.
func (g *graph) inside(node int) []edge {
	var in []edge
	for _, e := range g.out[node] {
		if g.part[e.to] == g.part[node] {
			in = append(in, e)
		}
	}
	return in
}

// recurses reports whether a component leads back to itself from object to object.
func (g *graph) recurses(part int) bool {
	return slices.ContainsFunc(g.parts[part], func(i int) bool {
		return slices.ContainsFunc(g.inside(i), func(e edge) bool { return e.via != nil })
	})
}

// components returns the strongly connected components of the nodes 0 to n-1,
// each in order, and those that are led to before those that lead there (Tarjan).
func components(n int, out func(int) []edge) [][]int {
	var (
		parts  [][]int
		stack  []int
		number = make([]int, n) // from 1, in the order of the search; 0 before
		lowest = make([]int, n)
		open   = make([]bool, n)
		next   = 1
		visit  func(int)
	)
	visit = func(v int) {
		number[v], lowest[v], open[v] = next, next, true
		next++
		stack = append(stack, v)
		for _, e := range out(v) {
			if number[e.to] == 0 {
				visit(e.to)
				lowest[v] = min(lowest[v], lowest[e.to])
			} else if open[e.to] {
				lowest[v] = min(lowest[v], number[e.to])
			}
		}
		if lowest[v] != number[v] {
			return
		}
		from := slices.Index(stack, v)
		part := slices.Clone(stack[from:])
		stack = stack[:from]
		for _, w := range part {
			open[w] = false
		}
		slices.Sort(part)
		parts = append(parts, part)
	}
	for v := range n {
		if number[v] == 0 {
			visit(v)
		}
	}
	return parts
}
