package engine

import (
	"context"
	"errors"
	"io"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/internal/schemacheck/diff"
)

// pageOfOrphans is how many relationships are read at once.
const pageOfOrphans = 1000

// CountOrphans counts the relationships, expired ones aside, that a removal from the schema leaves
// without a place, up to limit; of resources whose ids begin with prefix only, unless that is "".
// Errors are ctx's and as of [Fault].
func CountOrphans(ctx context.Context, conn grpc.ClientConnInterface, removal diff.Removal, prefix string, limit int) (diff.Orphans, error) {
	var found diff.Orphans
	err := eachOrphan(ctx, conn, removal, prefix, func(page []*v1.Relationship) (bool, error) {
		found.Count += len(page)
		if found.Count > limit {
			found = diff.Orphans{Count: limit, More: true}
		}
		return !found.More, nil
	})
	return found, err
}

// DeleteOrphans deletes the relationships that CountOrphans counts, all of them, a call for each
// batch, and tells progress after each how many are gone. If it fails, at most one batch more than was told is gone.
// Errors are those of progress, ctx's and as of [Fault].
func (e *Engine) DeleteOrphans(ctx context.Context, removal diff.Removal, progress func(deleted int) error) error {
	client := v1.NewPermissionsServiceClient(e.conn)
	deleted := 0
	return eachOrphan(ctx, e.conn, removal, "", func(page []*v1.Relationship) (bool, error) {
		for len(page) > 0 {
			n := min(len(page), e.maxUpdates)
			updates := make([]*v1.RelationshipUpdate, n)
			for i, r := range page[:n] {
				updates[i] = &v1.RelationshipUpdate{Operation: v1.RelationshipUpdate_OPERATION_DELETE, Relationship: r}
			}
			if _, err := client.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: updates}); err != nil {
				return false, Fault(err)
			}
			deleted += n
			if err := progress(deleted); err != nil {
				return false, err
			}
			page = page[n:]
		}
		return true, nil
	})
}

// eachOrphan calls fn with the relationships that a removal selects, page by page, until fn returns false.
// All pages are of one moment: what fn deletes does not disturb it, and what is written meanwhile is not seen.
func eachOrphan(ctx context.Context, conn grpc.ClientConnInterface, removal diff.Removal, prefix string, fn func([]*v1.Relationship) (bool, error)) error {
	filter := &v1.RelationshipFilter{ResourceType: removal.Definition, OptionalRelation: removal.Relation, OptionalResourceIdPrefix: prefix}
	if t := removal.Type; t != nil {
		filter.OptionalSubjectFilter = &v1.SubjectFilter{
			SubjectType: t.Definition, OptionalRelation: &v1.SubjectFilter_RelationFilter{Relation: t.Relation},
		}
		if t.Wildcard {
			filter.OptionalSubjectFilter.OptionalSubjectId = everybody
		}
	}
	request := &v1.ReadRelationshipsRequest{
		Consistency:        &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		RelationshipFilter: filter, OptionalLimit: pageOfOrphans,
	}
	for {
		page, read, err := orphansOf(ctx, conn, request, removal)
		if err != nil {
			return err
		}
		more, err := fn(page)
		if err != nil || !more || read < pageOfOrphans {
			return err
		}
	}
}

// everybody is the id of a wildcard.
const everybody = "*"

// orphansOf reads a page, of which it keeps what a removal selects, and moves the request to the next.
func orphansOf(ctx context.Context, conn grpc.ClientConnInterface, request *v1.ReadRelationshipsRequest, removal diff.Removal) (page []*v1.Relationship, read int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := v1.NewPermissionsServiceClient(conn).ReadRelationships(ctx, request)
	if err != nil {
		return nil, 0, Fault(err)
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return page, read, nil
		}
		if err != nil {
			return nil, 0, Fault(err)
		}
		read++
		request.OptionalCursor = m.GetAfterResultCursor()
		if selects(removal, m.GetRelationship()) {
			page = append(page, m.GetRelationship())
		}
	}
}

// selects decides what a filter of SpiceDB's cannot: wildcard, caveat and expiration.
func selects(removal diff.Removal, r *v1.Relationship) bool {
	t := removal.Type
	return t == nil || t.Wildcard == (r.GetSubject().GetObject().GetObjectId() == everybody) &&
		t.Caveat == r.GetOptionalCaveat().GetCaveatName() && t.Expiration == (r.GetOptionalExpiresAt() != nil)
}
