package relay

import (
	"context"
	"errors"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
)

// full reports whether the engine had no room for a write.
func full(err error) bool { return fault.HasCode(err, engine.CodeFull) }

// moved reports whether the engine refused a write because its mark was another.
func moved(err error) bool {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason() == v1.ErrorReason_ERROR_REASON_WRITE_OR_DELETE_PRECONDITION_FAILURE.String()
		}
	}
	return false
}

// transient reports whether trying again may help without anybody's doing.
func transient(err error) bool {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Kind == fault.Unavailable
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	s, fromEngine := status.FromError(err)
	return fromEngine && !refusal(s.Code())
}

// refused reports whether an error will stay until somebody does something about it.
func refused(err error) bool {
	if isFault(err) {
		return true
	}
	s, fromEngine := status.FromError(err)
	return fromEngine && refusal(s.Code())
}

func isFault(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return ok
}

func refusal(c codes.Code) bool {
	switch c {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.NotFound, codes.Unimplemented, codes.PermissionDenied, codes.Unauthenticated, codes.OutOfRange, codes.AlreadyExists:
		return true
	default: // Unavailable, DeadlineExceeded, Aborted, …
		return false
	}
}
