package directory

import (
	"context"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// The bounds of a client's secrets (C2).
const (
	MaxSecrets     = 5              // of one client at a time
	DefaultOverlap = 24 * time.Hour // for which the others go on when there is a new one
	MaxOverlap     = 30 * 24 * time.Hour
)

// AddSecret makes a new secret of a client and returns it. The others go on for the
// overlap and then end, if they do not end before; with an overlap of 0 they end at
// once, and so do the client's impersonations. Those that have expired are tidied away. It needs manage_security.
//
// Faults: Invalid (invalid_overlap), NotFound (client_not_found), Conflict (too_many_secrets), Denied.
func (d *Directory) AddSecret(ctx context.Context, req Request, id account.ClientID, overlap time.Duration) (Result[account.ClientSecret], Secret, error) {
	var none Result[account.ClientSecret]
	if err := account.CheckID("client", id); err != nil {
		return none, "", err
	}
	if overlap < 0 || overlap > MaxOverlap {
		return none, "", fault.New(fault.Invalid, "invalid_overlap", "the secrets before go on for 0 to %d hours", MaxOverlap/time.Hour).In("overlap_hours")
	}
	secretID, secret := account.SecretID(account.NewID("sec")), newSecret()
	req.IdempotencyKey = "" // a secret is not kept to be shown again
	result, err := write(ctx, d, req, "client.add_secret "+string(id), nil, func(ctx context.Context, r Reader, p *plan) (account.ClientSecret, error) {
		p.kind = account.SecretAdded
		p.environment("manage_security", "replace the secrets of clients")
		s := account.ClientSecret{ID: secretID, Client: id, CreatedAt: p.now}
		others, err := secretsOf(ctx, r, id)
		if err != nil {
			return s, err
		}
		if going := p.replaceSecrets(others, overlap); going >= MaxSecrets {
			return s, fault.New(fault.Conflict, "too_many_secrets", "client %s has %d secrets; revoke one first, or let the others end now", id, going)
		}
		p.addSecret(s, secret)
		if overlap > 0 {
			return s, nil
		}
		return s, endSessions(ctx, r, p, func(i account.Impersonation) bool { return i.Operator == id })
	})
	return result, secret, err
}

// replaceSecrets plans the end of secrets that a new one takes the place of, and
// returns how many go on until then.
func (p *plan) replaceSecrets(secrets []account.Versioned[account.ClientSecret], overlap time.Duration) (going int) {
	end := p.now.Add(overlap)
	for _, s := range secrets {
		if overlap == 0 || s.Value.Expired(p.now) {
			p.change(account.Of(s.Value), nil)
			continue
		}
		going++
		if s.Value.ExpiresAt == nil || s.Value.ExpiresAt.After(end) {
			ending := s.Value
			ending.ExpiresAt = &end
			p.change(account.Of(s.Value), account.Of(ending))
		}
	}
	return going
}

// addSecret plans a secret of a client.
func (p *plan) addSecret(s account.ClientSecret, secret Secret) {
	p.change(nil, account.Of(s))
	p.beside = append(p.beside, func(ctx context.Context, tx Tx) error { return tx.SetSecret(ctx, s.ID, HashSecret(secret)) })
}

// RevokeSecret deletes one of a client's secrets: it opens nothing from then on, and
// the tokens that were got with it neither, and impersonations that were begun with it
// end. The last one may go as well: the client opens nothing then until it gets another,
// which only the last admin's may not. It needs manage_security.
//
// Faults: NotFound (client_not_found, secret_not_found), Conflict (last_admin), Denied, Stale.
func (d *Directory) RevokeSecret(ctx context.Context, req Request, id account.ClientID, secret account.SecretID) (Result[account.ClientSecret], error) {
	if err := account.CheckID("client", id); err != nil {
		return Result[account.ClientSecret]{}, err
	}
	if err := account.CheckID("secret", secret); err != nil {
		return Result[account.ClientSecret]{}, err
	}
	op := "client.revoke_secret " + string(id) + " " + string(secret)
	return write(ctx, d, req, op, nil, func(ctx context.Context, r Reader, p *plan) (account.ClientSecret, error) {
		p.kind = account.SecretRevoked
		p.environment("manage_security", "revoke the secrets of clients")
		gone, err := begin(ctx, p, func(ctx context.Context, secret account.SecretID) (account.Versioned[account.ClientSecret], error) {
			return secretOf(ctx, r, id, secret)
		}, secret)
		if err != nil {
			return gone, err
		}
		p.change(account.Of(gone), nil)
		if err := p.keepAnAdmin(ctx, r, leaving{Secret: secret}); err != nil {
			return gone, err
		}
		return gone, endSessions(ctx, r, p, func(i account.Impersonation) bool { return i.Secret == secret })
	})
}

// secretsOf finds the secrets of a client that is there.
func secretsOf(ctx context.Context, r Reader, id account.ClientID) ([]account.Versioned[account.ClientSecret], error) {
	if _, err := r.Client(ctx, id); err != nil {
		return nil, err
	}
	return r.ClientSecrets(ctx, id)
}

// secretOf finds a secret of one client; those of others do not exist there.
func secretOf(ctx context.Context, r Reader, id account.ClientID, secret account.SecretID) (account.Versioned[account.ClientSecret], error) {
	secrets, err := secretsOf(ctx, r, id)
	if err != nil {
		return account.Versioned[account.ClientSecret]{}, err
	}
	i := slices.IndexFunc(secrets, func(s account.Versioned[account.ClientSecret]) bool { return s.Value.ID == secret })
	if i < 0 {
		return account.Versioned[account.ClientSecret]{}, fault.New(fault.NotFound, "secret_not_found", "client %s has no secret %s", id, secret)
	}
	return secrets[i], nil
}

// UsedSecret is a secret with when it was used last, to the minute or so; nil if it never was.
type UsedSecret struct {
	account.ClientSecret
	LastUsed *time.Time
}

// ListSecrets returns the secrets of a client, MaxSecrets at most, in the order of
// their ids: what is known of them, for the secrets themselves are not kept (C2).
// Those that have expired are there until a new one is made. It needs manage_security.
func (d *Directory) ListSecrets(ctx context.Context, actor account.Actor, id account.ClientID) ([]account.Versioned[UsedSecret], error) {
	declare := func(p *plan) error {
		p.environment("manage_security", "see the secrets of clients")
		return account.CheckID("client", id)
	}
	return read(ctx, d, actor, declare, func(ctx context.Context, r Reader) ([]account.Versioned[UsedSecret], error) {
		found, err := secretsOf(ctx, r, id)
		if err != nil {
			return nil, err
		}
		uses, err := r.SecretUses(ctx, id)
		if err != nil {
			return nil, err
		}
		out := make([]account.Versioned[UsedSecret], len(found))
		for i, s := range found {
			out[i] = account.Versioned[UsedSecret]{Value: UsedSecret{ClientSecret: s.Value}, Version: s.Version}
			if at, used := uses[s.Value.ID]; used {
				out[i].Value.LastUsed = &at
			}
		}
		return out, nil
	})
}
