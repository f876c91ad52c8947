package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Secret is the secret of a client or of an API token, in the clear. It is shown once and kept only as a hash (C2).
type Secret string

// HashSecret returns what is kept of a secret: secrets are 256 random bits, so one round of SHA-256 does.
func HashSecret(secret Secret) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func newSecret() Secret {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	return Secret(base64.RawURLEncoding.EncodeToString(random[:]))
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
	first, secret := account.SecretID(account.NewID("sec")), newSecret()
	req.IdempotencyKey = "" // a secret is not kept to be shown again
	result, err := write(ctx, d, req, "client.create", nil, func(ctx context.Context, r Reader, p *plan) (account.Client, error) {
		p.kind = account.ClientCreated
		p.environment("manage_security", "make clients")
		c.CreatedAt = p.now
		_, err := FindOfficer(ctx, r, c.ID)
		if err == nil {
			return c, fault.New(fault.Exists, "client_exists", "there is a client, or an operator, %s already", c.ID).In("id")
		}
		if !errors.Is(err, fault.NotFound) {
			return c, err
		}
		p.change(nil, account.Of(c))
		p.addSecret(account.ClientSecret{ID: first, Client: c.ID, CreatedAt: p.now}, secret)
		return c, nil
	})
	return result, secret, err
}

// addSecret plans a secret of a client.
func (p *plan) addSecret(s account.ClientSecret, secret Secret) {
	p.change(nil, account.Of(s))
	p.beside = append(p.beside, func(ctx context.Context, tx Tx) error { return tx.SetSecret(ctx, s.ID, HashSecret(secret)) })
}

// RevokeClient deletes a client: its secret opens nothing from then on, and its
// impersonations end. It needs manage_security.
func (d *Directory) RevokeClient(ctx context.Context, req Request, id account.ClientID) (Result[account.Client], error) {
	if err := account.CheckID("client", id); err != nil {
		return Result[account.Client]{}, err
	}
	return write(ctx, d, req, "client.revoke "+string(id), nil, func(ctx context.Context, r Reader, p *plan) (account.Client, error) {
		p.kind = account.ClientRevoked
		p.environment("manage_security", "revoke clients")
		gone, err := begin(ctx, p, r.Client, id)
		if err != nil {
			return gone, err
		}
		secrets, err := r.ClientSecrets(ctx, id)
		if err != nil {
			return gone, err
		}
		for _, s := range secrets {
			p.change(account.Of(s.Value), nil)
		}
		p.change(account.Of(gone), nil)
		return gone, endSessions(ctx, r, p, func(i account.Impersonation) bool { return i.Operator == id })
	})
}
