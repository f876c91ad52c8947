package sqlite_test

import (
	"math"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"
)

// The names are few, some drawn more often than others, so that things meet; and awkward, so that
// comparing them is: prefixes of each other, neighbours of a prefix's end, differences in case,
// and characters that mean something to a database.
var (
	drawResourceType = rapid.SampledFrom([]string{"doc", "docs", "doc"})
	drawRelation     = rapid.SampledFrom([]string{"viewer", "view", "viewer", "viewer"})
	drawResourceID   = rapid.SampledFrom([]string{"a", "ab", "a_b", "axb", "A", "a/b", "a|", "b", "10", "a='"})
	drawPrefix       = rapid.SampledFrom([]string{"a", "a_", "A", "a/", "1", "a|", "ab", "z", "axb"})
	drawSubjectType  = rapid.SampledFrom([]string{"user", "doc", "users", "user", "user"})
	drawSubjectID    = rapid.SampledFrom([]string{"u", "u1", "*", "U", "a", "a_"})
	drawSubjectRel   = rapid.SampledFrom([]string{tuple.Ellipsis, "member", tuple.Ellipsis, "viewer"})
	drawCaveatName   = rapid.SampledFrom([]string{"weekday", "week"})
)

// chance is true for one draw in n.
func chance(t *rapid.T, n int, label string) bool {
	return rapid.IntRange(1, n).Draw(t, label) == 1
}

// drawReference draws what identifies a relationship, often one of those given.
func drawReference(t *rapid.T, known []tuple.Relationship) tuple.RelationshipReference {
	if len(known) > 0 && rapid.Bool().Draw(t, "known") {
		return rapid.SampledFrom(known).Draw(t, "relationship").RelationshipReference
	}
	return tuple.RelationshipReference{
		Resource: tuple.ObjectAndRelation{
			ObjectType: drawResourceType.Draw(t, "resource type"),
			ObjectID:   drawResourceID.Draw(t, "resource id"),
			Relation:   drawRelation.Draw(t, "relation"),
		},
		Subject: tuple.ObjectAndRelation{
			ObjectType: drawSubjectType.Draw(t, "subject type"),
			ObjectID:   drawSubjectID.Draw(t, "subject id"),
			Relation:   drawSubjectRel.Draw(t, "subject relation"),
		},
	}
}

func drawRelationship(t *rapid.T, known []tuple.Relationship) tuple.Relationship {
	r := tuple.Relationship{RelationshipReference: drawReference(t, known)}
	if chance(t, 3, "caveated") {
		r.OptionalCaveat = &core.ContextualizedCaveat{
			CaveatName: drawCaveatName.Draw(t, "caveat"), Context: drawContext(t),
		}
	}
	if chance(t, 3, "expires") {
		at := drawExpiry.Draw(t, "expiry")
		r.OptionalExpiration = &at
	}
	return r
}

// drawExpiry is never close to now, so that it does not matter when a test runs.
var drawExpiry = rapid.SampledFrom([]time.Time{
	time.Date(2001, 2, 3, 4, 5, 6, 789_000_000, time.UTC),
	time.Date(2199, 12, 31, 23, 59, 59, 123_456_000, time.UTC),
	time.Date(2200, 1, 1, 0, 0, 0, 0, time.FixedZone("east", 3600)),
	time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC),
	time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
})

func drawContext(t *rapid.T) *structpb.Struct {
	fields := rapid.SampledFrom([]map[string]any{
		nil,
		{"day": "monday"},
		{"day": "tuesday"},
		{"n": math.MaxInt32, "list": []any{1, true, nil, "x"}, "deep": map[string]any{"er": -0.5}},
	}).Draw(t, "context")
	if fields == nil {
		return nil
	}
	s, err := structpb.NewStruct(fields)
	if err != nil {
		panic(err)
	}
	return s
}

// drawRelationships draws up to n, none twice.
func drawRelationships(t *rapid.T, known []tuple.Relationship, n int) []tuple.Relationship {
	return rapid.SliceOfNDistinct(
		rapid.Custom(func(t *rapid.T) tuple.Relationship { return drawRelationship(t, known) }), 0, n,
		func(r tuple.Relationship) tuple.RelationshipReference { return r.RelationshipReference },
	).Draw(t, "relationships")
}

// maybe draws, or leaves out.
func maybe[V any](t *rapid.T, g *rapid.Generator[V], label string) (v V) {
	if rapid.Bool().Draw(t, "with "+label) {
		v = g.Draw(t, label)
	}
	return v
}

// some draws a few, repetitions and all, or none.
func some[V any](t *rapid.T, g *rapid.Generator[V], most int, label string) []V {
	if rapid.Bool().Draw(t, "with "+label) {
		return rapid.SliceOfN(g, 1, most).Draw(t, label)
	}
	return nil
}

func drawSubjectRelations(t *rapid.T) datastore.SubjectRelationFilter {
	var f datastore.SubjectRelationFilter
	named := rapid.SampledFrom([]string{"member", "viewer", "nobody"})
	switch rapid.IntRange(0, 4).Draw(t, "relation filter") {
	case 1:
		f = f.WithEllipsisRelation()
	case 2:
		f = f.WithNonEllipsisRelation(named.Draw(t, "subject relation"))
	case 3:
		f = f.WithNonEllipsisRelation(named.Draw(t, "subject relation")).WithEllipsisRelation()
	case 4:
		f = f.WithOnlyNonEllipsisRelations()
	}
	return f
}

func drawSelector(t *rapid.T) datastore.SubjectsSelector {
	return datastore.SubjectsSelector{
		OptionalSubjectType: maybe(t, drawSubjectType, "subject type"),
		OptionalSubjectIds:  some(t, drawSubjectID, 3, "subject ids"),
		RelationFilter:      drawSubjectRelations(t),
	}
}

// drawQuery draws any question that may be asked. known helps to aim cursors.
func drawQuery(t *rapid.T, known []tuple.Relationship) query {
	q := query{
		sort: rapid.SampledFrom([]options.SortOrder{
			options.ByResource, options.BySubject, options.Unsorted, options.ChooseEfficient,
		}).Draw(t, "sort"),
	}
	if chance(t, 3, "limited") {
		n := rapid.Uint64Range(0, 6).Draw(t, "limit")
		q.limit = &n
	}
	if chance(t, 3, "reverse") {
		drawReverse(t, &q)
	} else {
		q.forward = drawFilter(t)
	}
	// Who asks by caveat or expiration does not say that there are none.
	q.skipCaveats = q.forward.OptionalCaveatNameFilter.Option == datastore.CaveatFilterOptionNone && chance(t, 8, "skip caveats")
	q.skipExpiration = q.forward.OptionalExpirationOption == datastore.ExpirationFilterOptionNone && chance(t, 8, "skip expiration")
	if ordered(q.sort) {
		q.after = drawCursor(t, known, "after")
		if q.reverse == nil {
			q.before = drawCursor(t, known, "until")
		}
	}
	return q
}

func drawReverse(t *rapid.T, q *query) {
	q.reverse = &datastore.SubjectsFilter{
		SubjectType:        drawSubjectType.Draw(t, "subject type"),
		OptionalSubjectIds: some(t, drawSubjectID, 3, "subject ids"),
		RelationFilter:     drawSubjectRelations(t),
	}
	if rapid.Bool().Draw(t, "of a resource relation") {
		q.resource = &options.ResourceRelation{
			Namespace: drawResourceType.Draw(t, "resource type"), Relation: drawRelation.Draw(t, "relation"),
		}
	}
}

func drawFilter(t *rapid.T) datastore.RelationshipsFilter {
	f := datastore.RelationshipsFilter{
		OptionalResourceType:     maybe(t, drawResourceType, "resource type"),
		OptionalResourceRelation: maybe(t, drawRelation, "relation"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "resources") {
	case 1:
		f.OptionalResourceIds = rapid.SliceOfN(drawResourceID, 1, 4).Draw(t, "resource ids")
	case 2:
		f.OptionalResourceIDPrefix = drawPrefix.Draw(t, "prefix")
	}
	for range rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(t, "selectors") {
		f.OptionalSubjectsSelectors = append(f.OptionalSubjectsSelectors, drawSelector(t))
	}
	switch rapid.IntRange(0, 7).Draw(t, "caveat filter") {
	case 1:
		f.OptionalCaveatNameFilter = datastore.WithCaveatName(drawCaveatName.Draw(t, "caveat"))
	case 2:
		f.OptionalCaveatNameFilter = datastore.WithNoCaveat()
	}
	switch rapid.IntRange(0, 7).Draw(t, "expiration filter") {
	case 1:
		f.OptionalExpirationOption = datastore.ExpirationFilterOptionHasExpiration
	case 2:
		f.OptionalExpirationOption = datastore.ExpirationFilterOptionNoExpiration
	}
	return f
}

// drawCursor draws a place, usually none; a relationship need not be there.
func drawCursor(t *rapid.T, known []tuple.Relationship, label string) *tuple.Relationship {
	if !chance(t, 3, label) {
		return nil
	}
	return &tuple.Relationship{RelationshipReference: drawReference(t, known)}
}

// drawDeletion draws a filter as DeleteRelationships takes it; some field is set.
func drawDeletion(t *rapid.T) *v1.RelationshipFilter {
	f := &v1.RelationshipFilter{
		ResourceType:     maybe(t, drawResourceType, "resource type"),
		OptionalRelation: maybe(t, drawRelation, "relation"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "resources") {
	case 1:
		f.OptionalResourceId = drawResourceID.Draw(t, "resource id")
	case 2:
		f.OptionalResourceIdPrefix = drawPrefix.Draw(t, "prefix")
	}
	empty := f.ResourceType == "" && f.OptionalRelation == "" && f.OptionalResourceId == "" && f.OptionalResourceIdPrefix == ""
	if empty || rapid.Bool().Draw(t, "with subjects") {
		s := &v1.SubjectFilter{
			SubjectType:       drawSubjectType.Draw(t, "subject type"),
			OptionalSubjectId: maybe(t, drawSubjectID, "subject id"),
		}
		if rapid.Bool().Draw(t, "with subject relation") {
			s.OptionalRelation = &v1.SubjectFilter_RelationFilter{
				Relation: rapid.SampledFrom([]string{"", "member", "viewer"}).Draw(t, "subject relation"),
			}
		}
		f.OptionalSubjectFilter = s
	}
	return f
}
