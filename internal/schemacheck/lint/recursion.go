package lint

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const recursionDepth = "recursion-depth"

// cycle is a recursion from object to object, in the whole schema.
type cycle struct {
	relations []*zed.Relation // over which it goes, each of which it needs; the first one is where it is reported
	steps     int             // from an object to the next of its kind
	followers []string        // what goes that way
}

// recursion finds what leads back to itself: over relations, as far as there are
// relationships, which is said once for each; and on the same object, without an end.
func (r *run) recursion() {
	cycles := map[*zed.Relation]*cycle{}
	for p := range r.graph.parts {
		if !r.graph.recurses(p) {
			continue
		}
		for _, c := range r.cyclesOf(p) {
			known := cycles[c.relations[0]]
			if known == nil {
				cycles[c.relations[0]] = &c
				continue
			}
			known.steps = max(known.steps, c.steps)
			known.followers = append(known.followers, c.followers...)
		}
	}
	inOrder := func(a, b *zed.Relation) int { return cmp.Compare(r.graph.index[a], r.graph.index[b]) }
	for _, rel := range slices.SortedFunc(maps.Keys(cycles), inOrder) {
		r.reportCycle(cycles[rel])
	}
	r.endless()
}

func (r *run) reportCycle(c *cycle) {
	rel, levels, over := c.relations[0], max(1, r.options.MaxDepth/c.steps), ""
	if len(c.relations) > 1 {
		var others []string
		for _, other := range c.relations[1:] {
			others = append(others, other.String())
		}
		over = " (together with " + list(others) + ")"
	}
	r.about(rel, rel.At, recursionDepth,
		"%s%s can lead from one %s to another, to the next and so on, and %s %s it as far as the data goes: at %s per level, a check fails with an error from about %s on (the limit is %s); "+
			"bound the depth where these relationships are written, and say there is a bound in a comment: // lint:ignore recursion-depth: why",
		rel, over, rel.Definition.Name, list(slices.Compact(c.followers)), follow(len(slices.Compact(c.followers))),
		count(c.steps, "step"), count(levels, "level"), count(r.options.MaxDepth, "step"))
}

func follow(n int) string {
	if n == 1 {
		return "follows"
	}
	return "follow"
}

// cyclesOf returns the recursions of a component: one for each relation that
// makes one alone, and those that need several.
func (r *run) cyclesOf(part int) []cycle {
	var vias []*zed.Relation
	for _, i := range r.graph.parts[part] {
		for _, e := range r.graph.inside(i) {
			if e.via != nil && !slices.Contains(vias, e.via) {
				vias = append(vias, e.via)
			}
		}
	}
	var all []cycle
	var alone []*zed.Relation
	for _, via := range vias {
		found := r.cyclesOver(part, func(over *zed.Relation) bool { return over == via })
		if len(found) > 0 {
			alone, all = append(alone, via), append(all, found...)
		}
	}
	return append(all, r.cyclesOver(part, func(over *zed.Relation) bool { return !slices.Contains(alone, over) })...)
}

// cyclesOver returns the recursions of a component over some relations only.
func (r *run) cyclesOver(part int, over func(*zed.Relation) bool) []cycle {
	nodes := r.graph.parts[part]
	at := map[int]int{}
	for i, node := range nodes {
		at[node] = i
	}
	out := make([][]edge, len(nodes))
	for i, node := range nodes {
		for _, e := range r.graph.inside(node) {
			if e.via == nil || over(e.via) {
				e.to = at[e.to]
				out[i] = append(out[i], e)
			}
		}
	}
	var all []cycle
	for _, members := range components(len(nodes), func(i int) []edge { return out[i] }) {
		c := cycle{}
		for _, i := range members {
			out[i] = slices.DeleteFunc(out[i], func(e edge) bool { return !slices.Contains(members, e.to) })
			for _, e := range out[i] {
				if e.via != nil && !slices.Contains(c.relations, e.via) {
					c.relations = append(c.relations, e.via)
				}
			}
			c.followers = append(c.followers, r.graph.nodes[nodes[i]].String())
		}
		if len(c.relations) == 0 {
			continue
		}
		slices.SortFunc(c.relations, func(a, b *zed.Relation) int { return cmp.Compare(r.graph.index[a], r.graph.index[b]) })
		c.steps = shortest(members, out)
		all = append(all, c)
	}
	return all
}

// shortest returns the number of edges of the shortest way from a node back to
// itself that leads over a relation.
func shortest(members []int, out [][]edge) int {
	best := 0
	for _, from := range members {
		for _, first := range out[from] {
			if first.via == nil {
				continue
			}
			if n := 1 + distance(first.to, from, out); best == 0 || n < best {
				best = n
			}
		}
	}
	return best
}

// distance returns the number of edges of the shortest way between two nodes of one component.
func distance(from, to int, out [][]edge) int {
	steps, next := map[int]int{from: 0}, []int{from}
	for len(next) > 0 && next[0] != to {
		for _, e := range out[next[0]] {
			if _, seen := steps[e.to]; !seen {
				steps[e.to] = steps[next[0]] + 1
				next = append(next, e.to)
			}
		}
		next = next[1:]
	}
	return steps[to]
}

// endless finds permissions that are made of each other on the same object. That
// one names itself is found by SpiceDB.
func (r *run) endless() {
	same := func(i int) []edge {
		return slices.DeleteFunc(slices.Clone(r.graph.out[i]), func(e edge) bool { return e.via != nil })
	}
	for _, members := range components(len(r.graph.nodes), same) {
		if len(members) < 2 {
			continue
		}
		var names []string
		for _, i := range members {
			names = append(names, r.graph.nodes[i].Name)
		}
		rel := r.graph.nodes[members[0]]
		r.about(rel, rel.At, recursionDepth,
			"the permissions %s of %s are made of each other, on the same object, so a check of them goes round until it fails with an error, whatever the data is; take one of the names out of the other's expression",
			list(names), rel.Definition.Name)
	}
}
