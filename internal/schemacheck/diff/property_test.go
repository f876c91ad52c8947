package diff_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// world is relationships of one user: as each bit says, the user is an owner or
// guest of two folders, these are parents of the document, the user is in a, b and
// c of the document, and so is whoever sees the folders in c.
type world uint16

const worlds = 1 << 11

func (w world) bit(n int) bool { return w>>n&1 == 1 }

// in evaluates a relation or permission for the user, as the language is described.
func (w world) in(s *zed.Schema, definition string, object int, name string) bool {
	r := s.Relation(definition, name)
	if r.IsPermission() {
		return w.holds(s, definition, object, r.Expr)
	}
	switch name {
	case "owner":
		return w.bit(2 * object)
	case "guest":
		return w.bit(2*object + 1)
	case "aaa":
		return w.bit(6)
	case "bbb":
		return w.bit(7)
	case "ccc":
		return w.bit(8) || w.bit(9) && w.in(s, "folder", 0, "see") || w.bit(10) && w.in(s, "folder", 1, "see")
	default:
		panic(name)
	}
}

func (w world) holds(s *zed.Schema, definition string, object int, e *zed.Expr) bool {
	switch e.Op {
	case zed.Union, zed.Intersection, zed.Exclusion:
		result := w.holds(s, definition, object, e.Children[0])
		for _, c := range e.Children[1:] {
			other := w.holds(s, definition, object, c)
			switch e.Op {
			case zed.Union:
				result = result || other
			case zed.Intersection:
				result = result && other
			default:
				result = result && !other
			}
		}
		return result
	case zed.Reference:
		return w.in(s, definition, object, e.Relation)
	case zed.Arrow, zed.All:
		some, every, any := false, true, false
		for folder := range 2 {
			if w.bit(4 + folder) {
				any = true
				there := w.in(s, "folder", folder, e.Target)
				some, every = some || there, every && there
			}
		}
		if e.Op == zed.All {
			return any && every
		}
		return some
	default: // nil
		return false
	}
}

// expression makes a random expression of the leaves given.
func expression(r *rand.Rand, depth int, leaves ...string) string {
	if depth == 0 || r.IntN(4) == 0 {
		return leaves[r.IntN(len(leaves))]
	}
	op := []string{" + ", " & ", " - ", " + "}[r.IntN(4)]
	return "(" + expression(r, depth-1, leaves...) + op + expression(r, depth-1, leaves...) + ")"
}

// TestCompare_AgreesWithEvaluation: over all relationships of a small world, no
// permission takes access from anybody that is not called narrowed, and none gives
// any that is not called widened; where the leaves are independent, the reverse too.
func TestCompare_AgreesWithEvaluation(t *testing.T) {
	const rounds = 300
	seen := map[diff.Kind]int{}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 7))
		see := [2]string{expression(r, 2, "owner", "guest", "nil"), expression(r, 2, "owner", "guest")}
		simple := [2]string{expression(r, 3, "aaa", "bbb"), expression(r, 3, "aaa", "bbb")}
		all := []string{"aaa", "bbb", "ccc", "simple", "parent->see", "parent->owner", "parent.all(see)"}
		p := [2]string{expression(r, 3, all...), expression(r, 3, all...)}
		same := r.IntN(2) == 0
		if same { // so that what changes comes through others
			p[1] = p[0]
		}
		q := expression(r, 2, append(all, "may")...)
		var schemas [2]*zed.Schema
		for i := range schemas {
			schemas[i] = parsed(t, fmt.Sprint(i), fmt.Sprintf(`definition user {}
definition folder {
	relation owner: user
	relation guest: user
	permission see = %s
}
definition document {
	relation parent: folder
	relation aaa: user
	relation bbb: user
	relation ccc: user | folder#see
	permission simple = %s
	permission may = %s
	permission end = %s
}`, see[i], simple[i], p[i], q))
		}
		verdicts := map[string]diff.Kind{}
		for _, c := range diff.Compare(schemas[0], schemas[1]).Changes {
			verdicts[c.Subject] = c.Kind
		}
		for _, place := range []string{"folder#see", "document#ccc", "document#simple", "document#may", "document#end"} {
			definition, name, _ := strings.Cut(place, "#")
			var lost, gained bool
			for w := range world(worlds) {
				was, is := w.in(schemas[0], definition, 0, name), w.in(schemas[1], definition, 0, name)
				lost, gained = lost || was && !is, gained || !was && is
			}
			kind := verdicts[place]
			seen[kind]++
			narrowed := strings.HasSuffix(string(kind), "_narrowed") || strings.HasSuffix(string(kind), "_changed")
			widened := strings.HasSuffix(string(kind), "_widened") || strings.HasSuffix(string(kind), "_changed")
			if lost && !narrowed || gained && !widened {
				t.Fatalf("seed %d, %s: lost %t, gained %t, and it is called %q\n%v\n%v %v %v", seed, place, lost, gained, kind, see, simple, p, q)
			}
			exact := name == "see" || name == "simple"
			if exact && (lost != narrowed || gained != widened) {
				t.Fatalf("seed %d, %s: lost %t, gained %t, and it is called %q\n%v %v", seed, place, lost, gained, kind, see, simple)
			}
		}
	}
	for _, kind := range []diff.Kind{"", diff.PermissionNarrowed, diff.PermissionWidened, diff.PermissionChanged, diff.PermissionRewritten, diff.RelationNarrowed, diff.RelationWidened} {
		if seen[kind] == 0 {
			t.Errorf("no case came to %q: %v", kind, seen)
		}
	}
}
