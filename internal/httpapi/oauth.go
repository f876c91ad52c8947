package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// OAuth is what tokens are issued with.
type OAuth struct {
	Issuer  string // the public address of this deployment
	Clients ClientAuthenticator
	Tokens  ClientTokens
	Keys    Keyring
}

// ClientAuthenticator tells clients by their secrets; identity.Authenticator is one.
type ClientAuthenticator interface {
	// Client returns the client whose secret this is, and which of its secrets. Unauthenticated and Unavailable faults.
	Client(ctx context.Context, clientID, secret string) (account.EnvironmentID, account.Client, account.SecretID, error)
}

// ClientTokens issues access tokens to clients; identity.Signer does.
type ClientTokens interface {
	// ClientToken returns a token for a client that has shown a secret, and how long it lives.
	ClientToken(ctx context.Context, env account.EnvironmentID, client account.ClientID, secret account.SecretID, scopes account.Scopes) (token string, lifetime time.Duration, err error)
}

// Keyring is the signing keys; identity.Keyring is one.
type Keyring interface {
	// Published returns the public keys of every environment.
	Published(ctx context.Context) (jose.JSONWebKeySet, error)
	// Changes grows with every change to the keys that this process has made.
	Changes() uint64
	// Keep makes the next key of an environment if it is time.
	Keep(ctx context.Context, env account.EnvironmentID) error
}

// oauthClient is the client that asks for a token, and which of its secrets it showed.
type oauthClient struct {
	Environment account.EnvironmentID
	Client      account.Client
	Secret      account.SecretID
	From        string // the address that it asks from
}

// tokenAnswer is a token as RFC 6749, 5.1, sends it.
type tokenAnswer struct {
	AccessToken     string `json:"access_token" doc:"What to send as the bearer token."`
	IssuedTokenType string `json:"issued_token_type,omitempty" doc:"What kind of token it is, as RFC 8693 names it; after an exchange only."`
	TokenType       string `json:"token_type" doc:"Bearer." example:"Bearer"`
	ExpiresIn       int    `json:"expires_in" doc:"For how long it can be used, in seconds." example:"900"`
	Scope           string `json:"scope,omitempty" doc:"What it can be used for, separated by spaces." example:"check read"`
}

// grant is a way to get a token: form has no parameter twice, and none that is
// empty. Its errors are refusals (refuse), or faults.
type grant func(ctx context.Context, client oauthClient, form url.Values) (tokenAnswer, error)

// grants are the ways to get a token, by their grant_type.
func (s *server) grants() map[string]grant {
	return map[string]grant{
		"client_credentials": s.clientCredentials,
		grantExchange:        s.exchange,
	}
}

// clientCredentials gives a client a token of its own (RFC 6749, 4.4).
func (s *server) clientCredentials(ctx context.Context, client oauthClient, form url.Values) (tokenAnswer, error) {
	scopes, err := scopesFor(client.Client, form.Get("scope"))
	if err != nil {
		return tokenAnswer{}, err
	}
	token, lifetime, err := s.oauth.Tokens.ClientToken(ctx, client.Environment, client.Client.ID, client.Secret, scopes)
	return tokenAnswer{AccessToken: token, TokenType: bearerToken, ExpiresIn: int(lifetime.Seconds()), Scope: identity.ScopeText(scopes)}, err
}

// scopesFor returns the scopes that a client asks for: all that it has if it names none.
func scopesFor(client account.Client, asked string) (account.Scopes, error) {
	if asked == "" {
		return client.Scopes, nil
	}
	scopes, err := account.ParseScopes("scope", strings.Split(asked, " "))
	if err != nil {
		return "", refuse("invalid_scope", "%s", err)
	}
	if !scopes.Within(client.Scopes) {
		return "", refuse("invalid_scope", "the client has the scopes %s", identity.ScopeText(client.Scopes))
	}
	return scopes, nil
}

// giveToken answers a request for a token. Its errors are told as RFC 6749, 5.2, has it.
func (s *server) giveToken(w http.ResponseWriter, r *http.Request) {
	form, err := s.readForm(w, r)
	if err != nil {
		s.refuseToken(w, r, err)
		return
	}
	give, known := s.grants()[form.Get("grant_type")]
	if !known {
		s.refuseToken(w, r, unknownGrant(form.Get("grant_type")))
		return
	}
	if !s.heard(w, r, form) {
		return
	}
	client, err := s.oauthClient(r, form)
	if err != nil {
		s.refuseToken(w, r, err)
		return
	}
	actor := account.Actor{Environment: client.Environment, Client: client.Client.ID}
	infoFrom(r.Context()).actor = actor
	infoFrom(r.Context()).credential = identity.ClientCredential(actor.Environment, actor.Client)
	s.noteClient(r, form)
	release, ok := s.mayPass(w, r)
	if !ok {
		return
	}
	defer release()
	if err := s.admitAddress(r.Context(), actor); err != nil {
		s.refuseToken(w, r, err)
		return
	}
	leave, err := s.turn(r.Context(), s.guards.changes) // it may wait for an OpenID provider, and not in the way of checks
	if err != nil {
		s.refuseToken(w, r, err)
		return
	}
	defer leave()
	answer, err := give(withOrigin(r.Context()), client, form)
	if err != nil {
		s.refuseToken(w, r, err)
		return
	}
	s.noteIssued(answer.AccessToken)
	s.sendToken(w, http.StatusOK, answer)
}

func unknownGrant(name string) error {
	if name == "" {
		return refuse("invalid_request", "grant_type is missing")
	}
	return refuse("unsupported_grant_type", "there is no such grant_type; the metadata lists what there is")
}

// refusal is an error of the token endpoint (RFC 6749, 5.2).
type refusal struct {
	code, text string
	status     int // 0 is that of the code
}

// Error returns the description.
func (e *refusal) Error() string { return e.code + ": " + e.text }

// refuse is an error of the token endpoint; text, with args as in fmt.Sprintf, is for people.
func refuse(code, text string, args ...any) *refusal {
	return &refusal{code: code, text: fmt.Sprintf(text, args...)}
}

func (e *refusal) httpStatus() int {
	switch {
	case e.status != 0:
		return e.status
	case e.code == "invalid_client":
		return http.StatusUnauthorized
	default:
		return http.StatusBadRequest
	}
}

// refusalOf tells an error as the token endpoint does: what a fault says of the
// request becomes invalid_request, and of what it presents, invalid_grant.
func refusalOf(err error) *refusal {
	if known, ok := errors.AsType[*refusal](err); ok {
		return known
	}
	f := fault.From(err)
	switch f.Kind {
	case fault.Unavailable:
		return &refusal{"temporarily_unavailable", f.Text, http.StatusServiceUnavailable}
	case fault.Internal:
		return &refusal{"server_error", f.Text, http.StatusInternalServerError}
	case fault.Denied: // where the client asks from
		return &refusal{"unauthorized_client", f.Text, 0}
	case fault.Invalid, fault.TooLarge:
		return &refusal{"invalid_request", f.Text, 0}
	default:
		return &refusal{"invalid_grant", f.Text, 0}
	}
}

// refuseToken answers with an error, and logs it.
func (s *server) refuseToken(w http.ResponseWriter, r *http.Request, err error) {
	ctx, level := r.Context(), slog.LevelDebug
	if _, ours := errors.AsType[*refusal](err); !ours {
		f := fault.From(err)
		if f.Kind == fault.Internal && ctx.Err() != nil {
			f = interrupted(ctx.Err()).Because(err)
			err = f
		}
		level = levelOf(f)
	}
	e, i := refusalOf(err), infoFrom(ctx)
	s.log.LogAttrs(ctx, level, "no token", slog.String("code", e.code), slog.Any("error", err), slog.String("request_id", i.id),
		slog.String("actor", i.actor.Name()), slog.String("environment", string(i.actor.Environment)), slog.String("from", i.from))
	if e.httpStatus() == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="tenantry"`)
	}
	if e.httpStatus() == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	s.sendToken(w, e.httpStatus(), map[string]string{"error": e.code, "error_description": printable(e.text)})
}

// printable writes a text in the characters that RFC 6749 allows in descriptions.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '\''
		case r < ' ' || r > '~':
			return '?'
		default:
			return r
		}
	}, text)
}

func (s *server) sendToken(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("the answer could not be sent", "error", err)
	}
}

// grantTypes are the names of the grants, sorted.
func (s *server) grantTypes() []string { return slices.Sorted(maps.Keys(s.grants())) }
