package mutate

import (
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// canonical is equal for expressions that differ only in the order of operands,
// in repetitions, in parentheses without effect, and in nil where it changes nothing.
func canonical(e *zed.Expr) string {
	switch e.Op {
	case zed.Union, zed.Intersection:
		parts := operands(e, e.Op)
		slices.Sort(parts)
		parts = slices.Compact(parts)
		if e.Op == zed.Union {
			parts = slices.DeleteFunc(parts, func(p string) bool { return p == nilText })
		} else if slices.Contains(parts, nilText) {
			return nilText
		}
		switch len(parts) {
		case 0:
			return nilText
		case 1:
			return parts[0]
		}
		return "(" + strings.Join(parts, map[zed.Op]string{zed.Union: " + ", zed.Intersection: " & "}[e.Op]) + ")"
	case zed.Exclusion:
		a, b := canonical(e.Children[0]), canonical(e.Children[1])
		if a == b || a == nilText {
			return nilText
		}
		if b == nilText {
			return a
		}
		return "(" + a + " - " + b + ")"
	default:
		return e.String()
	}
}

const nilText = "nil"

// operands returns the operands of an operation and of those within that are the same operation.
func operands(e *zed.Expr, op zed.Op) []string {
	if e.Op != op {
		return []string{canonical(e)}
	}
	var parts []string
	for _, c := range e.Children {
		parts = append(parts, operands(c, op)...)
	}
	return parts
}
