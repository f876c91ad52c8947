package directory

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Officer is an operator of either kind: an environment client, or a person who signs in (E4).
type Officer struct {
	Person    bool
	Name      string
	Email     string // a person's
	Roles     []account.PortalRole
	CreatedAt time.Time
}

// FindOfficer returns the client or person with an id: no two have the same.
// NotFound fault: operator_not_found.
func FindOfficer(ctx context.Context, r Reader, id account.ClientID) (Officer, error) {
	client, err := r.Client(ctx, id)
	if !errors.Is(err, fault.NotFound) {
		c := client.Value
		return Officer{Name: c.Name, Roles: c.Roles, CreatedAt: c.CreatedAt}, err
	}
	found, err := r.Operator(ctx, id)
	o := found.Value
	return Officer{Person: true, Name: o.Name, Email: o.Email, Roles: o.Roles, CreatedAt: o.CreatedAt}, err
}

// CreateOperator makes a person an operator, who signs in at one of the
// environment's issuers for operators: as the subject given, or else with the
// verified address, if that issuer links by it. It needs manage_security.
//
// Faults: Exists (operator_exists), Invalid (unknown_portal_role, invalid_email,
// invalid_subject, invalid_purpose, …), NotFound (issuer_not_found, field issuer), Denied.
func (d *Directory) CreateOperator(ctx context.Context, req Request, in account.Operator) (Result[account.Operator], error) {
	o, err := cleanOperator(in)
	if err != nil {
		return Result[account.Operator]{}, err
	}
	return write(ctx, d, req, "operator.create", in, func(ctx context.Context, r Reader, p *plan) (account.Operator, error) {
		p.kind = account.OperatorCreated
		p.environment("manage_security", "make operators")
		o.CreatedAt = p.now
		_, err := FindOfficer(ctx, r, o.ID)
		taken := fault.New(fault.Exists, "operator_exists", "there is an operator, or a client, %s already", o.ID).In("id")
		if err := free(err, taken); err != nil {
			return o, err
		}
		if err := addressMustBeFree(ctx, r, o); err != nil {
			return o, err
		}
		if o.Issuer != "" {
			if err := subjectMustBeFree(ctx, r, o); err != nil {
				return o, err
			}
		}
		p.change(nil, account.Of(o))
		return o, nil
	})
}

// cleanOperator checks a new operator as far as that depends on nothing else.
func cleanOperator(o account.Operator) (account.Operator, error) {
	var err error
	if o.ID, err = orNew("id", o.ID, "opr"); err != nil {
		return o, err
	}
	if o.Issuer != "" || o.Subject != "" {
		if err := account.CheckSubject("subject", o.Subject); err != nil {
			return o, err
		}
		if err := account.CheckIssuerURL("issuer", o.Issuer); err != nil {
			return o, err
		}
	}
	return o, cleanOfficer(&o)
}

// cleanOfficer checks what can be changed of an operator.
func cleanOfficer(o *account.Operator) error {
	var err error
	if o.Email, o.Name, err = cleanUser(o.Email, o.Name); err != nil {
		return err
	}
	o.Roles = account.Set(o.Roles)
	return account.CheckPortalRoles(o.Roles)
}

func addressMustBeFree(ctx context.Context, r Reader, o account.Operator) error {
	other, err := r.OperatorByEmail(ctx, o.Email)
	if err == nil && other.Value.ID == o.ID {
		return nil
	}
	return free(err, fault.New(fault.Exists, "operator_exists", "operator %s has the address %s", other.Value.ID, o.Email).In("email"))
}

func subjectMustBeFree(ctx context.Context, r Reader, o account.Operator) error {
	if err := issuerFor(ctx, r, o.Issuer, account.ForOperators); err != nil {
		return err
	}
	other, err := r.OperatorAt(ctx, o.Issuer, o.Subject)
	return free(err, fault.New(fault.Exists, "operator_exists", "operator %s is this subject of the provider", other.Value.ID).In("subject"))
}

// OperatorPatch changes what is not nil.
type OperatorPatch struct {
	Email *string               `json:"email,omitempty"` // moves no link: who has signed in once is known by the subject
	Name  *string               `json:"name,omitempty"`
	Roles *[]account.PortalRole `json:"roles,omitempty"`
}

// UpdateOperator changes an operator's address, name or roles; it needs
// manage_security. Who may impersonate no more has their impersonations ended.
//
// Faults: NotFound (operator_not_found), Exists (operator_exists), Conflict
// (last_admin), Invalid, Denied, Stale.
func (d *Directory) UpdateOperator(ctx context.Context, req Request, id account.ClientID, patch OperatorPatch) (Result[account.Operator], error) {
	if err := account.CheckID("operator", id); err != nil {
		return Result[account.Operator]{}, err
	}
	return write(ctx, d, req, "operator.update "+string(id), patch, func(ctx context.Context, r Reader, p *plan) (account.Operator, error) {
		p.kind = account.OperatorChanged
		p.environment("manage_security", "change operators")
		before, err := begin(ctx, p, r.Operator, id)
		if err != nil {
			return before, err
		}
		after := before
		set(&after.Email, patch.Email)
		set(&after.Name, patch.Name)
		set(&after.Roles, patch.Roles)
		if err := cleanOfficer(&after); err != nil {
			return after, err
		}
		if after.Email == before.Email && after.Name == before.Name && slices.Equal(after.Roles, before.Roles) {
			return after, nil
		}
		if err := addressMustBeFree(ctx, r, after); err != nil {
			return after, err
		}
		p.change(account.Of(before), account.Of(after))
		return after, p.lose(ctx, r, before, after.Roles)
	})
}

// DeleteOperator deletes an operator: their tokens open nothing from then on, and
// their impersonations end. It needs manage_security.
//
// Faults: NotFound (operator_not_found), Conflict (last_admin), Denied, Stale.
func (d *Directory) DeleteOperator(ctx context.Context, req Request, id account.ClientID) (Result[account.Operator], error) {
	if err := account.CheckID("operator", id); err != nil {
		return Result[account.Operator]{}, err
	}
	return write(ctx, d, req, "operator.delete "+string(id), nil, func(ctx context.Context, r Reader, p *plan) (account.Operator, error) {
		p.kind = account.OperatorDeleted
		p.environment("manage_security", "delete operators")
		gone, err := begin(ctx, p, r.Operator, id)
		if err != nil {
			return gone, err
		}
		p.change(account.Of(gone), nil)
		return gone, p.lose(ctx, r, gone, nil)
	})
}

// lose plans what follows when an operator is left with these roles: see keepAnAdmin.
func (p *plan) lose(ctx context.Context, r Reader, before account.Operator, left []account.PortalRole) error {
	lost := func(role account.PortalRole) bool {
		return slices.Contains(before.Roles, role) && !slices.Contains(left, role)
	}
	if lost(account.PortalAdmin) {
		if err := p.keepAnAdmin(ctx, r, leaving{Officer: before.ID}); err != nil {
			return err
		}
	}
	if !lost(account.Impersonator) {
		return nil
	}
	return endSessions(ctx, r, p, func(i account.Impersonation) bool { return i.Operator == before.ID })
}

// GetOperator returns an operator who signs in; it needs manage_security.
func (d *Directory) GetOperator(ctx context.Context, actor account.Actor, id account.ClientID) (account.Versioned[account.Operator], error) {
	declare := func(p *plan) error {
		p.environment("manage_security", "see the operators")
		return account.CheckID("operator", id)
	}
	return read(ctx, d, actor, declare, func(ctx context.Context, r Reader) (account.Versioned[account.Operator], error) {
		return r.Operator(ctx, id)
	})
}

// ListOperators returns a page of the operators who sign in, by id; it needs manage_security.
func (d *Directory) ListOperators(ctx context.Context, actor account.Actor, f KeyPage) (Page[account.Operator], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[account.Operator]{}, err
	}
	return read(ctx, d, actor, inEnvironment("manage_security", "list the operators"), func(ctx context.Context, r Reader) (Page[account.Operator], error) {
		return page(limit, func(limit int) ([]account.Versioned[account.Operator], int, error) {
			return r.Operators(ctx, KeyPage{After: f.After, Limit: limit})
		})
	})
}
