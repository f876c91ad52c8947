package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/engine/sqlite"
	"github.com/tenantry/tenantry/internal/fault"
)

func TestFault_GoesByTheStatusCode(t *testing.T) {
	for code, want := range map[codes.Code]struct {
		kind fault.Kind
		code string
	}{
		codes.Unavailable:        {fault.Unavailable, engine.CodeUnavailable},
		codes.DeadlineExceeded:   {fault.Unavailable, engine.CodeUnavailable},
		codes.ResourceExhausted:  {fault.Unavailable, engine.CodeUnavailable},
		codes.Aborted:            {fault.Unavailable, engine.CodeUnavailable},
		codes.Unauthenticated:    {fault.Unavailable, engine.CodeUnauthorized},
		codes.PermissionDenied:   {fault.Unavailable, engine.CodeUnauthorized},
		codes.InvalidArgument:    {fault.Invalid, engine.CodeInvalid},
		codes.FailedPrecondition: {fault.Conflict, engine.CodeState},
		codes.OutOfRange:         {fault.Conflict, engine.CodeExpired},
		codes.AlreadyExists:      {fault.Exists, engine.CodeExists},
		codes.NotFound:           {fault.NotFound, engine.CodeNotFound},
		codes.Internal:           {fault.Internal, engine.CodeFailure},
		codes.Unknown:            {fault.Internal, engine.CodeFailure},
		codes.Unimplemented:      {fault.Internal, engine.CodeFailure},
	} {
		t.Run(code.String(), func(t *testing.T) {
			original := fmt.Errorf("call: %w", status.Error(code, "said SpiceDB"))
			err := engine.Fault(original)
			hasCode(t, err, want.kind, want.code)
			if !errors.Is(err, original) {
				t.Error("the cause is lost")
			}
			if again := engine.Fault(err); again != err { //nolint:errorlint // the very same is meant
				t.Errorf("a fault became another: %v", again)
			}
		})
	}
}

func TestFault_TellsAFullDiskFromAnEngineThatIsAway(t *testing.T) {
	hasCode(t, engine.Fault(status.Error(codes.ResourceExhausted, "writing: "+sqlite.ErrFull.Error())), fault.Unavailable, engine.CodeFull)
}

func TestFault_LeavesCancellationAlone(t *testing.T) {
	if engine.Fault(nil) != nil {
		t.Error("nil became an error")
	}
	if err := engine.Fault(context.Canceled); err != context.Canceled { //nolint:errorlint // the very same is meant
		t.Errorf("context.Canceled became %v", err)
	}
	if err := engine.Fault(status.Error(codes.Canceled, "gone")); !errors.Is(err, context.Canceled) {
		t.Errorf("the status Canceled became %v", err)
	}
	hasCode(t, engine.Fault(context.DeadlineExceeded), fault.Unavailable, engine.CodeUnavailable)
	hasCode(t, engine.Fault(errors.New("odd")), fault.Internal, engine.CodeFailure)
}

func TestFault_KnowsSpiceDBsReasons(t *testing.T) {
	c := withSchema(t, engine.EmbeddedConfig{})
	token := c.write("account:t/a#environment@environment:t")
	check := func(resource, permission string) error {
		_, err := c.permissions.CheckPermission(c.ctx(), &v1.CheckPermissionRequest{
			Resource: object(resource), Permission: permission, Subject: &v1.SubjectReference{Object: object("user:t/ada")},
		})
		return engine.Fault(err)
	}
	write := func(updates ...*v1.RelationshipUpdate) error {
		_, err := c.permissions.WriteRelationships(c.ctx(), &v1.WriteRelationshipsRequest{Updates: updates})
		return engine.Fault(err)
	}
	hasCode(t, check("nothing:t/a", "access"), fault.Invalid, engine.CodeUnknown)
	hasCode(t, check("account:t/a", "nothing"), fault.Invalid, engine.CodeUnknown)
	hasCode(t, check("account:", "access"), fault.Invalid, engine.CodeInvalid)
	hasCode(t, write(touch(rel("account:t/a#environment@user:t/ada"))...), fault.Invalid, engine.CodeInvalid)

	again := touch(rel("account:t/a#environment@environment:t"))
	again[0].Operation = v1.RelationshipUpdate_OPERATION_CREATE
	hasCode(t, write(again...), fault.Exists, engine.CodeExists)

	many := make([]*v1.Relationship, 1001)
	for i := range many {
		many[i] = rel(fmt.Sprintf("account:t/%d#environment@environment:t", i))
	}
	hasCode(t, write(touch(many...)...), fault.TooLarge, engine.CodeLimit)

	stream, err := c.permissions.LookupResources(c.ctx(), &v1.LookupResourcesRequest{
		Consistency: atLeast(token), ResourceObjectType: "account", Permission: "access", OptionalLimit: 10,
		Subject: &v1.SubjectReference{Object: object("user:t/ada")}, OptionalCursor: &v1.Cursor{Token: "bm90IGEgY3Vyc29y"},
	})
	if err == nil {
		_, err = stream.Recv()
	}
	hasCode(t, engine.Fault(err), fault.Invalid, engine.CodeInvalid)
}
