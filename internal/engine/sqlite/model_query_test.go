package sqlite_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/datastore/queryshape"
	"github.com/authzed/spicedb/pkg/tuple"
	diff "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// query is a question for relationships, from the resource's side or from the subject's.
type query struct {
	forward datastore.RelationshipsFilter

	reverse  *datastore.SubjectsFilter // instead of forward
	resource *options.ResourceRelation // with reverse; may be nil

	sort                        options.SortOrder
	limit                       *uint64
	after, before               *tuple.Relationship
	skipCaveats, skipExpiration bool

	expired bool // for the model only: what has expired matches as well
}

// String is the question in a failure's text.
func (q query) String() string {
	var b strings.Builder
	if q.reverse != nil {
		fmt.Fprintf(&b, "reverse %+v of %+v", *q.reverse, q.resource)
	} else {
		fmt.Fprintf(&b, "forward %+v", q.forward)
	}
	fmt.Fprintf(&b, " sort %d", q.sort)
	if q.limit != nil {
		fmt.Fprintf(&b, " limit %d", *q.limit)
	}
	if q.after != nil {
		fmt.Fprintf(&b, " after %s", q.after.RelationshipReference)
	}
	if q.before != nil {
		fmt.Fprintf(&b, " until %s", q.before.RelationshipReference)
	}
	if q.skipCaveats || q.skipExpiration {
		fmt.Fprintf(&b, " skip caveats %v, expiration %v", q.skipCaveats, q.skipExpiration)
	}
	return b.String()
}

// on asks a reader.
func (q query) on(ctx context.Context, r datastore.Reader) (datastore.RelationshipIterator, error) {
	if q.reverse == nil {
		return r.QueryRelationships(ctx, q.forward,
			options.WithSort(q.sort), options.WithLimit(q.limit),
			options.WithAfter(q.after), options.WithBeforeOrEqual(q.before),
			options.WithSkipCaveats(q.skipCaveats), options.WithSkipExpiration(q.skipExpiration),
			options.WithQueryShape(queryshape.Varying))
	}
	return r.ReverseQueryRelationships(ctx, *q.reverse,
		options.WithResRelation(q.resource), options.WithSortForReverse(q.sort),
		options.WithLimitForReverse(q.limit), options.WithAfterForReverse(q.after),
		options.WithSkipCaveatsForReverse(q.skipCaveats), options.WithSkipExpirationForReverse(q.skipExpiration),
		options.WithQueryShapeForReverse(queryshape.Varying))
}

// all asks a reader for every row.
func (q query) all(ctx context.Context, r datastore.Reader) ([]tuple.Relationship, error) {
	rows, err := q.on(ctx, r)
	if err != nil {
		return nil, err
	}
	return datastore.IteratorToSlice(rows)
}

// matches decides about one relationship, the cursors apart.
func (q query) matches(r tuple.Relationship, now time.Time) bool {
	if !q.skipExpiration && !q.expired && r.OptionalExpiration != nil && !r.OptionalExpiration.After(now) {
		return false
	}
	f := q.forward
	if q.reverse != nil {
		f = datastore.RelationshipsFilter{OptionalSubjectsSelectors: []datastore.SubjectsSelector{q.reverse.AsSelector()}}
		if q.resource != nil {
			f.OptionalResourceType, f.OptionalResourceRelation = q.resource.Namespace, q.resource.Relation
		}
	}
	return unlessEqual(f.OptionalResourceType, r.Resource.ObjectType) &&
		unlessEqual(f.OptionalResourceRelation, r.Resource.Relation) &&
		oneOf(f.OptionalResourceIds, r.Resource.ObjectID) &&
		strings.HasPrefix(r.Resource.ObjectID, f.OptionalResourceIDPrefix) &&
		(len(f.OptionalSubjectsSelectors) == 0 || slices.ContainsFunc(f.OptionalSubjectsSelectors,
			func(s datastore.SubjectsSelector) bool { return selects(s, r.Subject) })) &&
		caveatMatches(f.OptionalCaveatNameFilter, r) &&
		(f.OptionalExpirationOption != datastore.ExpirationFilterOptionHasExpiration || r.OptionalExpiration != nil) &&
		(f.OptionalExpirationOption != datastore.ExpirationFilterOptionNoExpiration || r.OptionalExpiration == nil)
}

func unlessEqual(wanted, is string) bool { return wanted == "" || wanted == is }

func oneOf(wanted []string, is string) bool { return len(wanted) == 0 || slices.Contains(wanted, is) }

func selects(s datastore.SubjectsSelector, subject tuple.ObjectAndRelation) bool {
	if !unlessEqual(s.OptionalSubjectType, subject.ObjectType) || !oneOf(s.OptionalSubjectIds, subject.ObjectID) {
		return false
	}
	switch f := s.RelationFilter; {
	case f.OnlyNonEllipsisRelations:
		return subject.Relation != tuple.Ellipsis
	case f.IncludeEllipsisRelation && subject.Relation == tuple.Ellipsis:
		return true
	case f.NonEllipsisRelation != "":
		return subject.Relation == f.NonEllipsisRelation
	default:
		return !f.IncludeEllipsisRelation
	}
}

func caveatMatches(f datastore.CaveatNameFilter, r tuple.Relationship) bool {
	switch f.Option {
	case datastore.CaveatFilterOptionHasMatchingCaveat:
		return r.OptionalCaveat.GetCaveatName() == f.CaveatName
	case datastore.CaveatFilterOptionNoCaveat:
		return r.OptionalCaveat == nil
	default:
		return true
	}
}

// answer is the whole result in order, but for the limit.
func (s *state) answer(q query, now time.Time) []tuple.Relationship {
	var out []tuple.Relationship
	for _, row := range s.rels {
		r := row.Relationship
		if !q.matches(r, now) ||
			q.after != nil && compare(q.sort, r.RelationshipReference, q.after.RelationshipReference) <= 0 ||
			q.before != nil && compare(q.sort, r.RelationshipReference, q.before.RelationshipReference) > 0 {
			continue
		}
		if q.skipCaveats {
			r.OptionalCaveat = nil
		}
		if q.skipExpiration {
			r.OptionalExpiration = nil
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b tuple.Relationship) int {
		return compare(q.sort, a.RelationshipReference, b.RelationshipReference)
	})
	return out
}

// check asks a reader and compares what it says with the model.
func (s *state) check(ctx context.Context, r datastore.Reader, q query) error {
	got, err := q.all(ctx, r)
	if err != nil {
		return fmt.Errorf("%s: %w", q, err)
	}
	want := s.answer(q, time.Now())
	size := len(want)
	if q.limit != nil {
		size = min(size, int(*q.limit))
	}
	has, should := renderAll(got), renderAll(want)
	if ordered(q.sort) {
		should = should[:size]
	} else {
		// Any of those that match will do, but none twice.
		slices.Sort(has)
		slices.Sort(should)
		if len(has) == size && size < len(should) && len(slices.Compact(slices.Clone(has))) == size {
			should = slices.DeleteFunc(should, func(one string) bool { return !slices.Contains(has, one) })
		}
	}
	if d := diff.Diff(should, has, cmpopts.EquateEmpty()); d != "" {
		return fmt.Errorf("%s: -want +got:\n%s", q, d)
	}
	return nil
}

// page reads a whole result in pages, and wants exactly what it would be in one piece.
func (s *state) page(ctx context.Context, r datastore.Reader, q query, size uint64) error {
	q.limit = &size
	want := renderAll(s.answer(q, time.Now()))
	var has []string
	for {
		got, err := q.all(ctx, r)
		if err != nil {
			return fmt.Errorf("paging %s: %w", q, err)
		}
		has = append(has, renderAll(got)...)
		if uint64(len(got)) < size || len(has) > len(want) {
			break
		}
		q.after = &got[len(got)-1]
	}
	if q.sort == options.ChooseEfficient {
		slices.Sort(want)
		slices.Sort(has)
	}
	if d := diff.Diff(want, has, cmpopts.EquateEmpty()); d != "" {
		return fmt.Errorf("paging %s: -want +got:\n%s", q, d)
	}
	return nil
}

// abandon takes a few rows and walks away.
func abandon(ctx context.Context, r datastore.Reader, q query, rows int) error {
	result, err := q.on(ctx, r)
	if err != nil {
		return fmt.Errorf("%s: %w", q, err)
	}
	for _, err := range result {
		if rows--; err != nil || rows <= 0 {
			return err
		}
	}
	return nil
}

// ordered reports whether a sort order fixes the order of a result.
func ordered(o options.SortOrder) bool {
	return o == options.ByResource || o == options.BySubject
}
