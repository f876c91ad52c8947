package sqlite

import (
	"slices"
	"strings"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
)

// maxIDs is the most ids that one statement takes; longer lists are cut into several.
const maxIDs = 1024

// plan is what a query reads: some arms, each within one kind, and what to do with their rows.
//
// Every filter comes down to this. The types and relations that it names, or leaves open, choose
// kinds; what is left are ids of the resource and of the subject, for which each kind has an index
// from both sides.
type plan struct {
	arms  []arm
	order options.SortOrder // ByResource, BySubject, or Unsorted
	limit int64             // -1 is none

	caveat     datastore.CaveatNameFilter
	expiration datastore.ExpirationFilterOption

	skipCaveats    bool // nobody wants to know them
	skipExpiration bool // nothing expires
}

// arm reads the relationships of one kind.
type arm struct {
	kind      *kind
	resources []string // ids; nil is any
	prefix    string   // of the resource id
	subjects  []string // ids; nil is any
	bounds    []bound
	begun     bool // a bound lies within the prefix
}

// forward plans a query that begins at resources.
func forward(k *kinds, f datastore.RelationshipsFilter, o *options.QueryOptions) (plan, error) {
	p := plan{
		order: o.Sort, limit: limit(o.Limit), caveat: f.OptionalCaveatNameFilter, expiration: f.OptionalExpirationOption,
		skipCaveats:    o.SkipCaveats && f.OptionalCaveatNameFilter.Option == datastore.CaveatFilterOptionNone,
		skipExpiration: o.SkipExpiration && f.OptionalExpirationOption == datastore.ExpirationFilterOptionNone,
	}
	for _, one := range k.of(f.OptionalResourceType, f.OptionalResourceRelation) {
		subjects, any := selected(one, f.OptionalSubjectsSelectors)
		if !any {
			continue
		}
		p.arms = append(p.arms, arm{kind: one, resources: distinct(f.OptionalResourceIds), prefix: f.OptionalResourceIDPrefix, subjects: subjects})
	}
	return p, p.finish(o.After, o.BeforeOrEqual)
}

// reverse plans a query that begins at subjects.
func reverse(k *kinds, f datastore.SubjectsFilter, o *options.ReverseQueryOptions) (plan, error) {
	p := plan{
		order: o.SortForReverse, limit: limit(o.LimitForReverse),
		skipCaveats: o.SkipCaveatsForReverse, skipExpiration: o.SkipExpirationForReverse,
	}
	var at options.ResourceRelation
	if o.ResRelation != nil {
		at = *o.ResRelation
	}
	for _, one := range k.of(at.Namespace, at.Relation) {
		if one.relates(f.SubjectType, f.RelationFilter) {
			p.arms = append(p.arms, arm{kind: one, subjects: distinct(f.OptionalSubjectIds)})
		}
	}
	return p, p.finish(o.AfterForReverse, nil)
}

// finish settles the order, and applies cursors and the bound on ids.
func (p *plan) finish(after, upTo options.Cursor) error {
	if p.order == options.ChooseEfficient {
		p.order = options.ByResource
		if len(p.arms) > 0 && p.arms[0].subjects != nil && p.arms[0].resources == nil {
			p.order = options.BySubject
		}
	}
	if p.order == options.Unsorted && (after != nil || upTo != nil) {
		return datastore.ErrCursorsWithoutSorting
	}
	arms := p.arms[:0:0]
	for _, a := range p.arms {
		if !a.within(p.order, after, upTo) {
			continue
		}
		for _, one := range a.seek(p.order) {
			arms = append(arms, one.split()...)
		}
	}
	p.arms = arms
	return nil
}

// split cuts an arm with very many ids into several.
func (a arm) split() []arm {
	if len(a.resources) <= maxIDs && len(a.subjects) <= maxIDs {
		return []arm{a}
	}
	var out []arm
	for _, resources := range chunks(a.resources) {
		for _, subjects := range chunks(a.subjects) {
			one := a
			one.resources, one.subjects = resources, subjects
			out = append(out, one)
		}
	}
	return out
}

func chunks(ids []string) [][]string {
	if ids == nil {
		return [][]string{nil}
	}
	return slices.Collect(slices.Chunk(ids, maxIDs))
}

func limit(n *uint64) int64 {
	if n == nil || *n > forever {
		return -1
	}
	return int64(*n)
}

// selected gives the subject ids that any of the selectors asks of a kind, nil if one takes all;
// false if none asks for the kind. No selectors at all take everything.
func selected(k *kind, selectors []datastore.SubjectsSelector) ([]string, bool) {
	if len(selectors) == 0 {
		return nil, true
	}
	var ids []string
	asked := false
	for _, s := range selectors {
		if !k.relates(s.OptionalSubjectType, s.RelationFilter) {
			continue
		}
		if len(s.OptionalSubjectIds) == 0 {
			return nil, true
		}
		asked = true
		ids = append(ids, s.OptionalSubjectIds...)
	}
	return distinct(ids), asked
}

// distinct leaves out repetitions; nil if there are no ids.
func distinct(ids []string) []string {
	switch len(ids) {
	case 0:
		return nil
	case 1:
		return ids
	}
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// before is the order of a sorted query: bytewise by the parts of one side, then of the other.
func before(order options.SortOrder, a, b *tuple.Relationship) int {
	if order == options.BySubject {
		if c := sides(a.Subject, b.Subject); c != 0 {
			return c
		}
		return sides(a.Resource, b.Resource)
	}
	if c := sides(a.Resource, b.Resource); c != 0 {
		return c
	}
	return sides(a.Subject, b.Subject)
}

func sides(a, b tuple.ObjectAndRelation) int {
	if c := strings.Compare(a.ObjectType, b.ObjectType); c != 0 {
		return c
	}
	if c := strings.Compare(a.ObjectID, b.ObjectID); c != 0 {
		return c
	}
	return strings.Compare(a.Relation, b.Relation)
}
