package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

// These tests are of the edge: decoding, encoding, problems. Behind it stands a
// real directory on a real database; what the engine would decide is granted.

// granting lets everybody do everything, and is in force unless late.
type granting struct{ late bool }

func (granting) Decide(_ context.Context, _ account.Actor, _ account.Version, questions []directory.Question) ([]bool, error) {
	answers := make([]bool, len(questions))
	for i := range answers {
		answers[i] = true
	}
	return answers, nil
}

func (g granting) InForce(context.Context, account.EnvironmentID, account.Version) error {
	if g.late {
		return fault.New(fault.Unavailable, "not_yet_in_force", "not yet")
	}
	return nil
}

// broken is a store whose every read fails, or panics if there is no error.
type broken struct {
	directory.Store
	err error
}

func (b broken) Head(context.Context, account.EnvironmentID) (account.Version, error) {
	if b.err == nil {
		panic("the store is on fire")
	}
	return 0, b.err
}

func (b broken) Read(context.Context, account.EnvironmentID, func(directory.Reader) error) error {
	if b.err == nil {
		panic("the store is on fire")
	}
	return b.err
}

// AllowLists is not broken: it is asked of every request, before what tests are about.
func (broken) AllowLists(context.Context, account.EnvironmentID, ...account.ID) (directory.AllowLists, error) {
	return directory.AllowLists{}, nil
}

// known takes "Bearer good" for the client shop, acting for whomever it names.
type known struct{}

func (known) Authenticate(_ context.Context, p identity.Presented) (identity.Caller, error) {
	if p.Authorization != "Bearer good" {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "who are you?")
	}
	return identity.Caller{Actor: account.Actor{Environment: "prod", Client: "shop", User: account.UserID(p.ActForUser)}, Credential: "prod/client:shop"}, nil
}

func (known) Subject(context.Context, account.EnvironmentID, string) (identity.Caller, error) {
	return identity.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "who are you?")
}

// Vouched takes "Bearer ada" for the subject 1 of an issuer that the environment named trusts.
func (known) Vouched(_ context.Context, p identity.Presented) (account.EnvironmentID, directory.Vouched, error) {
	if p.Authorization != "Bearer ada" {
		return "", directory.Vouched{}, fault.New(fault.Unauthenticated, "unauthenticated", "who are you?")
	}
	issuer := account.Issuer{ID: "login", URL: "https://login.example", Purpose: account.ForUsers}
	return account.EnvironmentID(p.Environment), directory.Vouched{Issuer: issuer, Subject: "1"}, nil
}

// api is an API under test with its log.
type api struct {
	t       *testing.T
	handler http.Handler
	log     *bytes.Buffer
}

func serve(t *testing.T, deps Deps, cfg Config) *api {
	t.Helper()
	a := &api{t: t, log: &bytes.Buffer{}}
	if deps.Authenticator == nil {
		deps.Authenticator = known{}
	}
	deps.Logger = slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a.handler = New(deps, cfg)
	return a
}

func newDirectory(t testing.TB, s directory.Store, g granting) *directory.Directory {
	t.Helper()
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	return directory.New(s, g, g, catalogue, directory.Config{})
}

// withStore is an API on an environment prod in SQLite.
func withStore(t *testing.T, g granting) *api {
	t.Helper()
	d, _ := onSQLite(t, g)
	return serve(t, Deps{Directory: d}, Config{})
}

// onSQLite is a directory with an empty environment prod.
func onSQLite(t *testing.T, g granting) (*directory.Directory, *store.DB) {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "directory.db"), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	d := newDirectory(t, db, g)
	_, err = d.CreateEnvironment(t.Context(), directory.Request{Actor: account.Actor{System: true}},
		account.Environment{ID: "prod", SubAccountsEnabled: true})
	if err != nil {
		t.Fatal(err)
	}
	return d, db
}

// failing is an API whose directory fails with err.
func failing(t *testing.T, err error) *api {
	t.Helper()
	return serve(t, Deps{Directory: newDirectory(t, broken{err: err}, granting{})}, Config{})
}

// answer is what came back, with its body as JSON if it is an object.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	text   string
	body   map[string]any
}

// do sends a request as the client shop; headers are pairs that replace or add.
func (a *api) do(method, path, body string, headers ...string) answer {
	a.t.Helper()
	r := httptest.NewRequestWithContext(a.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer good")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "-" {
			r.Header.Del(headers[i])
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	return a.send(r)
}

func (a *api) send(r *http.Request) answer {
	a.t.Helper()
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	out := answer{t: a.t, status: w.Code, header: w.Header(), text: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &out.body) // some answers are no objects
	return out
}

// ok requires a status.
func (a answer) ok(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.text)
	}
	return a
}

// refused requires a well-formed problem with a status, a code and a field.
func (a answer) refused(status int, code, field string) answer {
	a.t.Helper()
	got, _ := a.body["field"].(string)
	if a.status != status || a.body["code"] != code || got != field {
		a.t.Fatalf("%d, want %d %s in %q: %s", a.status, status, code, field, a.text)
	}
	if media := a.header.Get("Content-Type"); media != "application/problem+json" {
		a.t.Errorf("Content-Type is %q", media)
	}
	if a.body["status"] != float64(status) || a.body["type"] != "urn:tenantry:error:"+code || a.body["detail"] == "" || a.body["title"] != http.StatusText(status) {
		a.t.Errorf("the problem is incomplete: %s", a.text)
	}
	if id := a.header.Get("X-Request-Id"); id == "" || a.body["request_id"] != id {
		a.t.Errorf("the request is %q, the problem says %v", id, a.body["request_id"])
	}
	return a
}
