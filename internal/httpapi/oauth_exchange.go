package httpapi

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// The names of RFC 8693.
const (
	grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	asJWT         = "urn:ietf:params:oauth:token-type:jwt"
	asAccess      = "urn:ietf:params:oauth:token-type:access_token"
	asID          = "urn:ietf:params:oauth:token-type:id_token"

	resourcePrefix = "urn:tenantry:account:" // names an account as the resource that a token is for
)

// exchange gives a client a token for one account in exchange for a user's own token,
// or for that of an impersonation (RFC 8693, W2): what POST /v1/me/switch does.
//
// What is wrong with the subject's token is one answer (invalid_request, as RFC 8693 has
// it), and so are accounts that the user may not open and those that are not there (invalid_target).
func (s *server) exchange(ctx context.Context, client oauthClient, form url.Values) (tokenAnswer, error) {
	if !client.Client.Scopes.Has(account.ScopeCheck) {
		return tokenAnswer{}, refuse("unauthorized_client", "the client needs the scope check")
	}
	to, kind, err := exchangeFor(form)
	if err != nil {
		return tokenAnswer{}, err
	}
	user, err := s.auth.Subject(ctx, client.Environment, form.Get("subject_token"))
	if err != nil {
		return tokenAnswer{}, toldAs(err, "invalid_request", "the subject_token is not valid in the client's environment: it is to be one that a user signed in with, or of an impersonation that goes on")
	}
	through := account.Through{Client: client.Client.ID, Secret: client.Secret, Scopes: user.Scopes, SignedIn: user.SignedIn}
	opened, token, err := s.open(ctx, user.Actor, through, to, 0)
	if err != nil {
		return tokenAnswer{}, toldAs(err, "invalid_target", "the user may not open this account")
	}
	return tokenAnswer{
		AccessToken: token, IssuedTokenType: kind, TokenType: bearerToken,
		ExpiresIn: int(opened.Pass.ExpiresAt.Sub(opened.Pass.IssuedAt) / time.Second),
	}, nil
}

// exchangeFor reads which account a token is asked for, and as what.
func exchangeFor(form url.Values) (to account.ID, kind string, err error) {
	for _, name := range []string{"actor_token", "actor_token_type"} {
		if form.Has(name) {
			return "", "", refuse("invalid_request", "%s is not taken: who acts for the user stands in the subject_token", name)
		}
	}
	if form.Has("scope") {
		return "", "", refuse("invalid_scope", "tokens for one account are not asked for with scopes")
	}
	if form.Get("subject_token") == "" || !slices.Contains([]string{asJWT, asAccess, asID}, form.Get("subject_token_type")) {
		return "", "", refuse("invalid_request", "subject_token is needed, and subject_token_type: "+asJWT+", "+asAccess+" or "+asID)
	}
	if kind = asAccess; form.Has("requested_token_type") {
		kind = form.Get("requested_token_type")
	}
	if kind != asAccess && kind != asJWT {
		return "", "", refuse("invalid_request", "requested_token_type is "+asAccess+" or "+asJWT)
	}
	id, named := strings.CutPrefix(form.Get("resource"), resourcePrefix)
	if !named || len(form["resource"]) != 1 || form.Has("audience") || account.CheckID("resource", id) != nil {
		return "", "", refuse("invalid_target", "name one account, with resource="+resourcePrefix+"ID and without audience")
	}
	return account.ID(id), kind, nil
}

// toldAs is a refusal as an OAuth error. What trying again may help with, and what is our own fault, stays what it is.
func toldAs(err error, code, text string) error {
	for _, kind := range []fault.Kind{fault.Unauthenticated, fault.Denied, fault.NotFound, fault.Invalid} {
		if errors.Is(err, kind) {
			return refuse(code, "%s", text)
		}
	}
	return err
}
