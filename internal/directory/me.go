package directory

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

// Me is what the directory knows of whoever calls.
type Me struct {
	Name    string
	Email   string               // of a person
	Roles   []account.PortalRole // of an operator; not those that a user has in accounts
	Account account.ID           // of an API token, or the one that a user's token opens
}

// aboutMe asks for no right, but of a token for one account that it still opens it.
func aboutMe(actor account.Actor) func(*plan) error {
	return func(p *plan) error {
		if actor.Account != "" {
			p.account("access", actor.Account, "open this account")
		}
		return nil
	}
}

// WhoAmI returns what is known of the actor, who needs no right for it. NotFound if they are gone meanwhile.
func (d *Directory) WhoAmI(ctx context.Context, actor account.Actor) (Me, error) {
	return read(ctx, d, actor, aboutMe(actor), func(ctx context.Context, r Reader) (Me, error) {
		switch {
		case actor.User != "":
			found, err := r.User(ctx, actor.User)
			return Me{Name: found.Value.Name, Email: found.Value.Email, Account: actor.Account}, err
		case actor.APIToken != "":
			found, err := r.APIToken(ctx, actor.APIToken)
			return Me{Name: found.Value.Name, Account: found.Value.Account}, err
		default:
			found, err := FindOfficer(ctx, r, actor.Client)
			return Me{Name: found.Name, Email: found.Email, Roles: found.Roles}, err
		}
	})
}
