package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// inEnvironment declares the need of one operator's right.
func inEnvironment(permission, doing string) func(*plan) error {
	return func(p *plan) error {
		p.environment(permission, doing)
		return nil
	}
}

// GetEnvironment returns the environment with its settings; for operators who may view the back office.
func (d *Directory) GetEnvironment(ctx context.Context, actor account.Actor) (account.Versioned[account.Environment], error) {
	return read(ctx, d, actor, inEnvironment("view_backoffice", "see the environment"), func(ctx context.Context, r Reader) (account.Versioned[account.Environment], error) {
		return r.Environment(ctx)
	})
}

// Environments returns every environment; for the system only.
func (d *Directory) Environments(ctx context.Context, actor account.Actor) ([]account.Environment, error) {
	if !actor.System {
		return nil, fault.New(fault.Denied, "permission_denied", "environments are listed on the command line")
	}
	return d.store.Environments(ctx)
}

// ListRoles returns the roles that can be given in an account, for who holds
// read_roles there; or, with id "", all roles of the environment, for operators who may view entitlements.
func (d *Directory) ListRoles(ctx context.Context, actor account.Actor, id account.ID) ([]account.Versioned[account.Role], error) {
	if id == "" {
		return read(ctx, d, actor, inEnvironment("view_entitlements", "list all roles"), func(ctx context.Context, r Reader) ([]account.Versioned[account.Role], error) {
			return r.Roles(ctx)
		})
	}
	return read(ctx, d, actor, at("read_roles", id, "list the roles of this account"), func(ctx context.Context, r Reader) ([]account.Versioned[account.Role], error) {
		branch, err := lineTo(ctx, r, id)
		if err != nil {
			return nil, err
		}
		roles, err := r.Roles(ctx)
		return slices.DeleteFunc(roles, func(role account.Versioned[account.Role]) bool {
			return role.Value.Account != "" && !slices.Contains(branch, role.Value.Account)
		}), err
	})
}

// lineTo returns the ids of an account and of all above it.
func lineTo(ctx context.Context, r Reader, id account.ID) ([]account.ID, error) {
	above, err := r.Ancestors(ctx, id)
	if err != nil {
		return nil, err
	}
	line := []account.ID{id}
	for _, a := range above {
		line = append(line, a.ID)
	}
	return line, nil
}

// Export calls fn for every entity of the environment, all of one version; for operators with every right.
func (d *Directory) Export(ctx context.Context, actor account.Actor, fn func(account.Entity) error) error {
	p := d.newPlan(Request{Actor: actor})
	p.environment("manage_security", "export the environment")
	verdict, _, err := d.decideAtHead(ctx, actor, p.needs)
	if err != nil {
		return err
	}
	if verdict.refusal != nil {
		return verdict.refusal
	}
	return d.store.Read(ctx, actor.Environment, func(r Reader) error {
		return r.Entities(ctx, fn)
	})
}
