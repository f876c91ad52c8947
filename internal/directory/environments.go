package directory

import (
	"context"
	"errors"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// CreateEnvironment makes an environment; only the operator at the machine's command line does.
// Empty settings get their defaults.
//
// Faults: Exists (environment_exists), Invalid, Denied.
func (d *Directory) CreateEnvironment(ctx context.Context, req Request, env account.Environment) (Result[account.Environment], error) {
	var none Result[account.Environment]
	if !req.Actor.System {
		return none, fault.New(fault.Denied, "permission_denied", "environments are made on the command line")
	}
	if err := account.CheckID("environment", env.ID); err != nil {
		return none, err
	}
	env = env.WithDefaults()
	if err := cleanEnvironment(&env); err != nil {
		return none, err
	}
	req.Actor.Environment = env.ID
	p := d.newPlan(req)
	env.CreatedAt = p.now
	err := d.store.CreateEnvironment(ctx, account.Entry{
		Environment: env.ID, At: p.now, Actor: req.Actor, RequestID: req.ID, From: req.From,
		Kind: account.EnvironmentCreated, Changes: []account.Change{{After: account.Of(env)}},
	})
	if err != nil {
		return none, err
	}
	return Result[account.Environment]{Value: env, Version: 1, ETag: 1, Applied: d.await(ctx, env.ID, 1)}, nil
}

// reservedPrefix tells API tokens (tenantry_api_<environment>…) from the tokens of clients (tenantry_<environment>…).
const reservedPrefix = "api_"

func cleanEnvironment(env *account.Environment) error {
	if strings.HasPrefix(string(env.ID), reservedPrefix) {
		return fault.New(fault.Invalid, "reserved_id", "the id of an environment does not begin with %s: its clients' tokens would look like API tokens", reservedPrefix).In("id")
	}
	var err error
	if env.Name, err = account.CleanName("name", env.Name); err != nil {
		return err
	}
	if err := account.CheckAccessMode("default_access_mode", env.DefaultAccessMode); err != nil {
		return err
	}
	return errors.Join(
		account.CheckMaxDepth(env.MaxDepth),
		account.CheckInvitationURL("invitation_url", env.InvitationURL),
		account.CheckLifetime("invitation_hours", env.InvitationHours, account.MaxInvitationHours),
		account.CheckLifetime("token_minutes", env.TokenMinutes, account.MaxTokenMinutes),
	)
}

// EnvironmentPatch changes what is not nil.
type EnvironmentPatch struct {
	Name               *string             `json:"name,omitempty"`
	SubAccountsEnabled *bool               `json:"sub_accounts_enabled,omitempty"`
	DefaultAccessMode  *account.AccessMode `json:"default_access_mode,omitempty"`
	MaxDepth           *int                `json:"max_depth,omitempty"`
	InvitationURL      *string             `json:"invitation_url,omitempty"`
	InvitationHours    *int                `json:"invitation_hours,omitempty"`
	TokenMinutes       *int                `json:"token_minutes,omitempty"`
	ExchangeOnly       *bool               `json:"exchange_only,omitempty"`
	IPAllowList        *[]string           `json:"ip_allow_list,omitempty"` // addresses and networks; none is anywhere
}

// UpdateEnvironment changes an environment's settings (E2, E3); it needs manage_security.
// A lower maximum depth leaves deeper accounts as they are. An allow list has to
// hold the address of who sets it, but for the system.
func (d *Directory) UpdateEnvironment(ctx context.Context, req Request, patch EnvironmentPatch) (Result[account.Environment], error) {
	return write(ctx, d, req, "environment.update", patch, func(ctx context.Context, r Reader, p *plan) (account.Environment, error) {
		p.kind = account.EnvironmentChanged
		p.environment("manage_security", "change the settings of the environment")
		before, err := begin(ctx, p, func(ctx context.Context, _ account.EnvironmentID) (account.Versioned[account.Environment], error) {
			return r.Environment(ctx)
		}, p.env)
		if err != nil {
			return before, err
		}
		env := before
		set(&env.Name, patch.Name)
		set(&env.SubAccountsEnabled, patch.SubAccountsEnabled)
		set(&env.DefaultAccessMode, patch.DefaultAccessMode)
		set(&env.MaxDepth, patch.MaxDepth)
		set(&env.InvitationURL, patch.InvitationURL)
		set(&env.InvitationHours, patch.InvitationHours)
		set(&env.TokenMinutes, patch.TokenMinutes)
		set(&env.ExchangeOnly, patch.ExchangeOnly)
		if patch.IPAllowList != nil {
			if env.IPAllowList, err = listFor("ip_allow_list", *patch.IPAllowList, req.Actor, !req.Actor.System); err != nil {
				return env, err
			}
		}
		if err := cleanEnvironment(&env); err != nil {
			return env, err
		}
		if env != before {
			p.change(account.Of(before), account.Of(env))
		}
		return env, nil
	})
}

// set gives a field the value of a patch, unless that is nil.
func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}
