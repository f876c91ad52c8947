package directory

import (
	"context"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// MaxIssuers is the most OpenID providers that an environment can trust.
const MaxIssuers = 20

// CreateIssuer has an environment trust an OpenID provider; it needs manage_security.
//
// Faults: Exists (issuer_exists), Conflict (too_many_issuers), Invalid: those of
// account.Issuer.Clean, invalid_issuer also for this deployment's own address; Denied.
func (d *Directory) CreateIssuer(ctx context.Context, req Request, in account.Issuer) (Result[account.Issuer], error) {
	i, err := d.cleanIssuer(in)
	if err != nil {
		return Result[account.Issuer]{}, err
	}
	return write(ctx, d, req, "issuer.create", in, func(ctx context.Context, r Reader, p *plan) (account.Issuer, error) {
		p.kind = account.IssuerCreated
		p.environment("manage_security", "trust OpenID providers")
		i.CreatedAt = p.now
		all, err := r.Issuers(ctx)
		if err != nil {
			return i, err
		}
		for _, other := range all {
			switch {
			case other.Value.ID == i.ID:
				return i, fault.New(fault.Exists, "issuer_exists", "there is an issuer %s already", i.ID).In("id")
			case other.Value.URL == i.URL:
				return i, fault.New(fault.Exists, "issuer_exists", "issuer %s has this address", other.Value.ID).In("url")
			}
		}
		if len(all) >= MaxIssuers {
			return i, fault.New(fault.Conflict, "too_many_issuers", "an environment trusts at most %d OpenID providers", MaxIssuers)
		}
		p.change(nil, account.Of(i))
		return i, nil
	})
}

// cleanIssuer checks a new issuer as far as that depends on nothing else.
func (d *Directory) cleanIssuer(i account.Issuer) (account.Issuer, error) {
	var err error
	if i.ID, err = orNew("id", i.ID, "iss"); err != nil {
		return i, err
	}
	if i.Name == "" {
		i.Name = string(i.ID)
	}
	if i, err = i.Clean(); err != nil {
		return i, err
	}
	bare := func(address string) string { return strings.ToLower(strings.TrimRight(address, "/")) }
	if d.cfg.Issuer != "" && bare(i.URL) == bare(d.cfg.Issuer) {
		return i, fault.New(fault.Invalid, "invalid_issuer", "this is the address of Tenantry itself, whose tokens are known without").In("url")
	}
	return i, nil
}

// IssuerPatch changes what is not nil. Address and purpose stay: another provider is another issuer.
type IssuerPatch struct {
	Name         *string   `json:"name,omitempty"`
	Audiences    *[]string `json:"audiences,omitempty"`
	LinkByEmail  *bool     `json:"link_by_email,omitempty"`
	EmailDomains *[]string `json:"email_domains,omitempty"`
}

// UpdateIssuer changes an OpenID provider's name, its audiences, or whom it links by
// address; it needs manage_security. Links that are there stay.
//
// Faults: NotFound (issuer_not_found), Invalid, Denied, Stale.
func (d *Directory) UpdateIssuer(ctx context.Context, req Request, id account.IssuerID, patch IssuerPatch) (Result[account.Issuer], error) {
	if err := account.CheckID("issuer", id); err != nil {
		return Result[account.Issuer]{}, err
	}
	return write(ctx, d, req, "issuer.update "+string(id), patch, func(ctx context.Context, r Reader, p *plan) (account.Issuer, error) {
		p.kind = account.IssuerChanged
		p.environment("manage_security", "change OpenID providers")
		before, err := begin(ctx, p, r.Issuer, id)
		if err != nil {
			return before, err
		}
		after := before
		set(&after.Name, patch.Name)
		set(&after.Audiences, patch.Audiences)
		set(&after.LinkByEmail, patch.LinkByEmail)
		set(&after.EmailDomains, patch.EmailDomains)
		if after, err = after.Clean(); err != nil {
			return after, err
		}
		if equalIssuer(after, before) {
			return after, nil
		}
		p.change(account.Of(before), account.Of(after))
		return after, p.narrowIssuer(ctx, r, before, after)
	})
}

// narrowIssuer plans what follows when tokens for some audiences are taken no more.
func (p *plan) narrowIssuer(ctx context.Context, r Reader, before, after account.Issuer) error {
	kept := func(audience string) bool { return slices.Contains(after.Audiences, audience) }
	if !slices.ContainsFunc(before.Audiences, kept) {
		if err := p.keepAnAdmin(ctx, r, leaving{Issuer: before.URL}); err != nil {
			return err
		}
	}
	return endSessions(ctx, r, p, func(i account.Impersonation) bool { return i.Issuer == before.URL && !kept(i.Audience) })
}

func equalIssuer(a, b account.Issuer) bool {
	return a.Name == b.Name && a.LinkByEmail == b.LinkByEmail && slices.Equal(a.Audiences, b.Audiences) && slices.Equal(a.EmailDomains, b.EmailDomains)
}

// DeleteIssuer has an environment trust an OpenID provider no more: its tokens open
// nothing from then on. Links to it stay, and hold again if it is trusted again for
// the same purpose; impersonations by who signed in there end. It needs manage_security.
//
// Faults: NotFound (issuer_not_found), Conflict (last_admin), Denied, Stale.
func (d *Directory) DeleteIssuer(ctx context.Context, req Request, id account.IssuerID) (Result[account.Issuer], error) {
	if err := account.CheckID("issuer", id); err != nil {
		return Result[account.Issuer]{}, err
	}
	return write(ctx, d, req, "issuer.delete "+string(id), nil, func(ctx context.Context, r Reader, p *plan) (account.Issuer, error) {
		p.kind = account.IssuerDeleted
		p.environment("manage_security", "trust OpenID providers no more")
		gone, err := begin(ctx, p, r.Issuer, id)
		if err != nil {
			return gone, err
		}
		p.change(account.Of(gone), nil)
		if err := p.keepAnAdmin(ctx, r, leaving{Issuer: gone.URL}); err != nil {
			return gone, err
		}
		return gone, endSessions(ctx, r, p, func(i account.Impersonation) bool { return i.Issuer == gone.URL })
	})
}

// GetIssuer returns an OpenID provider; it needs manage_security.
func (d *Directory) GetIssuer(ctx context.Context, actor account.Actor, id account.IssuerID) (account.Versioned[account.Issuer], error) {
	declare := func(p *plan) error {
		p.environment("manage_security", "see the OpenID providers")
		return account.CheckID("issuer", id)
	}
	return read(ctx, d, actor, declare, func(ctx context.Context, r Reader) (account.Versioned[account.Issuer], error) {
		return r.Issuer(ctx, id)
	})
}

// ListIssuers returns every OpenID provider of the environment, by id; it needs manage_security.
func (d *Directory) ListIssuers(ctx context.Context, actor account.Actor) ([]account.Versioned[account.Issuer], error) {
	return read(ctx, d, actor, inEnvironment("manage_security", "list the OpenID providers"), func(ctx context.Context, r Reader) ([]account.Versioned[account.Issuer], error) {
		return r.Issuers(ctx)
	})
}

// FirstAdmin is the person who is to administer a new environment, and the OpenID provider where they sign in.
type FirstAdmin struct {
	Email    string
	Issuer   string // its address
	Audience string // for whom its tokens are
}

// CreateEnvironmentFor makes an environment whose first admin signs in at an OpenID
// provider: the environment, an issuer for operators that is believed about addresses
// of the admin's domain, and the operator. All of it is checked before any is made.
//
// Faults: those of CreateEnvironment, CreateIssuer and CreateOperator.
func (d *Directory) CreateEnvironmentFor(ctx context.Context, req Request, env account.Environment, admin FirstAdmin) (Result[account.Environment], error) {
	operator, err := cleanOperator(account.Operator{Email: admin.Email, Roles: []account.PortalRole{account.PortalAdmin}})
	if err != nil {
		return Result[account.Environment]{}, inField(err, "admin")
	}
	issuer, err := d.cleanIssuer(account.Issuer{
		ID: "operators", Name: "Operators", URL: admin.Issuer, Audiences: []string{admin.Audience}, Purpose: account.ForOperators,
		LinkByEmail: true, EmailDomains: []string{operator.Email[strings.LastIndexByte(operator.Email, '@')+1:]},
	})
	if err != nil {
		return Result[account.Environment]{}, err
	}
	made, err := d.CreateEnvironment(ctx, req, env)
	if err != nil {
		return made, err
	}
	req.Actor.Environment = made.Value.ID
	_, err = d.CreateIssuer(ctx, req, issuer)
	if err == nil {
		_, err = d.CreateOperator(ctx, req, operator)
	}
	return made, err
}
