package identity_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/memo"
)

// registry has a client, an API token and a key, counts how often it is read, and tells by mark whether it has changed.
type registry struct {
	*office
	mark  memo.Mark
	reads int
	gone  bool
}

func newRegistry(t *testing.T) *registry { return &registry{office: newOffice(t), mark: 1} }

func (r *registry) Mark() memo.Mark { return r.mark }

func (r *registry) Credential(ctx context.Context, env account.EnvironmentID, id account.ClientID) (account.ClientCredential, error) {
	r.reads++
	if r.gone {
		return account.ClientCredential{}, fault.New(fault.NotFound, "client_not_found", "there is no client %s", id)
	}
	return r.office.Credential(ctx, env, id)
}

func (r *registry) APITokenCredential(ctx context.Context, env account.EnvironmentID, id account.APITokenID) (account.APIToken, []byte, error) {
	r.reads++
	if r.gone {
		return account.APIToken{}, nil, fault.New(fault.NotFound, "api_token_not_found", "there is no API token %s", id)
	}
	return machines{}.APITokenCredential(ctx, env, id)
}

func (r *registry) Signing(ctx context.Context, env account.EnvironmentID) (account.SigningKey, time.Duration, error) {
	return r.keys.Signing(ctx, env)
}

func (r *registry) SigningKey(ctx context.Context, id string) (account.SigningKey, error) {
	r.reads++
	return r.keys.SigningKey(ctx, id)
}

func (r *registry) authenticator() *identity.Authenticator {
	return identity.New(identity.Sources{
		Credentials: r, APITokens: r, Keys: r, Marks: r, Acting: acting{}, Impersonating: sessions{}, Issuer: us, Now: func() time.Time { return r.now },
	})
}

// reading tells how often is read while a token is shown some times, each of which must end as wanted.
func (r *registry) reading(a *identity.Authenticator, token string, times int, good bool) int {
	r.t.Helper()
	before := r.reads
	for range times {
		_, err := a.Authenticate(context.Background(), identity.Presented{Authorization: "Bearer " + token})
		if good != (err == nil) || err != nil && !errors.Is(err, fault.Unauthenticated) {
			r.t.Errorf("%v", err)
		}
	}
	return r.reads - before
}

// each is every kind of credential that is remembered, and how often one is read that is not.
func (r *registry) each() map[string]int {
	return map[string]int{
		identity.FormatToken("prod", "shop", secret): 1, identity.FormatAPIToken("prod", "export", secret): 1, r.get("sec_1", ""): 2,
	}
}

// TestC1_CredentialsAreReadAgainWhenAnythingChanges: and a credential that is gone then opens nothing.
func TestC1_CredentialsAreReadAgainWhenAnythingChanges(t *testing.T) {
	r := newRegistry(t)
	for token, once := range r.each() {
		a := r.authenticator()
		r.gone = false
		for range 3 {
			r.mark++
			if n := r.reading(a, token, 5, true); n != once {
				t.Errorf("%.24s: read %d times, where %d are enough", token, n, once)
			}
		}
		r.gone = true
		r.mark++
		if n := r.reading(a, token, 5, false); n < 5 {
			t.Errorf("%.24s: what is gone is read %d times of 5", token, n)
		}
		r.mark, r.gone = 0, false // no telling
		if n := r.reading(a, token, 5, true); n != 5*once {
			t.Errorf("%.24s: read %d times without telling whether it has changed", token, n)
		}
		r.mark = 100
	}
}

// TestC2_WhoHasNoSecretIsToldNothingByTheTime: a wrong secret is read about each time, whether there is who it names, and has just been, or not.
func TestC2_WhoHasNoSecretIsToldNothingByTheTime(t *testing.T) {
	r := newRegistry(t)
	a := r.authenticator()
	for token := range r.each() {
		r.reading(a, token, 1, true)
	}
	for _, token := range []string{
		identity.FormatToken("prod", "shop", "d3Jvbmc"), identity.FormatToken("prod", "nobody", "d3Jvbmc"), identity.FormatToken("nowhere", "shop", secret),
		identity.FormatAPIToken("prod", "export", "d3Jvbmc"), identity.FormatAPIToken("prod", "nothing", "d3Jvbmc"), identity.FormatAPIToken("prod", "shop", secret),
		identity.FormatToken("prod", "export", secret), identity.FormatToken("prod", "shop", directory.Secret(fmt.Sprintf("%064x", 0))),
	} {
		if n := r.reading(a, token, 5, false); n != 5 {
			t.Errorf("%s: read %d times of 5", token, n)
		}
	}
}

// TestC2_RememberedCredentialsEndInTime: nothing has to change for that.
func TestC2_RememberedCredentialsEndInTime(t *testing.T) {
	r := newRegistry(t)
	r.kept.Secrets[0].ExpiresAt = new(clock.Add(10 * time.Minute))
	a := r.authenticator()
	tokens := r.each()
	for token := range tokens {
		r.reading(a, token, 2, true)
	}
	r.now = clock.Add(2 * time.Hour)
	for token := range tokens {
		r.reading(a, token, 2, false)
	}
}
