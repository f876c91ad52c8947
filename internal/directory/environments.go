package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

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
	if env.Name == "" {
		env.Name = string(env.ID)
	}
	if env.DefaultAccessMode == "" {
		env.DefaultAccessMode = account.DefaultOff
	}
	if env.MaxDepth == 0 {
		env.MaxDepth = account.DefaultMaxDepth
	}
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

func cleanEnvironment(env *account.Environment) error {
	var err error
	if env.Name, err = account.CleanName("name", env.Name); err != nil {
		return err
	}
	if err := account.CheckAccessMode("default_access_mode", env.DefaultAccessMode); err != nil {
		return err
	}
	return account.CheckMaxDepth(env.MaxDepth)
}

// EnvironmentPatch changes what is not nil.
type EnvironmentPatch struct {
	Name               *string             `json:"name,omitempty"`
	SubAccountsEnabled *bool               `json:"sub_accounts_enabled,omitempty"`
	DefaultAccessMode  *account.AccessMode `json:"default_access_mode,omitempty"`
	MaxDepth           *int                `json:"max_depth,omitempty"`
}

// UpdateEnvironment changes an environment's settings (E2, E3); it needs manage_security.
// A lower maximum depth leaves deeper accounts as they are.
func (d *Directory) UpdateEnvironment(ctx context.Context, req Request, patch EnvironmentPatch) (Result[account.Environment], error) {
	return write(ctx, d, req, "environment.update", patch, func(ctx context.Context, r Reader, p *plan) (account.Environment, error) {
		p.kind = account.EnvironmentChanged
		p.environment("manage_security", "change the settings of the environment")
		found, err := r.Environment(ctx)
		if err != nil {
			return account.Environment{}, err
		}
		if err := p.match(found.Version); err != nil {
			return account.Environment{}, err
		}
		p.etag = found.Version
		env := found.Value
		if patch.Name != nil {
			env.Name = *patch.Name
		}
		if patch.SubAccountsEnabled != nil {
			env.SubAccountsEnabled = *patch.SubAccountsEnabled
		}
		if patch.DefaultAccessMode != nil {
			env.DefaultAccessMode = *patch.DefaultAccessMode
		}
		if patch.MaxDepth != nil {
			env.MaxDepth = *patch.MaxDepth
		}
		if err := cleanEnvironment(&env); err != nil {
			return env, err
		}
		if env != found.Value {
			p.change(account.Of(found.Value), account.Of(env))
		}
		return env, nil
	})
}

// Secret is a client's secret in the clear. It is shown once and kept only as a hash (C2).
type Secret string

// HashSecret returns what is kept of a secret: secrets are 256 random bits, so one round of SHA-256 does.
func HashSecret(secret Secret) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// CreateClient makes an environment client and returns its secret (C1, C2); it needs manage_security.
//
// Faults: Exists (client_exists), Invalid (unknown_portal_role, impersonator_alone, …), Denied.
func (d *Directory) CreateClient(ctx context.Context, req Request, c account.Client) (Result[account.Client], Secret, error) {
	id, err := orNew("id", c.ID, "cli")
	if err != nil {
		return Result[account.Client]{}, "", err
	}
	c.ID = id
	if c.Name == "" {
		c.Name = string(c.ID)
	}
	if c.Name, err = account.CleanName("name", c.Name); err != nil {
		return Result[account.Client]{}, "", err
	}
	c.Roles = account.Set(c.Roles)
	if err := account.CheckPortalRoles(c.Roles); err != nil {
		return Result[account.Client]{}, "", err
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	secret := Secret(base64.RawURLEncoding.EncodeToString(random[:]))
	req.IdempotencyKey = "" // a secret is not kept to be shown again
	result, err := write(ctx, d, req, "client.create", nil, func(_ context.Context, _ Reader, p *plan) (account.Client, error) {
		p.kind = account.ClientCreated
		p.environment("manage_security", "make clients")
		c.CreatedAt = p.now
		p.change(nil, account.Of(c))
		p.secret = &clientSecret{client: c.ID, hash: HashSecret(secret)}
		return c, nil
	})
	return result, secret, err
}

// RevokeClient deletes a client: its secret opens nothing from then on. It needs manage_security.
func (d *Directory) RevokeClient(ctx context.Context, req Request, id account.ClientID) (Result[account.Client], error) {
	if err := account.CheckID("client", id); err != nil {
		return Result[account.Client]{}, err
	}
	return write(ctx, d, req, "client.revoke "+string(id), nil, func(ctx context.Context, r Reader, p *plan) (account.Client, error) {
		p.kind = account.ClientRevoked
		p.environment("manage_security", "revoke clients")
		found, err := r.Client(ctx, id)
		if err != nil {
			return account.Client{}, err
		}
		p.change(account.Of(found.Value), nil)
		return found.Value, nil
	})
}
