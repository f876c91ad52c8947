package httpapi

import (
	"context"
	"net/http"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// authenticate finds out who sends a request, and what its headers say besides. Faults are those of
// [server.caller] and of [server.mayBeAsked], and Invalid ones (invalid_request) of the headers.
func (s *server) authenticate(r *http.Request) error {
	if err := checkCredentials(r.Header); err != nil {
		return err
	}
	if _, err := only(r.Header, "Idempotency-Key"); err != nil { // huma reads it, and takes an empty one for none
		return err
	}
	i := infoFrom(r.Context())
	var err error
	if i.ifMatch, err = only(r.Header, "If-Match"); err != nil {
		return err
	}
	token, err := only(r.Header, "Consistency-Token")
	if err != nil {
		return err
	}
	i.token = account.ConsistencyToken(token)
	p := presented(r)
	p.Admit = s.mayBeAsked(i)
	caller, err := s.caller(withOrigin(r.Context()), p)
	i.actor, i.scopes, i.secret, i.credential = caller.Actor, caller.Scopes, caller.Secret, caller.Credential
	i.share, i.signedIn = caller.Share, caller.SignedIn
	switch {
	case err == nil:
		s.noteAccepted(r)
	case identity.IsGenuine(err):
		s.noteGenuine(i)
	case fault.HasCode(err, codeGuesses): // the token's, not those of who else has the credential
		i.credential = ""
	}
	return err
}

// withOrigin tells who looks up credentials where the request comes from: see [directory.WithOrigin].
func withOrigin(ctx context.Context) context.Context {
	i := infoFrom(ctx)
	return directory.WithOrigin(ctx, directory.Origin{RequestID: i.id, From: i.from})
}

// presented is what a request says of who sends it, in headers that are there once at most.
func presented(r *http.Request) identity.Presented {
	return identity.Presented{
		Authorization: r.Header.Get("Authorization"), ActForUser: r.Header.Get(identity.ActForUser), Environment: r.Header.Get(identity.Environment),
	}
}
