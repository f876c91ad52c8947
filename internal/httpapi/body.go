package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// readInput checks what a request says in its address, and reads its body, of most bytes at most, if the operation takes one.
func (s *server) readInput(op *huma.Operation, w http.ResponseWriter, r *http.Request, most int64) error {
	if r.URL.RawQuery != "" {
		if err := checkQuery(op, r.URL.Query()); err != nil {
			return err
		}
	}
	if body := op.RequestBody; body != nil && (body.Required || r.ContentLength != 0) {
		return s.readBody(w, r, most)
	}
	return nil
}

// checkQuery refuses a parameter that is there twice and has one value, or is empty: a caller whose
// variable was empty does not mean all there is. Nothing to search for, and no
// page to go on from, may be said so. Invalid faults (invalid_request).
func checkQuery(op *huma.Operation, query url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(query)) {
		values := query[name]
		several := slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == name && p.Schema.Type == huma.TypeArray })
		if len(values) > 1 && !several {
			return fault.New(fault.Invalid, "invalid_request", "%s is there %d times", account.Quote(name), len(values)).In(name)
		}
		if slices.Contains(values, "") && name != "q" && name != "cursor" {
			return fault.New(fault.Invalid, "invalid_request", "%s is empty; leave it out if it is not meant", account.Quote(name)).In(name)
		}
	}
	return nil
}

// readBody replaces the request's body, of most bytes at most, by one that is in memory.
//
// Faults: unsupported_media_type, body_too_large, body_timeout, invalid_json (there is none).
func (s *server) readBody(w http.ResponseWriter, r *http.Request, most int64) error {
	if t := r.Header.Get("Content-Type"); t != "" && t != "application/json" {
		if media, _, err := mime.ParseMediaType(t); err != nil || media != "application/json" {
			return fault.New(fault.Invalid, "unsupported_media_type", "the body is to be application/json, not %s", account.Quote(t)).In("Content-Type")
		}
	}
	text, err := s.readAll(w, r, most)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return invalidJSON("there is no body; a JSON object is needed")
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json") // as huma spells it
	return nil
}

// readAll reads a request's body, of most bytes at most. Faults: body_too_large,
// body_timeout, invalid_json (it ends too early).
func (s *server) readAll(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	// The deadline is for the body only: left in place it would end requests that
	// wait for something else. Where the body is at fault it stays, since the server
	// reads on after the answer. A recorder in a test has none, which is no matter.
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(s.cfg.BodyTimeout))
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err == nil {
		_ = deadline.SetReadDeadline(time.Time{})
	}
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case tooLarge:
		return nil, fault.New(fault.TooLarge, "body_too_large", "the body has more than %d bytes", most)
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return nil, fault.New(fault.Invalid, "body_timeout", "the body did not arrive within %s", s.cfg.BodyTimeout)
	case err != nil:
		w.Header().Set("Connection", "close")
		return nil, invalidJSON("the body ends too early").Because(err)
	}
	return text, nil
}

// decoder is an input with a body to decode.
type decoder interface {
	decode(huma.Registry) error
}

// WithBody is embedded by inputs that have a JSON body.
type WithBody[T any] struct {
	Body jsonBody[T]
}

func (b *WithBody[T]) decode(r huma.Registry) error { return b.Body.decode(r) }

// body returns the decoded body.
func (b *WithBody[T]) body() *T { return &b.Body.value }

// MayHaveBody is embedded by inputs that take a JSON body or none.
type MayHaveBody[T any] struct {
	Body *jsonBody[T]
}

func (b *MayHaveBody[T]) decode(r huma.Registry) error {
	if b.Body == nil {
		return nil
	}
	return b.Body.decode(r)
}

// body returns the decoded body, the zero T if there was none.
func (b *MayHaveBody[T]) body() *T {
	if b.Body == nil {
		return new(T)
	}
	return &b.Body.value
}

// jsonBody is a JSON body of type T. It is kept as it came, and decoded only
// after the caller is known.
type jsonBody[T any] struct {
	text  []byte
	value T
}

// UnmarshalJSON keeps the text.
func (b *jsonBody[T]) UnmarshalJSON(text []byte) error {
	b.text = bytes.Clone(text)
	return nil
}

// Schema is T's schema.
func (*jsonBody[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// decode reads the text strictly: well-formed JSON without repeated fields, in
// T's schema, without unknown fields.
//
// Faults: Invalid (invalid_json, invalid_request), naming the field.
func (b *jsonBody[T]) decode(r huma.Registry) error {
	if q, ok := any(&b.value).(quickly); ok && q.readQuickly(b.text) {
		return nil
	}
	return b.decodeStrictly(r)
}

func (b *jsonBody[T]) decodeStrictly(r huma.Registry) error {
	parsed, err := parseJSON(b.text)
	if err != nil {
		return err
	}
	result := &huma.ValidateResult{}
	path := huma.NewPathBuffer(nil, 0)
	path.Push("body")
	huma.Validate(r, b.Schema(r), path, huma.ModeWriteToServer, parsed, result)
	if len(result.Errors) > 0 {
		return invalidRequest("", result.Errors)
	}
	if err := json.Unmarshal(b.text, &b.value); err != nil {
		return mismatch(err).Because(err)
	}
	return nil
}

// mismatch is the fault of a JSON value that does not fit its field, without Go's names for it.
func mismatch(err error) *fault.Error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return invalidRequest(fmt.Sprintf("%s cannot be a %s", wrong.Field, wrong.Value), nil).In(wrong.Field)
	}
	return invalidRequest("a value is not in the form that its field takes", nil)
}
