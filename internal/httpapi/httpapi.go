// Package httpapi serves Tenantry over HTTP/JSON: it decodes requests, calls the use cases, and encodes answers and problems.
//
// Every operation goes the same way (see register): authenticate, read the
// body, make a directory.Request, call the use case, and turn a fault into an
// RFC 9457 problem. The OpenAPI document is generated from the same
// registrations, so it cannot tell of another API than the one served.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/memo"
)

// Authenticator tells who is calling; identity.Authenticator is one.
type Authenticator interface {
	// Authenticate returns who sends a request, by what its headers say.
	// Unauthenticated, Denied, NotFound, Invalid and Unavailable faults.
	Authenticate(ctx context.Context, p identity.Presented) (identity.Caller, error)
	// Subject returns the user whose own token this is, or whom somebody impersonates with it.
	Subject(ctx context.Context, env account.EnvironmentID, token string) (identity.Caller, error)
	// Vouched returns what the token of an OpenID provider says of who sends a request, and
	// in which environment, whether or not that is somebody there. Unauthenticated and
	// Unavailable faults; Unauthenticated also for Tenantry's own tokens.
	Vouched(ctx context.Context, p identity.Presented) (account.EnvironmentID, directory.Vouched, error)
}

// Issuer issues tokens; identity.Signer is one.
type Issuer interface {
	// Impersonation returns the token of a session in which an operator acts as a user.
	Impersonation(ctx context.Context, env account.EnvironmentID, i account.Impersonation) (string, error)
	// AccountToken returns a token for one account.
	AccountToken(ctx context.Context, env account.EnvironmentID, p account.Pass) (string, error)
}

// Deps is what the API serves and is watched by.
type Deps struct {
	Directory     *directory.Directory
	Access        *access.Service
	Authenticator Authenticator
	Issuer        Issuer
	OAuth         OAuth
	Marks         memo.Marking // of what credentials and allow lists are read from; nil to read for every request

	Ready    func(context.Context) error // nil is always ready; the fault says why not
	Metrics  http.Handler                // served at /metrics; nil for no such route
	Registry prometheus.Registerer       // for the API's own metrics; nil for none
	Logger   *slog.Logger                // nil for silence
	Stopping <-chan struct{}             // closed when the server is about to stop: streams end; nil is never
}

// Config adjusts the API; the zero value is good for production.
type Config struct {
	MaxBody     int64         // the most bytes of a request's body; 1 MiB if 0
	Timeout     time.Duration // how long a use case may take; 30 s if 0
	BodyTimeout time.Duration // how long the body may take to arrive; 10 s if 0
	Streams     StreamConfig

	// TrustedProxies are the networks of proxies that are believed about where requests come from; none if empty.
	TrustedProxies account.Networks
	Origins        []string // of web pages that may call, as CheckOrigins returns them; none if empty
	Limits         Limits
}

func (c Config) withDefaults() Config {
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 20
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.BodyTimeout == 0 {
		c.BodyTimeout = 10 * time.Second
	}
	c.Streams = c.Streams.withDefaults()
	c.Limits = c.Limits.withDefaults()
	return c
}

// server is the API with what it calls.
type server struct {
	directory *directory.Directory
	access    *access.Service
	auth      Authenticator
	issuer    Issuer
	oauth     OAuth
	marks     memo.Marking
	ready     func(context.Context) error
	readiness *remembered[struct{}]
	keySet    *remembered[[]byte]
	log       *slog.Logger
	cfg       Config
	proxies   proxies
	guards    guards
	metrics   *metrics
	router    chi.Router
	api       huma.API
	stopping  <-chan struct{}
	streams   *slots // of the log
	lists     *slots // streams of lists of accounts
	exports   *slots
}

// New returns the API as a handler.
func New(deps Deps, cfg Config) http.Handler {
	return build(deps, cfg).router
}

func build(deps Deps, cfg Config) *server {
	s := &server{
		directory: deps.Directory, access: deps.Access, auth: deps.Authenticator, issuer: deps.Issuer, oauth: deps.OAuth, marks: deps.Marks,
		ready: deps.Ready, log: deps.Logger, cfg: cfg.withDefaults(), router: chi.NewRouter(), stopping: deps.Stopping,
	}
	s.proxies, s.guards, s.metrics = newProxies(s.cfg.TrustedProxies), newGuards(s.cfg.Limits), newMetrics(deps.Registry)
	s.streams = newSlots(s.cfg.Streams.Most, s.cfg.Streams.Each)
	s.lists = newSlots(s.cfg.Streams.Lists, s.cfg.Streams.Each)
	s.exports = newSlots(s.cfg.Streams.Exports, exportsEach)
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.ready == nil {
		s.ready = func(context.Context) error { return nil }
	}
	s.readiness, s.keySet = s.newReadiness(), s.newKeySet()
	s.router.Use(s.identify, s.metrics.observe, s.recover)
	s.router.Use(crossOrigin(s.cfg.Origins)...)
	s.router.Use(s.guard, s.endPreflight, s.limitTime)
	s.router.NotFound(s.routeNotFound)
	s.router.MethodNotAllowed(s.methodNotAllowed)
	s.api = s.newContract()

	s.registerCheck()
	s.registerExplain()
	s.registerSchema()
	s.registerOpeners()
	s.registerSwitcher()
	s.registerAccountIDs()
	s.registerAccountsStream()
	s.registerSwitch()
	s.registerAccounts()
	s.registerAccountWrites()
	s.registerMembers()
	s.registerInvitations()
	s.registerOpenInvitations()
	s.registerUsers()
	s.registerUserWrites()
	s.registerRoles()
	s.registerFeatures()
	s.registerPlans()
	s.registerAccountFeatures()
	s.registerAPITokens()
	s.registerImpersonations()
	s.registerEnvironment()
	s.registerClients()
	s.registerKeys()
	s.registerClientSecrets()
	s.registerIssuers()
	s.registerOperators()
	s.registerIdentities()
	s.registerMe()
	s.registerJournal()
	s.registerOAuth()
	s.registerOperational(deps.Metrics)
	refine(s.api.OpenAPI())
	return s
}
