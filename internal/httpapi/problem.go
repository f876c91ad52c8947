package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"

	"github.com/tenantry/tenantry/internal/fault"
)

const problemType = "application/problem+json"

// Problem is how every error is told (RFC 9457); code is the member to act on.
type Problem struct {
	Type      string `json:"type" doc:"A URN that names the kind of problem: urn:tenantry:error: and the code." example:"urn:tenantry:error:account_not_found"`
	Title     string `json:"title" doc:"The HTTP status in words." example:"Not Found"`
	Status    int    `json:"status" doc:"The HTTP status." example:"404"`
	Detail    string `json:"detail" doc:"What is wrong, for people." example:"there is no account globex"`
	Code      string `json:"code" doc:"What is wrong, for programs; stable. docs/errors.md lists every code." example:"account_not_found"`
	Field     string `json:"field,omitempty" doc:"The field, parameter or header at fault." example:"parent"`
	Line      int    `json:"line,omitempty" doc:"The line of an NDJSON input at fault, counted from 1."`
	RequestID string `json:"request_id,omitempty" doc:"The request, as in the log and in X-Request-Id."`
}

// Error makes a Problem an error for huma, which writes it as the answer.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status, for huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the media type of problems, for huma.
func (*Problem) ContentType(string) string { return problemType }

// GetHeaders returns the headers that go with the status, for huma.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="tenantry"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	return h
}

// statusOf is the HTTP status of a fault: its kind's, but for what only HTTP knows of.
func statusOf(f *fault.Error) int {
	switch f.Code {
	case "unsupported_media_type":
		return http.StatusUnsupportedMediaType
	case "method_not_allowed":
		return http.StatusMethodNotAllowed
	case "body_timeout":
		return http.StatusRequestTimeout
	default:
		return f.Kind.HTTPStatus()
	}
}

func newProblem(ctx context.Context, f *fault.Error) *Problem {
	status := statusOf(f)
	return &Problem{
		Type: "urn:tenantry:error:" + f.Code, Title: http.StatusText(status), Status: status,
		Detail: f.Text, Code: f.Code, Field: f.Field, Line: f.Line, RequestID: infoFrom(ctx).id,
	}
}

// problem turns an error into what the caller may know of it, and logs what the caller may not.
func (s *server) problem(ctx context.Context, err error) *Problem {
	f := fault.From(err)
	if f.Kind == fault.Internal && ctx.Err() != nil {
		f = interrupted(ctx.Err()).Because(err)
	}
	info := infoFrom(ctx)
	s.log.LogAttrs(ctx, levelOf(f), "request failed", slog.String("code", f.Code), slog.Any("error", err),
		slog.String("request_id", info.id), slog.String("actor", info.actor.Name()), slog.String("environment", string(info.actor.Environment)),
		slog.String("method", info.method), slog.String("path", info.path), slog.String("from", info.from))
	return newProblem(ctx, f)
}

// levelOf is how loudly a fault is logged: refusals are the caller's affair, and so is
// giving up. Who is too much does not fill the log as well: that is counted.
func levelOf(f *fault.Error) slog.Level {
	if f.Code == codeTooBusy || f.Code == codeCanceled || f.Code == codeNotReady { // the last was logged when it was found out
		return slog.LevelDebug
	}
	if f.Kind == fault.Internal {
		return slog.LevelError
	}
	if f.Kind == fault.Unavailable {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// The codes of what callers bring upon themselves, although the status is 503.
const (
	codeTooBusy  = "too_busy"
	codeCanceled = "request_canceled"
)

// interrupted is the fault of a request whose context ended before its use case did.
func interrupted(cause error) *fault.Error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "request_timeout", "the request took longer than it may; whether a change was made is not known, read it again or repeat it with the same Idempotency-Key")
	}
	return fault.New(fault.Unavailable, codeCanceled, "the request was given up by the caller")
}

// fail answers a request with a problem.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r.Context(), err)
	maps.Copy(w.Header(), p.GetHeaders())
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		s.log.Debug("the problem could not be sent", "error", err, "request_id", p.RequestID)
	}
}
