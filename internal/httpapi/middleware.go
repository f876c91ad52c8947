package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// info is what is known of a request on its way; one per request.
type info struct {
	id           string // request id
	addr         netip.Addr
	from         string           // addr as text; what the connection says of its other end if that is no address
	method, path string           // not more of them than is logged
	unclear      error            // of the address: what a trusted proxy says is no address
	actor        account.Actor    // the zero Actor until authenticated
	scopes       account.Scopes   // what the actor's credential may be used for
	secret       account.SecretID // of the client that the credential is, or that acts
	credential   string           // names what the caller was authenticated by; "" until then
	issued       string           // the id of the issued token that the caller has; "" for another credential
	genuine      bool             // the caller's token was issued here, and opens nothing any more
	over         bool             // too many requests were sent with the credential
	inForm       bool             // the caller shows a secret in a form
	share        string           // see identity.Caller
	signedIn     account.SignedIn // as whom a user has signed in
	ifMatch      string           // the header, as sent
	token        account.ConsistencyToken
}

type infoKey struct{}

// infoFrom returns the request's info; an empty one outside of a request.
func infoFrom(ctx context.Context) *info {
	if i, ok := ctx.Value(infoKey{}).(*info); ok {
		return i
	}
	return &info{}
}

func isRequestID(text string) bool { return len(text) <= 64 && account.IsPlain(text, "._-") }

// identify gives each request an id, the caller's if it is well-formed, finds out
// where it comes from, and sets the headers that every answer has.
func (s *server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := &info{id: r.Header.Get("X-Request-Id"), from: r.RemoteAddr, method: cut(r.Method), path: cut(account.Masked(r.URL.Path))}
		if !isRequestID(i.id) {
			i.id = account.NewID("req")
		}
		if i.addr, i.unclear = s.proxies.client(r); i.addr.IsValid() {
			i.from = i.addr.String()
		}
		w.Header()["X-Request-Id"] = []string{i.id}
		harden(w.Header(), r.TLS != nil)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), infoKey{}, i)))
	})
}

// cut bounds what is logged of what strangers write.
func cut(text string) string {
	const most = 200 // bytes
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// watched is an answer whose status can be asked for. One is enough for all who ask.
func watched(w http.ResponseWriter, r *http.Request) middleware.WrapResponseWriter {
	if already, ok := w.(middleware.WrapResponseWriter); ok {
		return already
	}
	return middleware.NewWrapResponseWriter(w, r.ProtoMajor)
}

// recover answers a panic with a problem, or drops the connection if the answer has begun.
func (s *server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wrapped := watched(w, r)
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(value)
			}
			s.log.Error("panic", "value", fmt.Sprint(value), "stack", string(debug.Stack()), "request_id", infoFrom(r.Context()).id)
			if wrapped.Status() != 0 {
				panic(http.ErrAbortHandler)
			}
			s.fail(wrapped, r, fmt.Errorf("panic: %v", value))
		}()
		next.ServeHTTP(wrapped, r)
	})
}

// limitTime bounds the time that a request may take. What answers bit by bit has bounds of its own
// from when the answer begins: see unbounded.
func (s *server) limitTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := endingAt(r.Context(), time.Now().Add(s.cfg.Timeout))
		defer ctx.end()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (s *server) routeNotFound(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, fault.New(fault.NotFound, "route_not_found", "there is nothing at %s; /openapi.json lists what there is", account.Quote(r.URL.Path)))
}

func (s *server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if s.router.Match(chi.NewRouteContext(), method, r.URL.Path) {
			allowed = append(allowed, method)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	s.fail(w, r, fault.New(fault.Invalid, "method_not_allowed", "%s takes %s here", account.Quote(r.URL.Path), strings.Join(allowed, ", ")))
}

// only returns the one value of a header, "" if it is absent. An Invalid fault
// (invalid_request) if there are several, or if it is there but empty: a caller
// whose variable was empty does not mean what a caller without the header means.
func only(h http.Header, name string) (string, error) {
	values := h.Values(name)
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", fault.New(fault.Invalid, "invalid_request", "the header %s is there %d times", name, len(values)).In(name)
	case slices.Equal(values, []string{""}):
		return "", fault.New(fault.Invalid, "invalid_request", "the header %s is empty; leave it out if it is not meant", name).In(name)
	default:
		return values[0], nil
	}
}
