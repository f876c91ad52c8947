package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// newContract sets up huma: it parses parameters and writes the OpenAPI
// document; bodies are read by jsonBody, errors are told by Problem.
func (s *server) newContract() huma.API {
	registry := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[Problem]())
	format := huma.Format{Marshal: encodeJSON, Unmarshal: keepJSON}
	api := humachi.New(s.router, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Tenantry", Version: "1", Description: description},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
				securityScheme: {Type: "http", Scheme: "bearer", Description: "The token of an environment client: tenantry_<environment>.<client>.<secret>; the API token of an account: tenantry_api_<environment>.<id>.<secret>; or a token that Tenantry issued, a JWT: of a user for one account, from /oauth2/token, or of an impersonation. The environment comes with it. Or the token of an OpenID provider, a JWT as well: then Tenantry-Environment names the environment."},
			}},
			Tags: tags(),
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{tellParameters},
	})
	api.UseMiddleware(s.admit)
	return api
}

// tellParameters turns what huma says of a request's parameters into a Problem.
// Its status stays what huma chose for them: 422.
func tellParameters(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	details := make([]error, len(m.Errors))
	for i, d := range m.Errors {
		details[i] = d
	}
	return newProblem(ctx.Context(), invalidRequest(m.Detail, details)), nil
}

// invalidRequest is the Invalid fault (invalid_request) of what does not fit the schema; it names the first field at fault.
func invalidRequest(otherwise string, details []error) *fault.Error {
	type finding struct{ field, text string }
	var found []finding
	missingPrefix, missingSuffix, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	for _, err := range details {
		d, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		_, field, _ := strings.Cut(d.Location, ".") // without path., query., header. or body.
		text := d.Message
		if name, ok := strings.CutPrefix(text, missingPrefix); ok && strings.HasSuffix(name, missingSuffix) {
			field = strings.TrimPrefix(field+"."+strings.TrimSuffix(name, missingSuffix), ".")
			text = "is missing"
		}
		if text == validation.MsgUnexpectedProperty {
			text = "there is no such field"
		}
		found = append(found, finding{strings.Trim(account.Quote(field), `"`), text})
	}
	if len(found) == 0 {
		return fault.New(fault.Invalid, "invalid_request", "the request is not as the API takes it: %s", otherwise)
	}
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(strings.Compare(a.field, b.field), strings.Compare(a.text, b.text))
	})
	text := found[0].text
	if found[0].field != "" {
		text = found[0].field + ": " + text
	}
	const most = 5
	for _, f := range found[1:min(most, len(found))] {
		text += "; " + strings.TrimPrefix(f.field+": "+f.text, ": ")
	}
	if more := len(found) - most; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return fault.New(fault.Invalid, "invalid_request", "%s", text).In(found[0].field)
}

// admit authenticates a request and reads its body; nothing of the body is looked at before. What is
// for everybody has its small body read first, and then takes a place.
func (s *server) admit(ctx huma.Context, next func(huma.Context)) {
	r, w := humachi.Unwrap(ctx)
	var err error
	open := isOpen(ctx.Operation())
	if open {
		err = checkCredentials(r.Header)
		if err == nil { // before it has a place: who dribbles holds none
			err = s.readInput(ctx.Operation(), w, r, min(s.cfg.MaxBody, maxOpenBody))
		}
	} else {
		err = s.authenticate(r)
		if err == nil {
			err = admitScope(w, infoFrom(r.Context()).scopes, scopeOf(ctx.Operation()))
		}
	}
	if fault.HasCode(err, codeGuesses) {
		s.refuseGuess(w, r)
		return
	}
	if err == nil || infoFrom(r.Context()).credential != "" { // refusals count as well
		release, ok := s.mayPass(w, r)
		if !ok {
			return
		}
		defer release()
	}
	if by := infoFrom(r.Context()).actor; by.Impersonation != "" {
		w.Header().Set("Impersonated-By", "operator:"+string(by.Client))
	}
	if err == nil && !open {
		err = s.readInput(ctx.Operation(), w, r, s.cfg.MaxBody)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	next(ctx)
}

// checkCredentials refuses headers about who calls that are there twice, or empty.
func checkCredentials(h http.Header) error {
	if n := len(h.Values("Authorization")); n > 1 {
		return fault.New(fault.Unauthenticated, "unauthenticated", "there are %d Authorization headers", n)
	}
	for _, name := range []string{identity.ActForUser, identity.Environment} {
		if _, err := only(h, name); err != nil {
			return err
		}
	}
	return nil
}

// maxOpenBody is the most bytes of a body that is read from who may be nobody.
const maxOpenBody = 4 << 10

// isOpen reports whether an operation is for everybody.
func isOpen(op *huma.Operation) bool { return len(op.Security) == 0 }

// register adds an operation for who has a credential: do is called with the decoded input in the name
// of whoever calls, if the credential has the scope (see scopeFor), and its fault is
// told as a problem. It returns the answers as they are documented.
func register[I, O any](s *server, op huma.Operation, do func(context.Context, directory.Request, *I) (*O, error)) map[string]*huma.Response {
	needScope(&op)
	op.Errors = append([]int{http.StatusUnauthorized, http.StatusForbidden}, op.Errors...)
	return add(s, op, do)
}

// registerOpen is register for an operation whose body is its credential. do gets a request of nobody.
func registerOpen[I, O any](s *server, op huma.Operation, do func(context.Context, directory.Request, *I) (*O, error)) {
	op.Security = []map[string][]string{}
	add(s, op, do)
}

func add[I, O any](s *server, op huma.Operation, do func(context.Context, directory.Request, *I) (*O, error)) map[string]*huma.Response {
	op.Errors = append([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}, op.Errors...)
	op.SkipValidateBody = true // jsonBody does it
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	op.Responses = map[string]*huma.Response{}
	if _, takesBody := any(new(I)).(decoder); takesBody {
		op.Errors = append(op.Errors, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	line := s.lineOf(op)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		release, err := s.turn(ctx, line)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		defer release()
		req, err := s.request(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		out, err := do(ctx, req, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
	documentPending[O](op)
	return op.Responses
}

// request makes what the use cases need to know of a request, and decodes its body.
func (s *server) request(ctx context.Context, in any) (directory.Request, error) {
	i := infoFrom(ctx)
	req := directory.Request{Actor: i.actor, ID: i.id, From: i.from}
	req.Actor.From = addressOf(ctx) // also of who is nobody
	if in, ok := in.(interface{ idempotencyKey() string }); ok {
		req.IdempotencyKey = in.idempotencyKey()
	}
	_, guarded := in.(interface{ guarded() })
	if i.ifMatch != "" && !guarded {
		return req, fault.New(fault.Invalid, "invalid_if_match", "If-Match has no meaning here").In("If-Match")
	}
	var err error
	if req.IfMatch, err = parseIfMatch(i.ifMatch); err != nil {
		return req, err
	}
	if req.AtLeast, err = i.token.VersionIn(req.Actor.Environment); err != nil {
		return req, err
	}
	if in, ok := in.(decoder); ok {
		return req, in.decode(s.api.OpenAPI().Components.Schemas)
	}
	return req, nil
}

// keepJSON hands a body to jsonBody as it is.
func keepJSON(data []byte, v any) error {
	if v, ok := v.(json.Unmarshaler); ok {
		return v.UnmarshalJSON(data)
	}
	if p := reflect.ValueOf(v).Elem(); p.Kind() == reflect.Pointer { // a body that need not be there, and is
		p.Set(reflect.New(p.Type().Elem()))
		return keepJSON(data, p.Interface())
	}
	return json.Unmarshal(data, v)
}
