package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
	"github.com/tenantry/tenantry/internal/fault"
)

// The codes of the faults of this package.
const (
	CodeUnavailable   = "engine_unavailable"         // Unavailable: SpiceDB is away, overloaded or too slow
	CodeUnauthorized  = "engine_unauthorized"        // Unavailable: SpiceDB does not accept our key
	CodeFull          = "engine_full"                // Unavailable: there is no room for a write; nothing of it was kept
	CodeInvalid       = "engine_invalid_request"     // Invalid: the request can never succeed
	CodeUnknown       = "engine_unknown_definition"  // Invalid: the schema has no such type, relation or permission
	CodeLimit         = "engine_limit_exceeded"      // TooLarge: over a bound of SpiceDB's
	CodeTooDeep       = "engine_depth_exceeded"      // TooLarge: the hierarchy is deeper than SpiceDB follows
	CodePrecondition  = "engine_precondition_failed" // Conflict: a write's precondition does not hold; nothing was written
	CodeState         = "engine_conflict"            // Conflict: the state of SpiceDB forbids it
	CodeExpired       = "engine_revision_gone"       // Conflict: the token's revision is unknown or no longer kept
	CodeExists        = "engine_relationship_exists" // Exists: a relationship to be created is there
	CodeNotFound      = "engine_not_found"           // NotFound: among others, there is no schema yet
	CodeFailure       = "engine_failure"             // Internal: anything else
	CodeInvalidSchema = "invalid_schema"             // Invalid: the schema does not compile
	CodeSchemaInUse   = "schema_in_use"              // Conflict: relationships need what the schema would take away
	CodeSchemaDiffers = "schema_differs"             // Conflict: see ApplySchema
	CodeSchemaChanged = "schema_changed"             // Conflict: see SchemaPlan.Write
	CodeInvalidConfig = "invalid_engine"             // Invalid: see Remote
	CodeStart         = "engine_start"               // Internal: see Embedded
	CodeStopped       = "engine_stopped"             // Internal: see Engine.Run
	CodeInUse         = "engine_in_use"              // Conflict: another process has the file open for writing
	CodeMissing       = "engine_missing"             // NotFound: there is no engine in the file
	CodeCorrupt       = "engine_corrupt"             // Internal: the file is damaged
	CodeNewer         = "engine_newer"               // Conflict: a newer Tenantry has written the file
	CodeFile          = "engine_file"                // Internal: the file cannot be used for another reason
)

// Fault translates an error of a call to SpiceDB. It leaves nil, faults, and cancellation by
// the caller as they are, the last as context.Canceled, also where gRPC reports it as a status.
// The original error stays reachable: status.FromError finds it, with its details.
func Fault(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return away(err)
	}
	st, ok := status.FromError(err)
	if !ok {
		return failure(err)
	}
	if f := byReason(st); f != nil {
		return f.Because(err)
	}
	return byCode(st, err)
}

func away(err error) *fault.Error {
	return fault.New(fault.Unavailable, CodeUnavailable, "SpiceDB does not answer; try again").Because(err)
}

func noRoom(err error) *fault.Error {
	return fault.New(fault.Unavailable, CodeFull,
		"the disk is full: the engine cannot write, and goes on answering from what it has; make room, and it goes on by itself").Because(err)
}

func failure(err error) *fault.Error {
	return fault.New(fault.Internal, CodeFailure, "SpiceDB failed; the log has the details").Because(err)
}

// byCode goes by the status code alone.
func byCode(st *status.Status, err error) error {
	said := clip(st.Message())
	if st.Code() == codes.ResourceExhausted && strings.Contains(said, sqlite.ErrFull.Error()) {
		return noRoom(err)
	}
	switch st.Code() {
	case codes.Canceled:
		return fmt.Errorf("%w: %w", context.Canceled, err)
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Aborted:
		return away(err)
	case codes.Unauthenticated, codes.PermissionDenied:
		return fault.New(fault.Unavailable, CodeUnauthorized, "SpiceDB does not accept the key that Tenantry is set to use").Because(err)
	case codes.InvalidArgument:
		return fault.New(fault.Invalid, CodeInvalid, "SpiceDB: %s", said).Because(err)
	case codes.FailedPrecondition:
		return fault.New(fault.Conflict, CodeState, "SpiceDB: %s", said).Because(err)
	case codes.OutOfRange:
		return fault.New(fault.Conflict, CodeExpired, "the consistency token is not, or no longer, known to SpiceDB").Because(err)
	case codes.AlreadyExists:
		return fault.New(fault.Exists, CodeExists, "SpiceDB: %s", said).Because(err)
	case codes.NotFound:
		return fault.New(fault.NotFound, CodeNotFound, "SpiceDB: %s", said).Because(err)
	default:
		return failure(err)
	}
}

// byReason goes by the reason that SpiceDB adds to some errors; nil where it says no more than the code.
func byReason(st *status.Status) *fault.Error {
	reason, details := reasonOf(st)
	said := clip(st.Message())
	switch reason {
	case v1.ErrorReason_ERROR_REASON_WRITE_OR_DELETE_PRECONDITION_FAILURE:
		return fault.New(fault.Conflict, CodePrecondition, "a precondition of the write does not hold; nothing was written")
	case v1.ErrorReason_ERROR_REASON_MAXIMUM_DEPTH_EXCEEDED:
		return fault.New(fault.TooLarge, CodeTooDeep, "the hierarchy is deeper than SpiceDB is set to follow (%s steps)", details["maximum_depth_allowed"])
	case v1.ErrorReason_ERROR_REASON_UNKNOWN_DEFINITION,
		v1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION_OR_PERMISSION,
		v1.ErrorReason_ERROR_REASON_UNKNOWN_CAVEAT:
		return fault.New(fault.Invalid, CodeUnknown, "SpiceDB: %s", said)
	case v1.ErrorReason_ERROR_REASON_SCHEMA_PARSE_ERROR:
		return fault.New(fault.Invalid, CodeInvalidSchema, "the schema does not compile: %s", said)
	case v1.ErrorReason_ERROR_REASON_SCHEMA_TYPE_ERROR:
		if details["operation"] != "" { // only the check against what is stored names the operation it refuses
			return fault.New(fault.Conflict, CodeSchemaInUse, "the schema takes away what is in use: %s", said)
		}
		return fault.New(fault.Invalid, CodeInvalidSchema, "the schema does not hold together: %s", said)
	case v1.ErrorReason_ERROR_REASON_INVALID_CURSOR:
		return fault.New(fault.Invalid, CodeInvalid, "SpiceDB: %s", said)
	case v1.ErrorReason_ERROR_REASON_TOO_MANY_UPDATES_IN_REQUEST,
		v1.ErrorReason_ERROR_REASON_TOO_MANY_PRECONDITIONS_IN_REQUEST,
		v1.ErrorReason_ERROR_REASON_TOO_MANY_CHECKS_IN_REQUEST,
		v1.ErrorReason_ERROR_REASON_TOO_MANY_RELATIONSHIPS_FOR_TRANSACTIONAL_DELETE,
		v1.ErrorReason_ERROR_REASON_EXCEEDS_MAXIMUM_ALLOWABLE_LIMIT:
		return fault.New(fault.TooLarge, CodeLimit, "SpiceDB: %s", said)
	case v1.ErrorReason_ERROR_REASON_ATTEMPT_TO_RECREATE_RELATIONSHIP:
		return fault.New(fault.Exists, CodeExists, "SpiceDB: %s", said)
	case v1.ErrorReason_ERROR_REASON_SERIALIZATION_FAILURE,
		v1.ErrorReason_ERROR_REASON_INMEMORY_TOO_MANY_CONCURRENT_UPDATES,
		v1.ErrorReason_ERROR_REASON_DATASTORE_NOT_MIGRATED,
		v1.ErrorReason_ERROR_REASON_SERVICE_READ_ONLY:
		return fault.New(fault.Unavailable, CodeUnavailable, "SpiceDB cannot take the request now; try again")
	default:
		return nil
	}
}

func reasonOf(st *status.Status) (v1.ErrorReason, map[string]string) {
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return v1.ErrorReason(v1.ErrorReason_value[info.GetReason()]), info.GetMetadata()
		}
	}
	return v1.ErrorReason_ERROR_REASON_UNSPECIFIED, nil
}

// clip keeps a foreign text short enough to be shown.
func clip(s string) string {
	const most = 600
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
