package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// safe knows the client prod/shop, which has three secrets, and counts what it is asked.
type safe struct {
	exchangeOnly bool
	asked        int
}

const (
	oldSecret   directory.Secret = "b2xkLW9sZA"
	endedSecret directory.Secret = "ZW5kZWQtZW5kZWQ"
)

func (s *safe) Credential(_ context.Context, env account.EnvironmentID, id account.ClientID) (account.ClientCredential, error) {
	s.asked++
	if env != "prod" || id != "shop" {
		return account.ClientCredential{}, fault.New(fault.NotFound, "client_not_found", "there is no client %s", id)
	}
	kept := func(id account.SecretID, secret directory.Secret, ends *time.Time) account.KeptSecret {
		return account.KeptSecret{ClientSecret: account.ClientSecret{ID: id, Client: "shop", ExpiresAt: ends}, Hash: directory.HashSecret(secret)}
	}
	return account.ClientCredential{
		Client: account.Client{ID: id, Scopes: "check read"}, ExchangeOnly: s.exchangeOnly,
		Secrets: []account.KeptSecret{
			kept("sec_ended", endedSecret, new(clock)), kept("sec_new", secret, nil), kept("sec_old", oldSecret, new(clock.Add(time.Second))),
		},
	}, nil
}

// TestC2_SecretsOverlap: each secret that has not ended opens what its client may, and its use is noted.
func TestC2_SecretsOverlap(t *testing.T) {
	noted := &uses{}
	a := identity.New(identity.Sources{Credentials: &safe{}, Uses: noted, Now: func() time.Time { return clock }})
	for _, c := range []struct {
		secret directory.Secret
		used   account.SecretID
	}{{secret, "sec_new"}, {oldSecret, "sec_old"}} {
		caller, err := a.Authenticate(t.Context(), identity.Presented{Authorization: "Bearer " + identity.FormatToken("prod", "shop", c.secret)})
		want := identity.Caller{Actor: account.Actor{Environment: "prod", Client: "shop"}, Scopes: "check read", Credential: "prod/client:shop", Secret: c.used}
		if diff := cmp.Diff(want, caller); err != nil || diff != "" {
			t.Errorf("%v, %s", err, diff)
		}
	}
	if _, err := ask(t, a, "Bearer "+identity.FormatToken("prod", "shop", endedSecret), ""); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("a secret that has ended: %v", err)
	}
	if diff := cmp.Diff([]account.SecretID{"sec_new", "sec_old"}, noted.secrets); diff != "" {
		t.Errorf("noted: %s", diff)
	}
}

// TestC1_ExchangeOnly: the right secret is told where to go, and is noted when it goes there; a wrong one learns nothing.
func TestC1_ExchangeOnly(t *testing.T) {
	noted := &uses{}
	a := identity.New(identity.Sources{Credentials: &safe{exchangeOnly: true}, Uses: noted, Now: func() time.Time { return clock }})
	good := identity.FormatToken("prod", "shop", secret)
	if _, err := ask(t, a, "Bearer "+good, ""); !fault.HasCode(err, "exchange_required") || !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("the right secret: %v", err)
	}
	for _, s := range []directory.Secret{"d3Jvbmc", endedSecret} {
		if _, err := ask(t, a, "Bearer "+identity.FormatToken("prod", "shop", s), ""); !fault.HasCode(err, "unauthenticated") {
			t.Errorf("%s: %v", s, err)
		}
	}
	if len(noted.secrets) > 0 {
		t.Errorf("noted as used: %v", noted.secrets)
	}
	env, client, used, err := a.Client(t.Context(), "prod.shop", good)
	if err != nil || env != "prod" || client.ID != "shop" || client.Scopes != "check read" || used != "sec_new" {
		t.Errorf("exchanged: %s %+v %s %v", env, client, used, err)
	}
	if diff := cmp.Diff([]account.SecretID{"sec_new"}, noted.secrets); diff != "" {
		t.Errorf("noted: %s", diff)
	}
}

// TestC2_WhateverIsWrongWithAClientsSecret is answered with the same words, after as many look-ups.
func TestC2_WhateverIsWrongWithAClientsSecret(t *testing.T) {
	s := &safe{}
	a := identity.New(identity.Sources{Credentials: s, Now: func() time.Time { return clock }})
	good := identity.FormatToken("prod", "shop", secret)
	var first error
	for name, c := range map[string][2]string{
		"another secret":      {"prod.shop", identity.FormatToken("prod", "shop", "d3Jvbmc")},
		"ended":               {"prod.shop", identity.FormatToken("prod", "shop", endedSecret)},
		"no such client":      {"prod.shed", identity.FormatToken("prod", "shed", secret)},
		"no such environment": {"test.shop", identity.FormatToken("test", "shop", secret)},
		"of another client":   {"prod.shed", good},
		"of another place":    {"dev.shop", good},
		"without its name":    {"", good},
		"the id alone":        {"shop", good},
		"other case":          {"PROD.shop", good},
		"the bare secret":     {"prod.shop", string(secret)},
		"an API token":        {"prod.shop", identity.FormatAPIToken("prod", "shop", secret)},
		"none":                {"prod.shop", ""},
		"nothing":             {"", ""},
		"far too long":        {"prod.shop", good + strings.Repeat("x", 10_000)},
	} {
		s.asked = 0
		env, client, used, err := a.Client(t.Context(), c[0], c[1])
		if !fault.HasCode(err, "unauthenticated") || env != "" || client.ID != "" || used != "" {
			t.Errorf("%s: %s %v %s %v", name, env, client, used, err)
			continue
		}
		if first == nil {
			first = err
		}
		if err.Error() != first.Error() || s.asked != 1 {
			t.Errorf("%s: %q after %d look-ups, another is answered %q after one", name, err, s.asked, first)
		}
		if c[1] != "" && strings.Contains(fmt.Sprintf("%v %+v", err, err), string(secret)) {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
	if _, _, _, err := a.Client(t.Context(), "prod.shop", good); err != nil {
		t.Errorf("the right one: %v", err)
	}
	away := identity.New(identity.Sources{Credentials: vault{away: fault.New(fault.Unavailable, "database_unavailable", "away")}})
	if _, _, _, err := away.Client(t.Context(), "prod.shop", good); !errors.Is(err, fault.Unavailable) {
		t.Errorf("credentials that cannot be read: %v", err)
	}
}
