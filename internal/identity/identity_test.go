package identity_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

const secret directory.Secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ"

// vault knows the clients prod/shop, with the secret, and prod/bare, which never had one.
type vault struct{ away error }

func (v vault) Credential(_ context.Context, env account.EnvironmentID, id account.ClientID) (account.ClientCredential, error) {
	known := account.ClientCredential{Client: account.Client{ID: id}}
	switch {
	case v.away != nil:
		return account.ClientCredential{}, v.away
	case env != "prod":
		return account.ClientCredential{}, fault.New(fault.NotFound, "environment_not_found", "there is no environment %s", env)
	case id == "shop":
		known.Secrets = []account.KeptSecret{{ClientSecret: account.ClientSecret{ID: "sec_1", Client: id}, Hash: directory.HashSecret(secret)}}
		return known, nil
	case id == "bare":
		return known, nil
	default:
		return account.ClientCredential{}, fault.New(fault.NotFound, "client_not_found", "there is no client %s", id)
	}
}

// ask authenticates a request with a header that acts for a user, "" for nobody.
func ask(t *testing.T, a *identity.Authenticator, header, actFor string) (account.Actor, error) {
	t.Helper()
	caller, err := a.Authenticate(t.Context(), identity.Presented{Authorization: header, ActForUser: actFor})
	return caller.Actor, err
}

// acting lets prod/shop act for ada, and for nobody else.
type acting struct{}

func (acting) MayActFor(_ context.Context, env account.EnvironmentID, client account.ClientID, user account.UserID) error {
	if env == "prod" && client == "shop" && user == "ada" {
		return nil
	}
	return fault.New(fault.Denied, "user_blocked", "user %s is blocked", user)
}

func newAuthenticator(v vault) *identity.Authenticator {
	return identity.New(identity.Sources{Credentials: v, Acting: acting{}, Keys: newRing(), Impersonating: sessions{}, APITokens: machines{}})
}

func TestAuthenticate(t *testing.T) {
	good := identity.FormatToken("prod", "shop", secret)
	tests := []struct {
		name, header, actFor string
		want                 account.Actor
		code                 string
	}{
		{name: "client", header: "Bearer " + good, want: account.Actor{Environment: "prod", Client: "shop"}},
		{name: "scheme in lower case", header: "bearer " + good, want: account.Actor{Environment: "prod", Client: "shop"}},
		{name: "more space", header: "Bearer   " + good, want: account.Actor{Environment: "prod", Client: "shop"}},
		{name: "acting", header: "Bearer " + good, actFor: "ada", want: account.Actor{Environment: "prod", Client: "shop", User: "ada"}},
		{name: "acting for another", header: "Bearer " + good, actFor: "bob", code: "user_blocked"},
		{name: "acting for no id", header: "Bearer " + good, actFor: "ada bob", code: "invalid_id"},
		{name: "wrong secret, acting", header: "Bearer " + good + "x", actFor: "ada", code: "unauthenticated"},
		{name: "no header", code: "unauthenticated"},
		{name: "scheme only", header: "Bearer", code: "unauthenticated"},
		{name: "scheme and space", header: "Bearer ", code: "unauthenticated"},
		{name: "other scheme", header: "Basic " + good, code: "unauthenticated"},
		{name: "no scheme", header: good, code: "unauthenticated"},
		{name: "tab", header: "Bearer\t" + good, code: "unauthenticated"},
		{name: "trailing space", header: "Bearer " + good + " ", code: "unauthenticated"},
		{name: "two tokens", header: "Bearer " + good + ", Bearer " + good, code: "unauthenticated"},
		{name: "not a token", header: "Bearer abc", code: "unauthenticated"},
		{name: "no secret", header: "Bearer tenantry_prod.shop.", code: "unauthenticated"},
		{name: "a JWT", header: "Bearer eyJhbGciOiJub25lIn0.e30.", code: "unauthenticated"},
	}
	a := newAuthenticator(vault{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ask(t, a, tt.header, tt.actFor)
			if tt.code == "" && err != nil {
				t.Fatalf("Authenticate: %v", err)
			}
			if tt.code != "" && (err == nil || fault.From(err).Code != tt.code) {
				t.Fatalf("Authenticate: %v, want code %s", err, tt.code)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("actor (-want +got):\n%s", diff)
			}
		})
	}
}

func TestC2_UnknownAndWrongAreTheSame(t *testing.T) {
	a := newAuthenticator(vault{})
	var first error
	for _, token := range []string{
		identity.FormatToken("prod", "shop", "d3Jvbmc"),
		identity.FormatToken("prod", "nobody", secret),
		identity.FormatToken("nowhere", "shop", secret),
		identity.FormatToken("prod", "bare", secret),
	} {
		_, err := ask(t, a, "Bearer "+token, "")
		if !errors.Is(err, fault.Unauthenticated) {
			t.Fatalf("%s: %v, want Unauthenticated", token, err)
		}
		if first == nil {
			first = err
		}
		if err.Error() != first.Error() {
			t.Errorf("%s: %q, want the same as for another token: %q", token, err, first)
		}
	}
}

func TestC2_SecretsAreNotShown(t *testing.T) {
	a := newAuthenticator(vault{})
	for _, header := range []string{
		"Bearer " + identity.FormatToken("prod", "nobody", secret),
		"Bearer " + identity.FormatToken("prod", "a b", secret),
		"Basic " + string(secret),
		"Bearer " + string(secret),
	} {
		_, err := ask(t, a, header, "")
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), string(secret)) {
			t.Errorf("error of %q: %v", header, err)
		}
	}
	token, err := identity.ParseToken(identity.FormatToken("prod", "shop", secret))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("called", "token", token)
	for _, shown := range []string{fmt.Sprint(token), fmt.Sprintf("%+v", token), fmt.Sprintf("%#v", token), log.String()} {
		if strings.Contains(shown, string(secret)) || !strings.Contains(shown, "tenantry_prod.shop.") {
			t.Errorf("the token shows as %s", shown)
		}
	}
}

func TestUnavailablePassesThrough(t *testing.T) {
	away := fault.New(fault.Unavailable, "database_unavailable", "the database is away")
	_, err := ask(t, newAuthenticator(vault{away: away}), "Bearer "+identity.FormatToken("prod", "shop", secret), "")
	if !errors.Is(err, fault.Unavailable) {
		t.Errorf("Authenticate: %v, want Unavailable", err)
	}
}

func FuzzParseToken(f *testing.F) {
	for _, text := range []string{
		identity.FormatToken("prod", "shop", secret), "", "tenantry_", "tenantry_a.b", "tenantry_a.b.c.d", "tenantry_..", "tenantry_a.b.é", "tenantry_a_b.c-d.e",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := identity.ParseToken(text)
		if err != nil {
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("ParseToken(%q): %v, want Unauthenticated", text, err)
			}
			return
		}
		if again := identity.FormatToken(token.Environment, token.Client, token.Secret); again != text {
			t.Errorf("ParseToken(%q) reads as %q", text, again)
		}
	})
}
