package app_test

import (
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/testoidc"
)

// recordEntry appends changes to an environment's journal, as a use case would.
func (s *service) recordEntry(env account.EnvironmentID, kind account.Kind, changes ...account.Change) {
	s.t.Helper()
	err := s.Store.Write(s.t.Context(), env, func(tx directory.Tx) error {
		_, err := tx.Append(s.t.Context(), account.Entry{
			Environment: env, ID: account.NewID("ent"), At: time.Now(), Actor: account.Actor{System: true}, Kind: kind, Changes: changes,
		})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func entityMade[T account.Value](v T) account.Change { return account.Change{After: account.Of(v)} }
func entityGone[T account.Value](v T) account.Change { return account.Change{Before: account.Of(v)} }

// TestC1_WhoSignedInElsewhere: a user's token of a real provider, and an operator's
// of another, open what belongs to them in the environment that is named, at once and no longer than they may.
func TestC1_WhoSignedInElsewhere(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.InsecureIssuers = true
	w := furnished(t, cfg)
	real, other := testoidc.Start(t), testoidc.NewFake(t)
	at := time.Now().UTC().Truncate(time.Second)
	users := account.Issuer{ID: "iss_users", Name: "Login", URL: real.Issuer, Audiences: []string{testoidc.Audience, testoidc.AccessAudience}, Purpose: account.ForUsers, CreatedAt: at}
	operators := account.Issuer{ID: "iss_staff", Name: "Staff", URL: other.Issuer, Audiences: []string{testoidc.Audience}, Purpose: account.ForOperators, CreatedAt: at}
	owner := account.Identity{ID: "idn_1", Issuer: real.Issuer, Subject: "login|owner", User: "owner", CreatedAt: at}
	mara := account.Operator{
		ID: "mara", Email: "mara@vendor.example", Roles: []account.PortalRole{account.BackofficeViewer}, Issuer: other.Issuer, Subject: "login|owner", CreatedAt: at,
	}
	w.recordEntry("prod", account.IssuerCreated, entityMade(users))
	w.recordEntry("prod", account.IssuerCreated, entityMade(operators))
	w.recordEntry("prod", account.IdentityLinked, entityMade(owner))
	w.recordEntry("prod", account.OperatorCreated, entityMade(mara))
	prod := []string{identity.Environment, "prod"}

	user := caller{s: w.service, token: real.Token("login|owner", testoidc.Options{})}
	if ids := user.must("GET", "/v1/me/accounts", nil, prod...).list("accounts", "id"); len(ids) == 0 {
		t.Error("the user may open nothing")
	}
	access := caller{s: w.service, token: real.Token("login|owner", testoidc.Options{Access: true})}
	access.must("GET", "/v1/accounts/globex-eu", nil, prod...)
	user.refuse("permission_denied", "GET", "/v1/environment", nil, prod...)
	staff := caller{s: w.service, token: other.Token(testoidc.Claims{"sub": "login|owner"})}
	staff.must("GET", "/v1/accounts/globex", nil, prod...)
	staff.refuse("permission_denied", "PATCH", "/v1/accounts/globex", obj{"name": "Mine"}, prod...)
	staff.refuse("no_acting_user", "GET", "/v1/me/accounts", nil, prod...)

	for _, c := range []caller{user, access, staff} {
		c.refuse("environment_required", "GET", "/v1/accounts/globex", nil).is(t, 401, "environment_required", identity.Environment)
		c.refuse("unauthenticated", "GET", "/v1/accounts/globex", nil, identity.Environment, "dev")
		c.refuse("unauthenticated", "GET", "/v1/accounts/globex", nil, identity.Environment, "nowhere")
		c.as("viewer").refuse("may_not_act_for_users", "GET", "/v1/accounts/globex", nil, prod...)
		caller{s: w.service, token: c.token[:len(c.token)-4] + "AAAA"}.refuse("unauthenticated", "GET", "/v1/accounts/globex", nil, prod...)
	}
	w.op.must("GET", "/v1/accounts/globex", nil, prod...)
	w.op.refuse("unauthenticated", "GET", "/v1/accounts/globex", nil, identity.Environment, "dev")
	stranger := caller{s: w.service, token: real.Token("login|stranger", testoidc.Options{Email: "owner@globex.example", EmailVerified: false})}
	stranger.refuse("identity_unknown", "GET", "/v1/me/accounts", nil, prod...)

	w.op.must("POST", "/v1/users/owner/block", nil)
	user.refuse("user_blocked", "GET", "/v1/me/accounts", nil, prod...)
	w.op.must("POST", "/v1/users/owner/unblock", nil)
	user.must("GET", "/v1/me/accounts", nil, prod...)
	narrowed := users
	narrowed.Audiences = []string{testoidc.AccessAudience}
	w.recordEntry("prod", account.IssuerChanged, account.Change{Before: account.Of(users), After: account.Of(narrowed)})
	user.refuse("unauthenticated", "GET", "/v1/me/accounts", nil, prod...)
	access.must("GET", "/v1/me/accounts", nil, prod...)
	w.recordEntry("prod", account.IdentityUnlinked, entityGone(owner))
	access.refuse("identity_unknown", "GET", "/v1/me/accounts", nil, prod...)
	w.recordEntry("prod", account.IssuerDeleted, entityGone(operators))
	staff.refuse("unauthenticated", "GET", "/v1/accounts/globex", nil, prod...)
}
