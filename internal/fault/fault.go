// Package fault defines the closed set of error kinds that Tenantry reports, each error carrying a stable code for machines and a text for people.
//
// A kind is itself an error, so errors.Is(err, fault.NotFound) holds for every
// fault of that kind, however deeply it is wrapped. The text of a fault is meant
// for the caller; its cause is for the log only.
package fault

import (
	"errors"
	"fmt"
	"net/http"
)

// Kind says what went wrong in terms a caller can act on. It implements error so that errors.Is works on it.
type Kind string

// The kinds. Every error that leaves a use case has one of them; anything else is Internal.
const (
	Invalid         Kind = "invalid"           // the request can never succeed as it is
	Unauthenticated Kind = "unauthenticated"   // who is calling is unknown
	Denied          Kind = "permission denied" // known, but not allowed
	NotFound        Kind = "not found"         // the thing named does not exist (or may not be seen)
	Exists          Kind = "already exists"    // the identifier is taken
	Conflict        Kind = "conflict"          // the state of the directory forbids it now
	Stale           Kind = "stale"             // If-Match named an older state
	TooLarge        Kind = "too large"         // the request is over a bound
	Limited         Kind = "limited"           // the caller asks more than one may: ask later, and less
	Unavailable     Kind = "unavailable"       // try again: the engine or the directory is away or behind
	Internal        Kind = "internal"          // our own fault
)

// Error makes a Kind usable as a target of errors.Is.
func (k Kind) Error() string { return string(k) }

// Error is a failure with a kind, a stable code, and a text that may be shown to the caller.
type Error struct {
	Kind  Kind
	Code  string // stable, snake_case; documented in docs/errors.md
	Field string // the field of the request at fault, or ""
	Line  int    // the line of an NDJSON input at fault, counted from 1, or 0
	Text  string // for people; holds no secret and no internals
	cause error
}

// New returns a fault of the given kind and code; text and args are as in fmt.Sprintf.
func New(kind Kind, code, text string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Text: fmt.Sprintf(text, args...)}
}

// In returns a copy of e that names the field of the request at fault.
func (e *Error) In(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// AtLine returns a copy of e that names the line of the input at fault.
func (e *Error) AtLine(line int) *Error {
	c := *e
	c.Line = line
	return &c
}

// Because returns a copy of e with the underlying cause, which is logged and never shown.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error returns the text, with the line and the cause where there is one.
func (e *Error) Error() string {
	s := e.Text
	if e.Line > 0 {
		s = fmt.Sprintf("line %d: %s", e.Line, s)
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap gives access to the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the fault's kind, or a fault with the same code.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case Kind:
		return e.Kind == t
	case *Error:
		return e.Code == t.Code
	default:
		return false
	}
}

// HasCode reports whether err is, or wraps, a fault with a code.
func HasCode(err error, code string) bool {
	f, ok := errors.AsType[*Error](err)
	return ok && f.Code == code
}

// From returns err as a fault: itself if it is one, otherwise an Internal fault that hides it.
func From(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return New(Internal, "internal", "something went wrong inside Tenantry; the log has the details").Because(err)
}

// HTTPStatus is the one table from kinds to HTTP status codes.
func (k Kind) HTTPStatus() int {
	switch k {
	case Invalid:
		return http.StatusUnprocessableEntity
	case Unauthenticated:
		return http.StatusUnauthorized
	case Denied:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case Exists, Conflict:
		return http.StatusConflict
	case Stale:
		return http.StatusPreconditionFailed
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Limited:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
