package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// AccountSwitch names the account that a user wants to open.
type AccountSwitch struct {
	Account account.ID `json:"account" example:"globex-east"`
}

// AccountToken is a token for one account (W2).
type AccountToken struct {
	Token     string           `json:"token" doc:"What is sent as the bearer token. Shown here and never again; not kept."`
	TokenType string           `json:"token_type" example:"Bearer"`
	ExpiresAt time.Time        `json:"expires_at" doc:"When it ends at the latest."`
	Account   ReachableAccount `json:"account"`
}

type switchInput struct {
	Caller
	WithBody[AccountSwitch]
}

func (s *server) registerSwitch() {
	register(s, huma.Operation{
		OperationID: "switchAccount", Method: http.MethodPost, Path: "/v1/me/switch", Tags: []string{tagAccess},
		Summary: "Open an account: a token for it alone",
		Description: "For a user: with their own token, that of an impersonation, or a client's with Act-For-User. It is checked at this moment that the user may open the account; whether another account is there is not told. " +
			"The token names the user and the account and no other account, and opens nothing else: the list of accounts and another account need the user's own credential again. " +
			"It lasts the environment's token_minutes, but no longer than the impersonation, or than the memberships by which the user may open the account. It opens nothing any more as soon as they may not. Nothing is recorded in the journal: nothing is changed.",
	}, s.switchAccount)
}

func (s *server) switchAccount(ctx context.Context, req directory.Request, in *switchInput) (*Answer[AccountToken], error) {
	info := infoFrom(ctx)
	through := account.Through{Scopes: info.scopes, SignedIn: info.signedIn}
	if req.Actor.Impersonation == "" && req.Actor.Client != "" {
		through.Client, through.Secret, through.Acting = req.Actor.Client, info.secret, true
	}
	opened, token, err := s.open(ctx, req.Actor, through, in.body().Account, req.AtLeast)
	if err != nil {
		return nil, err
	}
	return &Answer[AccountToken]{Token: tokenAt(req, opened.Version), Body: AccountToken{
		Token: token, TokenType: bearerToken, ExpiresAt: opened.Pass.ExpiresAt, Account: reachableOf(opened.Reachable),
	}}, nil
}

// bearerToken is the type of every token that is issued (RFC 6750).
const bearerToken = "Bearer"

// open issues a token for one account. It is not in the journal, which holds changes, but in the log.
func (s *server) open(ctx context.Context, actor account.Actor, through account.Through, to account.ID, version account.Version) (access.Switched, string, error) {
	opened, err := s.access.Switch(ctx, actor, through, to, version)
	if err != nil {
		return opened, "", err
	}
	if through.Client == "" { // the user's own request, from where the user is (E3)
		if err := s.admitAddress(ctx, actor, to); err != nil {
			return opened, "", err
		}
	}
	token, err := s.issuer.AccountToken(ctx, actor.Environment, opened.Pass)
	if err != nil {
		return opened, "", err
	}
	s.noteIssued(token)
	by := opened.Pass.Actor(actor.Environment)
	s.log.InfoContext(ctx, "a token for one account was issued", "environment", by.Environment, "user", by.User, "account", by.Account,
		"client", by.Client, "impersonation", by.Impersonation, "expires_at", opened.Pass.ExpiresAt, "request_id", infoFrom(ctx).id)
	return opened, token, nil
}
