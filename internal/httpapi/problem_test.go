package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

func TestProblemOfEveryKind(t *testing.T) {
	statuses := map[fault.Kind]int{
		fault.Invalid: 422, fault.Unauthenticated: 401, fault.Denied: 403, fault.NotFound: 404, fault.Exists: 409,
		fault.Conflict: 409, fault.Stale: 412, fault.TooLarge: 413, fault.Limited: 429, fault.Unavailable: 503, fault.Internal: 500,
	}
	for kind, status := range statuses {
		t.Run(string(kind), func(t *testing.T) {
			f := fault.New(kind, "some_code", "what is wrong").In("some.field").Because(errors.New("the disk is full"))
			a := failing(t, fmt.Errorf("wrapped: %w", f))
			got := a.do("GET", "/v1/accounts/globex", "").refused(status, "some_code", "some.field")
			if got.body["detail"] != "what is wrong" || strings.Contains(got.text, "disk") {
				t.Errorf("the problem tells %s", got.text)
			}
			if !strings.Contains(a.log.String(), "the disk is full") {
				t.Errorf("the cause is not in the log: %s", a.log)
			}
			if retry := got.header.Get("Retry-After"); (retry != "") != (status == 503) {
				t.Errorf("Retry-After is %q", retry)
			}
			if challenge := got.header.Get("WWW-Authenticate"); (challenge != "") != (status == 401) {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
		})
	}
}

func TestProblemOfSomethingUnknown(t *testing.T) {
	a := failing(t, errors.New("SQL logic error near secret_table"))
	got := a.do("GET", "/v1/accounts/globex", "").refused(500, "internal", "")
	if strings.Contains(got.text, "secret_table") {
		t.Errorf("the problem shows the cause: %s", got.text)
	}
	if log := a.log.String(); !strings.Contains(log, "secret_table") || !strings.Contains(log, "level=ERROR") || strings.Contains(log, "good") {
		t.Errorf("the log has the cause as an error, and no credential: %s", log)
	}
}

func TestPanicIsAProblem(t *testing.T) {
	a := failing(t, nil)
	got := a.do("GET", "/v1/accounts/globex", "").refused(500, "internal", "")
	if strings.Contains(got.text, "fire") || !strings.Contains(a.log.String(), "the store is on fire") {
		t.Errorf("answer %s\nlog %s", got.text, a.log)
	}
	a.do("GET", "/healthz", "").ok(200) // and life goes on
}

func TestPanicAfterTheAnswerBeganDropsTheConnection(t *testing.T) {
	s := build(Deps{}, Config{})
	h := s.recover(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		panic("too late")
	}))
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v, want ErrAbortHandler", err)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
}

func TestRouteProblems(t *testing.T) {
	a := failing(t, nil)
	a.do("GET", "/v2/accounts", "").refused(404, "route_not_found", "")
	a.do("GET", "/v1/accounts/", "").refused(404, "route_not_found", "")
	a.do("GET", "/docs", "").refused(404, "route_not_found", "")
	got := a.do("DELETE", "/v1/accounts", "").refused(405, "method_not_allowed", "")
	if allow := got.header.Get("Allow"); allow != "GET, POST" {
		t.Errorf("Allow is %q", allow)
	}
	a.do("BREW", "/v1/accounts", "").refused(405, "method_not_allowed", "")
}

// slow is a store that waits for the request's end.
type slow struct{ directory.Store }

func (slow) Head(ctx context.Context, _ account.EnvironmentID) (account.Version, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func (slow) AllowLists(context.Context, account.EnvironmentID, ...account.ID) (directory.AllowLists, error) {
	return directory.AllowLists{}, nil
}

func (slow) Read(ctx context.Context, _ account.EnvironmentID, _ func(directory.Reader) error) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestRequestTimeout(t *testing.T) {
	a := serve(t, Deps{Directory: newDirectory(t, slow{}, granting{})}, Config{Timeout: time.Millisecond})
	a.do("GET", "/v1/accounts/globex", "").refused(503, "request_timeout", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/accounts/globex", nil)
	r.Header.Set("Authorization", "Bearer good")
	serve(t, Deps{Directory: newDirectory(t, slow{}, granting{})}, Config{}).send(r).refused(503, "request_canceled", "")
}

func TestReadiness(t *testing.T) {
	a := serve(t, Deps{}, Config{})
	a.do("GET", "/readyz", "", "Authorization", "-").ok(200)
	a.do("GET", "/healthz", "", "Authorization", "-").ok(200)

	behind := serve(t, Deps{Ready: func(context.Context) error {
		return fault.New(fault.Unavailable, "relay_behind", "prod is 7 versions behind").Because(errors.New("dial tcp 10.0.0.1"))
	}}, Config{})
	got := behind.do("GET", "/readyz", "", "Authorization", "-").refused(503, "not_ready", "")
	if detail, _ := got.body["detail"].(string); !strings.Contains(detail, "relay_behind") || strings.Contains(got.text, "prod") {
		t.Errorf("anybody is told: %s", got.text)
	}
	if log := behind.log.String(); !strings.Contains(log, "prod is 7 versions behind") {
		t.Errorf("the log does not say what is missing: %s", log)
	}
	behind.do("GET", "/healthz", "", "Authorization", "-").ok(200)

	unknown := serve(t, Deps{Ready: func(context.Context) error { return errors.New("dial tcp 10.0.0.1") }}, Config{})
	if got := unknown.do("GET", "/readyz", "").refused(503, "not_ready", ""); strings.Contains(got.text, "10.0.0.1") {
		t.Errorf("the problem shows the cause: %s", got.text)
	}
}
