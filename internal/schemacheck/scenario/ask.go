package scenario

import (
	"context"
	"errors"
	"fmt"

	api "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/relation"
)

// question is one check.
type question struct {
	resource   relation.Object
	permission string
	subject    relation.Object
}

// answer is what a check comes to.
type answer struct {
	allowed     bool
	conditional bool // a caveat's context is lacking: not allowed as it is
	err         error
}

var errTooDeep = errors.New("this leads over more levels of objects than SpiceDB follows, or in a circle")

// checksAtOnce is how many checks are asked in one call.
const checksAtOnce = 500

// ask answers the questions, in their order, with all that was written before.
//
// Which accounts somebody has is asked account by account, not looked up: a
// lookup gives up beyond some 48 results on a chain, and a check is what a
// request of theirs would meet.
func (w *world) ask(ctx context.Context, questions []question) ([]answer, error) {
	answers := make([]answer, 0, len(questions))
	for len(questions) > 0 {
		n := min(checksAtOnce, len(questions))
		items := make([]*api.CheckBulkPermissionsRequestItem, n)
		for i, q := range questions[:n] {
			items[i] = &api.CheckBulkPermissionsRequestItem{
				Resource: q.resource.Proto(), Permission: q.permission, Subject: &api.SubjectReference{Object: q.subject.Proto()},
			}
		}
		got, err := api.NewPermissionsServiceClient(w.conn).CheckBulkPermissions(ctx, &api.CheckBulkPermissionsRequest{
			Consistency: &api.Consistency{Requirement: &api.Consistency_FullyConsistent{FullyConsistent: true}}, Items: items,
		})
		if err != nil {
			return nil, fmt.Errorf("check: %w", err)
		}
		if len(got.GetPairs()) != n {
			return nil, fmt.Errorf("check: %d answers to %d questions", len(got.GetPairs()), n)
		}
		for i, pair := range got.GetPairs() {
			a := answer{err: tooDeep(status.FromProto(pair.GetError()))}
			if a.err != nil && n > 1 { // questions that are answered together fail together
				alone, err := w.ask(ctx, questions[i:i+1])
				if err != nil {
					return nil, err
				}
				answers = append(answers, alone[0])
				continue
			}
			p := pair.GetItem().GetPermissionship()
			a.allowed = p == api.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
			a.conditional = p == api.CheckPermissionResponse_PERMISSIONSHIP_CONDITIONAL_PERMISSION
			answers = append(answers, a)
		}
		questions = questions[n:]
	}
	return answers, nil
}

// tooDeep returns the error of a status, nil if there is none; errTooDeep for the one that says so.
func tooDeep(s *status.Status) error {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetReason() == api.ErrorReason_ERROR_REASON_MAXIMUM_DEPTH_EXCEEDED.String() {
			return errTooDeep
		}
	}
	return s.Err()
}
