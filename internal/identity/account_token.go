package identity

import (
	"context"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Opening decides whether tokens for one account still open it (W2).
type Opening interface {
	// MayUseAccount returns nil while the pass is good: the user may open the account, and
	// what it names is still what it was. Unauthenticated if not; Denied (user_blocked) if
	// the user is blocked; Unavailable if that cannot be found out.
	MayUseAccount(ctx context.Context, env account.EnvironmentID, pass account.Pass) error
}

// made is account.Made in a token: microseconds since 1970, as the directory keeps them.
type made struct {
	User    int64 `json:"user"`
	Account int64 `json:"account"`
	Client  int64 `json:"client,omitempty"`
}

// signedIn is account.SignedIn in a token.
type signedIn struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
}

// AccountToken returns a token for one account: its bearer is the user, in that account alone (W2).
func (s *Signer) AccountToken(ctx context.Context, env account.EnvironmentID, p account.Pass) (string, error) {
	c := issued{
		Claims: jwt.Claims{
			Subject: string(p.User), ID: account.NewID("pass"),
			IssuedAt: jwt.NewNumericDate(p.IssuedAt), NotBefore: jwt.NewNumericDate(p.IssuedAt), Expiry: jwt.NewNumericDate(p.ExpiresAt),
		},
		Use: useAccount, Account: p.Account, Acting: p.Through.Acting, Scope: string(p.Through.Scopes),
		Made: &made{User: p.Made.User.UnixMicro(), Account: p.Made.Account.UnixMicro()},
	}
	if p.Through.Client != "" {
		c.ClientID, c.SecretID = clientPrefix(env)+string(p.Through.Client), p.Through.Secret
		c.Made.Client = p.Made.Client.UnixMicro()
	}
	if at := p.Through.SignedIn; at.Issuer != "" {
		c.SignedIn = &signedIn{at.Issuer, at.Subject, at.Audience}
	}
	if p.Impersonation != "" {
		c.Act, c.Impersonation = &act{operatorPrefix + string(p.Operator)}, p.Impersonation
	}
	return s.sign(ctx, env, c)
}

// forAccount returns the user who has a token for one account.
func (a *Authenticator) forAccount(ctx context.Context, env account.EnvironmentID, c issued, p Presented) (Caller, error) {
	pass, ok := passOf(env, c)
	if !ok {
		return Caller{}, notIssued()
	}
	caller := Caller{Actor: pass.Actor(env), Scopes: pass.Through.Scopes, Credential: credential(env, "user", pass.User)}
	if pass.Impersonation != "" {
		caller.Credential = credential(env, "operator", pass.Operator)
	}
	if err := p.admit(caller.Credential, c.ID); err != nil {
		return caller, err
	}
	err := a.sources.Opening.MayUseAccount(ctx, env, pass)
	if err == nil && p.ActForUser != "" {
		err = fault.New(fault.Denied, "may_not_act_for_users", "a user's token is for that user alone").In(ActForUser)
	}
	return caller, err
}

// passOf reads what a token for one account says, and whether it says all that it has to.
func passOf(env account.EnvironmentID, c issued) (account.Pass, bool) {
	p := account.Pass{
		User: account.UserID(c.Subject), Account: c.Account, Impersonation: c.Impersonation,
		IssuedAt: c.IssuedAt.Time(), ExpiresAt: c.Expiry.Time(),
	}
	scopes, err := account.ParseScopes("scope", strings.Fields(c.Scope))
	p.Through = account.Through{Acting: c.Acting, Scopes: scopes}
	if err != nil || c.Made == nil || account.CheckID("sub", p.User) != nil || account.CheckID("account", p.Account) != nil {
		return p, false
	}
	if at := c.SignedIn; at != nil {
		if at.Issuer == "" || account.CheckSubject("signed_in", at.Subject) != nil {
			return p, false
		}
		p.Through.SignedIn = account.SignedIn{Issuer: at.Issuer, Subject: at.Subject, Audience: at.Audience}
	}
	p.Made = account.Made{User: time.UnixMicro(c.Made.User), Account: time.UnixMicro(c.Made.Account)}
	return p, readClient(env, c, &p) && readOperator(c, &p)
}

// readClient reads through which client the token was got, if it was through one.
func readClient(env account.EnvironmentID, c issued, p *account.Pass) bool {
	if c.ClientID == "" {
		return !c.Acting && c.SecretID == "" && c.Made.Client == 0
	}
	id, ok := strings.CutPrefix(c.ClientID, clientPrefix(env))
	p.Through.Client, p.Through.Secret = account.ClientID(id), c.SecretID
	p.Made.Client = time.UnixMicro(c.Made.Client)
	return ok && account.CheckID("client_id", p.Through.Client) == nil && (c.SecretID == "" || account.CheckID("secret_id", c.SecretID) == nil)
}

// readOperator reads who impersonates the user, if somebody does.
func readOperator(c issued, p *account.Pass) bool {
	if c.Act == nil {
		return c.Impersonation == ""
	}
	operator, ok := strings.CutPrefix(c.Act.Subject, operatorPrefix)
	p.Operator = account.ClientID(operator)
	return ok && account.CheckID("act", p.Operator) == nil && account.CheckID("impersonation", p.Impersonation) == nil
}
