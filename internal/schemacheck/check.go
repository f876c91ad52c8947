package schemacheck

import (
	"fmt"
	"slices"
	"strings"

	api "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/development"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// outcome is what a check comes to.
type outcome string

const (
	isTrue     outcome = "true"
	isFalse    outcome = "false"
	isCaveated outcome = "conditional"
)

// checker runs checks as a server would: over up to some 48 levels of objects, as
// deep as an account tree may be (A2), and without the trace that SpiceDB's checker for
// developers makes of each, which takes longer than the check.
type checker struct {
	world *development.DevContext
	conn  *grpc.ClientConn
	stop  func()
}

func newChecker(world *development.DevContext) (*checker, error) {
	conn, stop, err := world.RunV1InMemoryService()
	if err != nil {
		return nil, fmt.Errorf("starting the checker: %w", err)
	}
	return &checker{world, conn, stop}, nil
}

// check runs an assertion's check, and says on what the outcome depends if it is conditional.
func (c *checker) check(a assertion) (is outcome, why string, err error) {
	given, err := structpb.NewStruct(a.CaveatContext)
	if err != nil {
		return "", "", fmt.Errorf("reading the context: %w", err)
	}
	r := a.Relationship
	relation := r.Subject.Relation
	if relation == tuple.Ellipsis {
		relation = ""
	}
	got, err := api.NewPermissionsServiceClient(c.conn).CheckPermission(c.world.Ctx, &api.CheckPermissionRequest{
		Consistency: &api.Consistency{Requirement: &api.Consistency_FullyConsistent{FullyConsistent: true}},
		Resource:    &api.ObjectReference{ObjectType: r.Resource.ObjectType, ObjectId: r.Resource.ObjectID},
		Permission:  r.Resource.Relation,
		Subject: &api.SubjectReference{
			Object:           &api.ObjectReference{ObjectType: r.Subject.ObjectType, ObjectId: r.Subject.ObjectID},
			OptionalRelation: relation,
		},
		Context: given,
	})
	if err != nil {
		return "", "", err
	}
	switch got.GetPermissionship() {
	case api.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION:
		return isTrue, "", nil
	case api.CheckPermissionResponse_PERMISSIONSHIP_CONDITIONAL_PERMISSION:
		return isCaveated, lacks(got.GetPartialCaveatInfo().GetMissingRequiredContext()), nil
	default:
		return isFalse, "", nil
	}
}

func lacks(fields []string) string {
	return ": the context lacks " + strings.Join(slices.Compact(slices.Sorted(slices.Values(fields))), ", ")
}

// isTooDeep reports whether a check was given up because it led over too many levels.
func isTooDeep(err error) bool {
	return slices.ContainsFunc(status.Convert(err).Details(), func(detail any) bool {
		info, ok := detail.(*errdetails.ErrorInfo)
		return ok && info.GetReason() == api.ErrorReason_ERROR_REASON_MAXIMUM_DEPTH_EXCEEDED.String()
	})
}
