package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"

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
// Faults: Exists (client_exists), Invalid (unknown_portal_role, impersonator_alone, unknown_scope, …), Denied.
func (d *Directory) CreateClient(ctx context.Context, req Request, c account.Client) (Result[account.Client], Secret, error) {
	id, err := orNew("id", c.ID, "cli")
	if err != nil {
		return Result[account.Client]{}, "", err
	}
	c.ID = id
	if c.Name == "" {
		c.Name = string(c.ID)
	}
	if err := cleanClient(&c); err != nil {
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

// cleanClient brings what a caller says of a client into its form; Invalid faults.
func cleanClient(c *account.Client) (err error) {
	if c.Name, err = account.CleanName("name", c.Name); err != nil {
		return err
	}
	c.Roles = account.Set(c.Roles)
	if err := account.CheckPortalRoles(c.Roles); err != nil {
		return err
	}
	c.Scopes, err = account.ParseScopes("scopes", c.Scopes.List())
	return err
}

// ClientPatch changes what is not nil.
type ClientPatch struct {
	Name        *string
	Roles       *[]account.PortalRole
	ActForUsers *bool
	Scopes      *account.Scopes
}

// UpdateClient changes a client, and with it from the next request on what its
// credentials open; it needs manage_security. Once it may not impersonate any more, or
// not with the scopes that they were begun with, its impersonations end (E4).
//
// Faults: NotFound (client_not_found), Conflict (last_admin), those of CreateClient, Denied, Stale.
func (d *Directory) UpdateClient(ctx context.Context, req Request, id account.ClientID, patch ClientPatch) (Result[account.Client], error) {
	if err := account.CheckID("client", id); err != nil {
		return Result[account.Client]{}, err
	}
	return write(ctx, d, req, "client.update "+string(id), nil, func(ctx context.Context, r Reader, p *plan) (account.Client, error) {
		p.kind = account.ClientChanged
		p.environment("manage_security", "change clients")
		before, err := begin(ctx, p, r.Client, id)
		if err != nil {
			return before, err
		}
		after := before
		set(&after.Name, patch.Name)
		set(&after.Roles, patch.Roles)
		set(&after.ActForUsers, patch.ActForUsers)
		set(&after.Scopes, patch.Scopes)
		if err := cleanClient(&after); err != nil {
			return after, err
		}
		if sameClient(before, after) {
			return after, nil
		}
		p.change(account.Of(before), account.Of(after))
		if administers(before) && !administers(after) {
			if err := p.keepAnAdmin(ctx, r, leaving{Officer: id}); err != nil {
				return after, err
			}
		}
		return after, endSessions(ctx, r, p, func(i account.Impersonation) bool {
			return i.Operator == id && (!impersonates(after) || !i.Scopes.Within(after.Scopes))
		})
	})
}

func impersonates(c account.Client) bool { return slices.Contains(c.Roles, account.Impersonator) }

func administers(c account.Client) bool {
	return slices.Contains(c.Roles, account.PortalAdmin) && c.Scopes.Has(account.ScopeAdmin)
}

func sameClient(a, b account.Client) bool {
	return a.Name == b.Name && slices.Equal(account.Set(a.Roles), account.Set(b.Roles)) && a.ActForUsers == b.ActForUsers && a.Scopes == b.Scopes
}

// RevokeClient deletes a client: its secrets open nothing from then on, and its
// impersonations end. It needs manage_security.
//
// Faults: NotFound (client_not_found), Conflict (last_admin), Denied, Stale.
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
		if err := p.keepAnAdmin(ctx, r, leaving{Officer: id}); err != nil {
			return gone, err
		}
		return gone, endSessions(ctx, r, p, func(i account.Impersonation) bool { return i.Operator == id })
	})
}

// UsedClient is a client with when one of the secrets that it has was used last, to
// the minute or so; nil if none was.
type UsedClient struct {
	account.Client
	LastUsed *time.Time
}

// GetClient returns a client; it needs manage_security.
func (d *Directory) GetClient(ctx context.Context, actor account.Actor, id account.ClientID) (account.Versioned[UsedClient], error) {
	var none account.Versioned[UsedClient]
	declare := func(p *plan) error {
		p.environment("manage_security", "see clients")
		return account.CheckID("client", id)
	}
	return read(ctx, d, actor, declare, func(ctx context.Context, r Reader) (account.Versioned[UsedClient], error) {
		found, err := r.Client(ctx, id)
		if err != nil {
			return none, err
		}
		used, err := usedClients(ctx, r, []account.Versioned[account.Client]{found})
		if err != nil {
			return none, err
		}
		return used[0], nil
	})
}

// ListClients returns a page of the environment's clients in the order of their ids; it needs manage_security.
func (d *Directory) ListClients(ctx context.Context, actor account.Actor, f KeyPage) (Page[UsedClient], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[UsedClient]{}, err
	}
	return read(ctx, d, actor, inEnvironment("manage_security", "see the clients"), func(ctx context.Context, r Reader) (Page[UsedClient], error) {
		return page(limit, func(limit int) ([]account.Versioned[UsedClient], int, error) {
			found, total, err := r.ClientPage(ctx, KeyPage{After: f.After, Limit: limit})
			if err != nil {
				return nil, 0, err
			}
			used, err := usedClients(ctx, r, found)
			return used, total, err
		})
	})
}

func usedClients(ctx context.Context, r Reader, clients []account.Versioned[account.Client]) ([]account.Versioned[UsedClient], error) {
	ids := make([]account.ClientID, len(clients))
	for i, c := range clients {
		ids[i] = c.Value.ID
	}
	uses, err := r.ClientUses(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]account.Versioned[UsedClient], len(clients))
	for i, c := range clients {
		out[i] = account.Versioned[UsedClient]{Value: UsedClient{Client: c.Value}, Version: c.Version}
		if at, used := uses[c.Value.ID]; used {
			out[i].Value.LastUsed = &at
		}
	}
	return out, nil
}
