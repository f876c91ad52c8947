package lint

const pathExplosion = "path-explosion"

// move is a way from a question about an object to one about the next object.
type move struct {
	hop
	to    int
	first edge // with which the way begins
}

// explosions finds recursions that go from an object to the same next one in more
// than one way and come together again, so that with each level the ways multiply.
//
// It follows two ways over the same objects at once: if they are at different
// questions and then again at the same one, there are two ways round, and 2^n after n rounds.
func (r *run) explosions() {
	for p, nodes := range r.graph.parts {
		if !r.graph.recurses(p) || !r.branches(nodes) {
			continue
		}
		moves := map[int][]move{}
		for _, node := range nodes {
			moves[node] = r.moves(node, map[int]bool{})
		}
		if twice := doubled(nodes, moves); twice != nil {
			r.reportExplosion(nodes, *twice)
		}
	}
}

// branches reports whether there is more than one way round in a component.
func (r *run) branches(nodes []int) bool {
	edges := 0
	for _, node := range nodes {
		edges += len(r.graph.inside(node))
	}
	return edges > len(nodes)
}

// mostMoves bounds the ways from one question that are looked at.
const mostMoves = 200

// moves returns the ways from a node to the next objects, over what is asked of the same object before.
func (r *run) moves(node int, above map[int]bool) []move {
	if above[node] {
		return nil // made of itself; found by other lints
	}
	above[node] = true
	defer delete(above, node)
	var all []move
	for _, e := range r.graph.inside(node) {
		if e.via != nil {
			all = append(all, move{e.hop(), e.to, e})
			continue
		}
		for _, m := range r.moves(e.to, above) {
			all = append(all, move{m.hop, m.to, e})
		}
		if len(all) > mostMoves {
			break
		}
	}
	return all
}

// fork is where two ways part.
type fork struct {
	node int
	a, b move
}

// doubled returns where two ways part that come together again, nil if none do.
func doubled(nodes []int, moves map[int][]move) *fork {
	type pair struct{ a, b int }
	parted := map[pair]fork{}
	var next []pair
	for _, node := range nodes {
		for i, a := range moves[node] {
			for _, b := range moves[node][i+1:] {
				if a.hop != b.hop {
					continue
				}
				f := fork{node, a, b}
				if a.to == b.to {
					return &f
				}
				if to := (pair{a.to, b.to}); parted[to] == (fork{}) {
					parted[to] = f
					next = append(next, to)
				}
			}
		}
	}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		for _, a := range moves[at.a] {
			for _, b := range moves[at.b] {
				if a.hop != b.hop {
					continue
				}
				f := parted[at]
				if a.to == b.to {
					return &f
				}
				if to := (pair{a.to, b.to}); parted[to] == (fork{}) {
					parted[to] = f
					next = append(next, to)
				}
			}
		}
	}
	return nil
}

func (r *run) reportExplosion(nodes []int, f fork) {
	rel := r.graph.nodes[f.node]
	at, ways := rel.At, []string{}
	for _, m := range []move{f.a, f.b} {
		if m.first.branch == nil {
			ways = append(ways, m.first.over.String())
			continue
		}
		at = m.first.branch.At
		ways = append(ways, "`"+m.first.branch.String()+"`")
	}
	var names []string
	for _, i := range nodes {
		names = append(names, r.graph.nodes[i].String())
	}
	r.about(rel, at, pathExplosion,
		"%s goes over %s to the same objects in two ways, %s, and both come back to %s: with each level of the data the ways double, so that a check over 20 levels may ask a million times; "+
			"go up once, by a permission that names only itself there, and make the others of it",
		rel, f.a.via, list(distinct(ways, func(s string) string { return s })), list(names))
}
