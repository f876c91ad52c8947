package lint

import (
	"maps"
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const (
	wildcardInExclusion      = "wildcard-in-exclusion"
	intersectionOnLookupPath = "intersection-on-lookup-path"
)

// wildcards finds exclusions that take away a wildcard.
func (r *run) wildcards() {
	everyone := newHolders(r.Schema, r.contains, true)
	r.relations(func(rel *zed.Relation) {
		rel.Expr.Walk(func(e *zed.Expr) bool {
			if e.Op != zed.Exclusion {
				return true
			}
			left, right := e.Children[0], e.Children[1]
			wild := everyone.expr(rel.Definition, right)
			if !wild.meets(r.holders.expr(rel.Definition, left)) {
				return true
			}
			r.about(rel, right.At, wildcardInExclusion,
				"`%s` takes away what `%s` grants, and it can be a wildcard (%s): then one relationship takes it from everyone, and lists of who has %s (LookupSubjects) are easily read wrongly; "+
					"take away named subjects only, or say in a comment that it is meant as a switch for all",
				right, left, list(wildcardNames(wild)), rel)
			return true
		})
	})
}

func wildcardNames(of set) []string {
	names := slices.Sorted(maps.Keys(of))
	for i := range names {
		names[i] += ":*"
	}
	return names
}

// lookupPaths finds conditions that lists of resources come upon at every level
// of a recursion: in it, or in what its arrows ask.
func (r *run) lookupPaths() {
	reached := map[int]int{} // to the node of the recursion that asks it
	for p, nodes := range r.graph.parts {
		if !r.graph.recurses(p) {
			continue
		}
		for _, node := range nodes {
			if _, known := reached[node]; !known || r.graph.part[reached[node]] != p {
				reached[node] = node
			}
			for _, e := range r.graph.out[node] {
				r.reach(e.to, node, reached)
			}
		}
	}
	for _, node := range slices.Sorted(maps.Keys(reached)) {
		rel := r.graph.nodes[node]
		at := condition(rel.Expr)
		if at == nil {
			continue
		}
		where := "follows itself from object to object"
		if by := reached[node]; by != node {
			where = "is asked by the recursion of " + r.graph.nodes[by].String()
		}
		r.about(rel, at.At, intersectionOnLookupPath,
			"%s %s, and has `%s` on the way: a list of the objects that somebody has it on (LookupResources) must check every candidate anew, which grows slow with depth and number; "+
				"let the recursion be of unions alone, and apply the condition once, in a permission above it",
			rel, where, at)
	}
}

// reach marks a node that a recursion asks, with what that asks of the same object.
func (r *run) reach(node, by int, reached map[int]int) {
	if _, known := reached[node]; known {
		return
	}
	reached[node] = by
	for _, e := range r.graph.out[node] {
		if e.via == nil {
			r.reach(e.to, by, reached)
		}
	}
}

// condition returns the first part of an expression that grants only what must
// be checked again, nil if there is none.
func condition(e *zed.Expr) *zed.Expr {
	var first *zed.Expr
	e.Walk(func(part *zed.Expr) bool {
		if part.Op == zed.Intersection || part.Op == zed.Exclusion || part.Op == zed.All {
			first = part
		}
		return first == nil
	})
	return first
}
