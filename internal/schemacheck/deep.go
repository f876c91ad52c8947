package schemacheck

import (
	"fmt"

	api "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/development"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"
)

// deep runs checks as a server would, over up to some 48 levels of objects. The
// plain checker, which is cheaper, gives up at about half of that, and the depth
// of an account tree may be more (A2). It starts when it is first needed.
type deep struct {
	world *development.DevContext
	conn  *grpc.ClientConn
	stop  func()
}

// close stops what check started.
func (d *deep) close() {
	if d.stop != nil {
		d.stop()
	}
}

// check runs an assertion's check.
func (d *deep) check(a assertion) (is outcome, why string, err error) {
	if d.conn == nil {
		if d.conn, d.stop, err = d.world.RunV1InMemoryService(); err != nil {
			return "", "", fmt.Errorf("starting the checker: %w", err)
		}
	}
	given, err := structpb.NewStruct(a.CaveatContext)
	if err != nil {
		return "", "", fmt.Errorf("reading the context: %w", err)
	}
	r := a.Relationship
	relation := r.Subject.Relation
	if relation == tuple.Ellipsis {
		relation = ""
	}
	got, err := api.NewPermissionsServiceClient(d.conn).CheckPermission(d.world.Ctx, &api.CheckPermissionRequest{
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
