package lint

import "github.com/tenantry/tenantry/internal/schemacheck/zed"

const redundantUnion = "redundant-union"

// redundant finds branches of unions whose holders all have another branch.
func (r *run) redundant() {
	r.relations(func(rel *zed.Relation) {
		rel.Expr.Walk(func(e *zed.Expr) bool {
			if e.Op == zed.Union {
				r.redundantIn(rel, e)
			}
			return true
		})
	})
}

func (r *run) redundantIn(rel *zed.Relation, union *zed.Expr) {
	without := make([]bool, len(union.Children))
	for i := len(union.Children) - 1; i >= 0; i-- { // of two that are the same, the later one is one too many
		branch := union.Children[i]
		if branch.Op == zed.Nil {
			without[i] = true
			r.about(rel, branch.At, redundantUnion, "nil adds nothing to a union: it grants nothing to anybody; remove it")
			continue
		}
		if len(r.holders.expr(rel.Definition, branch)) == 0 {
			continue // said by others
		}
		for j, other := range union.Children {
			if j == i || without[j] || r.leadsTo(rel.Definition, other, rel) || !r.contains.expr(rel.Definition, other, branch) {
				continue
			}
			without[i] = true
			switch {
			case equal(other, branch):
				r.about(rel, branch.At, redundantUnion, "`%s` is in this union twice; the second one adds nothing and may have been meant to be something else: mend or remove it", branch)
			default:
				r.about(rel, branch.At, redundantUnion, "`%s` adds nothing here: everyone who has it has `%s` anyway, yet checks may ask for both; remove it, unless %s was not meant to include it", branch, other, other)
			}
			break
		}
	}
}

// leadsTo reports whether an expression names a permission on the same object, directly or through others.
func (r *run) leadsTo(d *zed.Definition, e *zed.Expr, to *zed.Relation) bool {
	seen := map[*zed.Relation]bool{}
	var visit func(*zed.Expr) bool
	visit = func(part *zed.Expr) bool {
		if part.Op != zed.Reference {
			return true
		}
		named := d.Relation(part.Relation)
		if named == to {
			return false
		}
		if named == nil || seen[named] {
			return true
		}
		seen[named] = true
		return named.Expr.Walk(visit)
	}
	return !e.Walk(visit)
}
