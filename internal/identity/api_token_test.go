package identity_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// clock is what these tests take for now.
var clock = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// machines knows the API tokens prod/export, with the secret; prod/past, which has
// expired; and prod/bare, which never had a secret.
type machines struct{}

func (machines) APITokenCredential(_ context.Context, env account.EnvironmentID, id account.APITokenID) (account.APIToken, []byte, error) {
	switch {
	case env == "prod" && id == "export":
		return account.APIToken{ID: id, Account: "globex", ExpiresAt: new(clock.Add(time.Hour))}, directory.HashSecret(secret), nil
	case env == "prod" && id == "past":
		return account.APIToken{ID: id, Account: "globex", ExpiresAt: new(clock)}, directory.HashSecret(secret), nil
	case env == "prod" && id == "bare":
		return account.APIToken{ID: id, Account: "globex"}, nil, nil
	default:
		return account.APIToken{}, nil, fault.New(fault.NotFound, "api_token_not_found", "there is no API token %s", id)
	}
}

// uses remembers what was noted.
type uses struct {
	noted   []account.APITokenID
	secrets []account.SecretID
}

func (u *uses) NoteSecret(_ account.EnvironmentID, id account.SecretID, _ time.Time) {
	u.secrets = append(u.secrets, id)
}

func (u *uses) Note(_ account.EnvironmentID, id account.APITokenID, _ time.Time) {
	u.noted = append(u.noted, id)
}

func TestC1_APITokens(t *testing.T) {
	noted := &uses{}
	a := identity.New(identity.Sources{APITokens: machines{}, Uses: noted, Now: func() time.Time { return clock }})
	good := identity.FormatAPIToken("prod", "export", secret)
	got, err := ask(t, a, "Bearer "+good, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(account.Actor{Environment: "prod", APIToken: "export"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ask(t, a, "Bearer "+good, "ada"); err == nil || fault.From(err).Code != "may_not_act_for_users" || fault.From(err).Field != "Act-For-User" {
		t.Errorf("acting for a user: %v", err)
	}
	var first error
	for _, token := range []string{
		identity.FormatAPIToken("prod", "export", "d3Jvbmc"),
		identity.FormatAPIToken("prod", "nobody", secret),
		identity.FormatAPIToken("nowhere", "export", secret),
		identity.FormatAPIToken("prod", "past", secret),
		identity.FormatAPIToken("prod", "bare", secret),
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
	if diff := cmp.Diff([]account.APITokenID{"export"}, noted.noted); diff != "" {
		t.Errorf("noted: %s", diff)
	}
}

func TestC2_SecretsOfAPITokensAreNotShown(t *testing.T) {
	token, err := identity.ParseAPIToken(identity.FormatAPIToken("prod", "export", secret))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("called", "token", token)
	for _, shown := range []string{fmt.Sprint(token), fmt.Sprintf("%+v", token), fmt.Sprintf("%#v", token), log.String()} {
		if strings.Contains(shown, string(secret)) || !strings.Contains(shown, "tenantry_api_prod.export.") {
			t.Errorf("the token shows as %s", shown)
		}
	}
	_, err = identity.ParseAPIToken("tenantry_api_a b.c." + string(secret))
	if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), string(secret)) {
		t.Errorf("error: %v", err)
	}
}

func FuzzParseAPIToken(f *testing.F) {
	for _, text := range []string{
		identity.FormatAPIToken("prod", "export", secret), "", "tenantry_api_", "tenantry_api_a.b", "tenantry_api_a.b.c.d", "tenantry_api_..",
		"tenantry_api_a.b.é", "tenantry_api_api_a.b.c", identity.FormatToken("prod", "shop", secret),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := identity.ParseAPIToken(text)
		if err != nil {
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("ParseAPIToken(%q): %v, want Unauthenticated", text, err)
			}
			return
		}
		if again := identity.FormatAPIToken(token.Environment, token.ID, token.Secret); again != text {
			t.Errorf("ParseAPIToken(%q) reads as %q", text, again)
		}
	})
}

// TestC1_APITokensOfAnAccountShareWhatItMayTake: each is a credential of its own, also where it is refused, and they have one share.
func TestC1_APITokensOfAnAccountShareWhatItMayTake(t *testing.T) {
	a := identity.New(identity.Sources{APITokens: machines{}, Now: func() time.Time { return clock }})
	for _, user := range []string{"", "ada"} {
		got, err := a.Authenticate(t.Context(), identity.Presented{Authorization: "Bearer " + identity.FormatAPIToken("prod", "export", secret), ActForUser: user})
		if (err != nil) != (user != "") || got.Credential != "prod/api_token:export" || got.Share != "prod/account:globex" {
			t.Errorf("for %q: %+v, %v", user, got, err)
		}
	}
}
