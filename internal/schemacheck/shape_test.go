package schemacheck

import (
	"testing"

	core "github.com/authzed/spicedb/pkg/proto/core/v1"

	"github.com/tenantry/tenantry/schema"
)

// Every permission of an account follows parent at most once, counting the
// permissions of the same account that it is made of. So a check walks up the tree
// along one line; twice would mean 2^depth ways. Having a feature is three such
// lines, which is no more than that as long as no parent is asked for it.
func TestAccountPermissionsAreLinear(t *testing.T) {
	compiled, err := compile(schema.Built())
	if err != nil {
		t.Fatal(err)
	}
	permissions := map[string]*core.UsersetRewrite{}
	for _, d := range compiled.ObjectDefinitions {
		if d.GetName() == "account" {
			for _, r := range d.GetRelation() {
				permissions[r.GetName()] = r.GetUsersetRewrite()
			}
		}
	}
	if len(permissions) < 40 {
		t.Fatalf("account has only %d relations and permissions", len(permissions))
	}
	up := 0
	for name := range permissions {
		n, most := parentArrows(t, permissions, name, map[string]bool{}), 1
		if name == "has_feature" {
			most = 3
		}
		if n > most {
			t.Errorf("%s follows parent %d times", name, n)
		}
		up += n
	}
	if up < 30 {
		t.Errorf("only %d permissions follow parent; the test does not see them", up)
	}
}

func parentArrows(t *testing.T, permissions map[string]*core.UsersetRewrite, name string, above map[string]bool) int {
	t.Helper()
	if above[name] {
		t.Fatalf("%s is made of itself", name)
	}
	above[name] = true
	defer delete(above, name)
	n := 0
	var count func(rewrite *core.UsersetRewrite)
	count = func(rewrite *core.UsersetRewrite) {
		for _, set := range []*core.SetOperation{rewrite.GetUnion(), rewrite.GetIntersection(), rewrite.GetExclusion()} {
			for _, child := range set.GetChild() {
				switch {
				case child.GetUsersetRewrite() != nil:
					count(child.GetUsersetRewrite())
				case child.GetComputedUserset() != nil:
					n += parentArrows(t, permissions, child.GetComputedUserset().GetRelation(), above)
				case child.GetTupleToUserset().GetTupleset().GetRelation() == "parent",
					child.GetFunctionedTupleToUserset().GetTupleset().GetRelation() == "parent":
					n++
					if asked := child.GetTupleToUserset().GetComputedUserset().GetRelation(); asked == "has_feature" {
						t.Errorf("%s asks the parent for has_feature", name)
					}
				}
			}
		}
	}
	count(permissions[name])
	return n
}
