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
		for j, other := range union.Children {
			if j == i || without[j] || !r.contains.expr(rel.Definition, other, branch) {
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
