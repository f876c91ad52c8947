package account

import "time"

// Pass is what a token for one account says (W2): who may open which account, until
// when, and what that stands on. It names no other account.
type Pass struct {
	User          UserID
	Account       ID
	Operator      ClientID        // who impersonates the user; "" if nobody does (E4)
	Impersonation ImpersonationID // the session in which
	Through       Through         // the client through which it was got
	Made          Made
	IssuedAt      time.Time // whole seconds, as ExpiresAt
	ExpiresAt     time.Time
}

// Through is the client through which a user's token was got; the zero Through is
// none: the user's own credential was enough.
type Through struct {
	Client ClientID
	Secret SecretID // by which of its secrets it was known; "" if that is not known
	Acting bool     // its word alone says who the user is (Act-For-User); otherwise the user's own token did
	Scopes Scopes   // what the token may be used for, which is no more than the client may

	SignedIn SignedIn // how the user signed in, if their own token said who they are
}

// SignedIn is a subject of an OpenID provider, as whom a user has signed in; the zero SignedIn is nobody.
type SignedIn struct {
	Issuer   string // address of the provider
	Subject  string
	Audience string    // for whom the provider's token is, of those that the environment takes
	Until    time.Time // when the provider's token ends
}

// Made is when the things were made that a token names. What is made anew with the
// same id is another thing, and the token is none of its.
type Made struct {
	User    time.Time
	Account time.Time
	Client  time.Time // zero for no client
}

// Equal reports whether all was made at the same times.
func (m Made) Equal(other Made) bool {
	return m.User.Equal(other.User) && m.Account.Equal(other.Account) && m.Client.Equal(other.Client)
}

// Actor is whom the bearer of the token acts as.
func (p Pass) Actor(env EnvironmentID) Actor {
	a := Actor{Environment: env, User: p.User, Account: p.Account, Client: p.Through.Client}
	if p.Impersonation != "" {
		a.Client, a.Impersonation = p.Operator, p.Impersonation
	}
	return a
}
