package worker

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"slices"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/internal/relation"
)

// SwitcherPermission is what the account switcher looks accounts up by.
const SwitcherPermission = "member_access"

func object(kind, id string) *v1.ObjectReference {
	return &v1.ObjectReference{ObjectType: kind, ObjectId: id}
}

func user(id string) *v1.SubjectReference {
	return &v1.SubjectReference{Object: object(relation.TypeUser, id)}
}

func fully() *v1.Consistency {
	return &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}}
}

// checks asks one question after the other, until all are asked or the limit has passed.
func (w *Worker) checks(ctx context.Context, r wire.Request) (wire.Answer, error) {
	at := fully()
	if r.Fresh {
		token, err := w.touch(ctx, w.fresh(1)...)
		if err != nil {
			return wire.Answer{}, err
		}
		at = &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: token}}
	}
	a := wire.Answer{}
	start := time.Now()
	for _, q := range r.Questions {
		if r.Limit > 0 && time.Since(start) > r.Limit {
			a.Cut = true
			break
		}
		asked := time.Now()
		answer, err := w.client.CheckPermission(ctx, &v1.CheckPermissionRequest{
			Consistency: at, Resource: object(relation.TypeAccount, q.Account), Permission: q.Permission, Subject: user(q.User),
		})
		if err != nil {
			return a, err
		}
		a.Times = append(a.Times, time.Since(asked))
		a.Answers = append(a.Answers, answer.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION)
	}
	a.Took, a.Count = time.Since(start), len(a.Times)
	return a, nil
}

// lookup streams every account that a user is a member of. Took is until the stream's end.
func (w *Worker) lookup(ctx context.Context, r wire.Request) (wire.Answer, error) {
	bounded, cancel := ctx, context.CancelFunc(func() {})
	if r.Limit > 0 {
		bounded, cancel = context.WithTimeout(ctx, r.Limit)
	}
	defer cancel()
	start := time.Now()
	stream, err := w.client.LookupResources(bounded, &v1.LookupResourcesRequest{
		Consistency: fully(), ResourceObjectType: relation.TypeAccount, Permission: SwitcherPermission, Subject: user(r.User),
	})
	var ids []string
	for err == nil {
		var m *v1.LookupResourcesResponse
		if m, err = stream.Recv(); err == nil {
			ids = append(ids, m.GetResourceObjectId())
		}
	}
	a := wire.Answer{Took: time.Since(start)}
	if !errors.Is(err, io.EOF) {
		if a.Cut = bounded.Err() != nil && ctx.Err() == nil; !a.Cut {
			return a, err
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	digest := fnv.New64a()
	for _, id := range ids {
		_, _ = io.WriteString(digest, id+"\n") // a hash takes everything
	}
	a.Count, a.Digest = len(ids), digest.Sum64()
	return a, nil
}
