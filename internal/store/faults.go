package store

import (
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

func noEnvironment(id account.EnvironmentID) error {
	return fault.New(fault.NotFound, "environment_not_found", "there is no environment %s; tenantry environment create makes one", account.Quote(string(id)))
}

func noClient(id account.ClientID) error {
	return fault.New(fault.NotFound, "client_not_found", "there is no client %s", account.Quote(string(id)))
}

func noAccount(id account.ID) error {
	return fault.New(fault.NotFound, "account_not_found", "there is no account %s", account.Quote(string(id)))
}

func noUser(id account.UserID) error {
	return fault.New(fault.NotFound, "user_not_found", "there is no user %s", account.Quote(string(id)))
}

func noUserWithEmail(email string) error {
	return fault.New(fault.NotFound, "user_not_found", "there is no user with the e-mail address %s", account.Quote(email))
}

func noRole(key account.RoleKey) error {
	return fault.New(fault.NotFound, "role_not_found", "there is no role %s", account.Quote(string(key)))
}

func noFeature(key account.FeatureKey) error {
	return fault.New(fault.NotFound, "feature_not_found", "there is no feature %s", account.Quote(string(key)))
}

func noPlan(key account.PlanKey) error {
	return fault.New(fault.NotFound, "plan_not_found", "there is no plan %s", account.Quote(string(key)))
}

func noAPIToken(id account.APITokenID) error {
	return fault.New(fault.NotFound, "api_token_not_found", "there is no API token %s", account.Quote(string(id)))
}

func noInvitation(id account.InvitationID) error {
	return fault.New(fault.NotFound, "invitation_not_found", "there is no invitation %s", account.Quote(string(id)))
}

func noSigningKey(id string) error {
	return fault.New(fault.NotFound, "signing_key_not_found", "there is no signing key %s", account.Quote(id))
}

func noSecret(id account.SecretID) error {
	return fault.New(fault.NotFound, "secret_not_found", "there is no secret %s", account.Quote(string(id)))
}

func noOperator(id string) error {
	return fault.New(fault.NotFound, "operator_not_found", "there is no operator %s", account.Quote(id))
}

func noIssuer(id string) error {
	return fault.New(fault.NotFound, "issuer_not_found", "there is no issuer %s", account.Quote(id))
}

func noIdentity(id string) error {
	return fault.New(fault.NotFound, "identity_not_found", "there is no identity %s", account.Quote(id))
}

func noImpersonation(id account.ImpersonationID) error {
	return fault.New(fault.NotFound, "impersonation_not_found", "there is no impersonation %s", account.Quote(string(id)))
}

func noMembership(id account.ID, user account.UserID) error {
	return fault.New(fault.NotFound, "membership_not_found", "user %s is not a member of account %s",
		account.Quote(string(user)), account.Quote(string(id)))
}
