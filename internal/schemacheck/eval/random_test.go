package eval_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/schemacheck/eval"
)

// The schemas drawn have a user and two definitions with the same relations and permissions.
var (
	drawnKinds       = []string{"team", "item"}
	drawnRelations   = []string{"link", "some", "more"}
	drawnPermissions = []string{"first", "second", "third", "fourth"}
)

// drawn is a schema and what fits into it.
type drawn struct {
	text  strings.Builder
	types map[string][]drawnType // by kind#relation
}

type drawnType struct {
	kind, set, id      string // id is * for a wildcard
	caveated, expiring bool
}

func (d drawnType) String() string {
	s := d.kind
	switch {
	case d.id != "":
		s += ":*"
	case d.set != "":
		s += "#" + d.set
	}
	with := []string{}
	if d.caveated {
		with = append(with, "limit")
	}
	if d.expiring {
		with = append(with, "expiration")
	}
	if len(with) > 0 {
		s += " with " + strings.Join(with, " and ")
	}
	return s
}

func drawSchema(t *rapid.T) *drawn {
	d := &drawn{types: map[string][]drawnType{}}
	d.text.WriteString("use expiration\nuse self\ncaveat limit(level int) { level > 3 }\ndefinition user {}\n")
	for _, kind := range drawnKinds {
		fmt.Fprintf(&d.text, "definition %s {\n", kind)
		for _, relation := range drawnRelations {
			types := drawTypes(t, relation == "more")
			d.types[kind+"#"+relation] = types
			texts := make([]string, len(types))
			for i, one := range types {
				texts[i] = one.String()
			}
			fmt.Fprintf(&d.text, "  relation %s: %s\n", relation, strings.Join(texts, " | "))
		}
		for i, permission := range drawnPermissions {
			fmt.Fprintf(&d.text, "  permission %s = %s\n", permission, drawExpr(t, drawnPermissions[:i], 3))
		}
		d.text.WriteString("}\n")
	}
	return d
}

// drawTypes draws the types of a relation; with wildcards only of one that no other type
// names, as SpiceDB demands. Types of one kind have the same traits:
// where they do not, SpiceDB overlooks caveats and expirations of some.
func drawTypes(t *rapid.T, public bool) []drawnType {
	var types []drawnType
	for _, kind := range []string{"user", "team", "item"} {
		trait := drawnType{kind: kind, caveated: rapid.IntRange(0, 1).Draw(t, "caveated") == 0, expiring: rapid.IntRange(0, 5).Draw(t, "expiring") == 0}
		forms := []drawnType{trait}
		if kind == "user" {
			if public {
				forms = append(forms, drawnType{kind: kind, id: "*", caveated: trait.caveated, expiring: trait.expiring})
			}
		} else {
			for _, set := range []string{"some", "second"} {
				forms = append(forms, drawnType{kind: kind, set: set, caveated: trait.caveated, expiring: trait.expiring})
			}
		}
		for _, form := range forms {
			if rapid.IntRange(0, 2).Draw(t, "has") == 0 {
				types = append(types, form)
			}
		}
	}
	if len(types) == 0 {
		types = append(types, drawnType{kind: "user"})
	}
	return types
}

func drawExpr(t *rapid.T, earlier []string, depth int) string {
	kind := rapid.IntRange(0, 9).Draw(t, "expression")
	if depth == 0 {
		kind = min(kind, 5)
	}
	switch kind {
	case 0, 1, 2:
		return rapid.SampledFrom(slices.Concat(drawnRelations, earlier)).Draw(t, "reference")
	case 3:
		return rapid.SampledFrom([]string{"link->some", "some", "more", "self", "nil"}).Draw(t, "constant")
	case 4:
		return "link->" + rapid.SampledFrom(slices.Concat(drawnRelations, drawnPermissions)).Draw(t, "target")
	case 5:
		return "link.all(" + rapid.SampledFrom(slices.Concat(drawnRelations, drawnPermissions)).Draw(t, "target") + ")"
	default:
		op := rapid.SampledFrom([]string{" + ", " & ", " - "}).Draw(t, "operator")
		return "(" + drawExpr(t, earlier, depth-1) + op + drawExpr(t, earlier, depth-1) + ")"
	}
}

var drawnIDs = []string{"a", "b", "c", "d"}

func drawID(t *rapid.T) string { return rapid.SampledFrom(drawnIDs).Draw(t, "id") }

// relationships draws some. They lead from lower to higher identifiers alone, so
// never in a circle: SpiceDB takes minutes to give one up if it branches.
func (d *drawn) relationships(t *rapid.T) []tuple.Relationship {
	seen := map[string]bool{}
	var all []tuple.Relationship
	for range rapid.IntRange(15, 50).Draw(t, "relationships") {
		kind, relation := rapid.SampledFrom(drawnKinds).Draw(t, "kind"), rapid.SampledFrom(drawnRelations).Draw(t, "relation")
		of := rapid.SampledFrom(d.types[kind+"#"+relation]).Draw(t, "type")
		r := tuple.Relationship{RelationshipReference: tuple.RelationshipReference{
			Resource: tuple.ObjectAndRelation{ObjectType: kind, Relation: relation},
			Subject:  tuple.ObjectAndRelation{ObjectType: of.kind, ObjectID: of.id, Relation: tuple.Ellipsis},
		}}
		at := rapid.IntRange(0, len(drawnIDs)-2).Draw(t, "resource")
		r.Resource.ObjectID = drawnIDs[at]
		if of.id == "" {
			r.Subject.ObjectID = drawnIDs[rapid.IntRange(at+1, len(drawnIDs)-1).Draw(t, "subject")]
		}
		if of.set != "" {
			r.Subject.Relation = of.set
		}
		if of.caveated {
			values := map[string]any{}
			if level := rapid.SampledFrom([]int{0, 0, 1, 9}).Draw(t, "level"); level > 0 {
				values["level"] = level
			}
			given, err := structpb.NewStruct(values)
			if err != nil {
				t.Fatal(err)
			}
			r.OptionalCaveat = &corev1.ContextualizedCaveat{CaveatName: "limit", Context: given}
		}
		if of.expiring {
			year := rapid.SampledFrom([]int{2001, 2201}).Draw(t, "year")
			end := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
			r.OptionalExpiration = &end
		}
		if name := r.Resource.String() + r.Subject.String(); !seen[name] {
			seen[name] = true
			all = append(all, r)
		}
	}
	return all
}

func TestRandomSchemasAreDecidedAsBySpiceDB(t *testing.T) {
	t.Parallel()
	outcomes := map[eval.Outcome]int{}
	rapid.Check(t, func(t *rapid.T) {
		d := drawSchema(t)
		relationships := d.relationships(t)
		b := open(t.Context(), t, d.text.String(), relationships)
		defer b.spicedb.Dispose()
		for range 12 {
			resource := tuple.ObjectAndRelation{
				ObjectType: rapid.SampledFrom(drawnKinds).Draw(t, "kind"), ObjectID: drawID(t),
				Relation: rapid.SampledFrom(slices.Concat(drawnRelations, drawnPermissions)).Draw(t, "asked"),
			}
			subject := tuple.ObjectAndRelation{ObjectType: "user", ObjectID: rapid.SampledFrom([]string{"d", "c", "b", "a"}).Draw(t, "subject id"), Relation: tuple.Ellipsis}
			if len(relationships) > 0 && rapid.Bool().Draw(t, "related") { // what has nothing to do with each other is mostly denied
				r := rapid.SampledFrom(relationships).Draw(t, "by")
				resource.ObjectType, resource.ObjectID = r.Resource.ObjectType, r.Resource.ObjectID
				if r.Subject.ObjectID != tuple.PublicWildcard {
					subject.ObjectID = r.Subject.ObjectID
				}
			}
			if rapid.IntRange(0, 2).Draw(t, "other subject") == 0 {
				subject.ObjectType = rapid.SampledFrom(drawnKinds).Draw(t, "subject")
				subject.Relation = rapid.SampledFrom([]string{tuple.Ellipsis, "some", "second", "third"}).Draw(t, "set")
			}
			given := rapid.SampledFrom([]map[string]any{nil, nil, {"level": 2.0}, {"level": 5.0}}).Draw(t, "context")
			is, decided := b.compare(t, resource, subject, given)
			if !decided {
				t.Fatal("SpiceDB refuses what does not lead in a circle")
			}
			outcomes[is]++
		}
	})
	t.Log(outcomes)
	if outcomes[eval.Allowed] < 20 || outcomes[eval.Denied] < 20 || outcomes[eval.Conditional] == 0 {
		t.Errorf("too little was drawn: %v", outcomes)
	}
}
