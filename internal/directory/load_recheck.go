package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// recheck checks entities of a load again, under the lock, against what others
// have written since the load was checked as a whole.
type recheck struct {
	tx       Tx
	load     *load
	settings *account.Environment // as they are now; nil until read

	// of this entry, not yet in the database
	accounts map[account.ID]account.Account
	users    map[account.UserID]bool
	roles    map[account.RoleKey]account.Role
	features map[account.FeatureKey]bool
	plans    map[account.PlanKey]bool
}

func newRecheck(tx Tx, l *load) *recheck {
	return &recheck{
		tx: tx, load: l, accounts: map[account.ID]account.Account{},
		users: map[account.UserID]bool{}, roles: map[account.RoleKey]account.Role{},
		features: map[account.FeatureKey]bool{}, plans: map[account.PlanKey]bool{},
	}
}

// note adds what the entry is going to create.
func (c *recheck) note(e *account.Entity) {
	switch {
	case e.Account != nil:
		c.accounts[e.Account.ID] = *e.Account
	case e.User != nil:
		c.users[e.User.ID] = true
	case e.Role != nil:
		c.roles[e.Role.Key] = *e.Role
	case e.Feature != nil:
		c.features[e.Feature.Key] = true
	case e.Plan != nil:
		c.plans[e.Plan.Key] = true
	}
}

// errOvertaken is a reason to refuse that the next run of the load names better.
var errOvertaken = errors.New("it does not hold any more")

// check returns a Conflict fault (load_overtaken) if an entity cannot be created any more.
func (c *recheck) check(ctx context.Context, e *account.Entity) error {
	var err error
	switch {
	case e.Account != nil:
		err = c.account(ctx, *e.Account)
	case e.User != nil:
		err = c.user(ctx, *e.User)
	case e.Role != nil:
		err = c.role(ctx, *e.Role)
	case e.Membership != nil:
		err = c.membership(ctx, *e.Membership)
	case e.Feature != nil:
		err = c.feature(ctx, *e.Feature)
	case e.Plan != nil:
		err = c.plan(ctx, *e.Plan)
	case e.FeatureSwitch != nil:
		err = c.featureSwitch(ctx, *e.FeatureSwitch)
	}
	if errors.Is(err, errOvertaken) || errors.Is(err, fault.NotFound) {
		return fault.New(fault.Conflict, "load_overtaken", "the directory was changed while the load went on; run it again to finish").Because(err)
	}
	return err
}

// absent makes the outcome of a look-up the reverse: what was found is in the way.
func absent(err error) error {
	switch {
	case err == nil:
		return errOvertaken
	case errors.Is(err, fault.NotFound):
		return nil
	default:
		return err
	}
}

// account checks that it does not exist, its plan, and its place in the tree: A2, A3, E2.
func (c *recheck) account(ctx context.Context, a account.Account) error {
	_, err := c.tx.Account(ctx, a.ID)
	if err := absent(err); err != nil {
		return err
	}
	if err := c.planOf(ctx, a); err != nil || a.Parent == "" {
		return err
	}
	parent, err := c.find(ctx, a.Parent)
	if err != nil {
		return err
	}
	line, err := c.line(ctx, a.Parent)
	if err != nil {
		return err
	}
	if c.settings == nil {
		found, err := c.tx.Environment(ctx)
		if err != nil {
			return err
		}
		c.settings = &found.Value
	}
	forbidden := !c.load.opts.AsIs && (!c.settings.SubAccountsEnabled || !parent.SubAccountManagement)
	if forbidden || len(line)+1 > c.settings.MaxDepth {
		return errOvertaken
	}
	return nil
}

// find returns an account of the entry or of the directory.
func (c *recheck) find(ctx context.Context, id account.ID) (account.Account, error) {
	if a, ok := c.accounts[id]; ok {
		return a, nil
	}
	found, err := c.tx.Account(ctx, id)
	return found.Value, err
}

// line returns the ids of an account and of all above it, of the entry and of the directory.
func (c *recheck) line(ctx context.Context, id account.ID) ([]account.ID, error) {
	var line []account.ID
	for {
		a, ok := c.accounts[id]
		if !ok {
			rest, err := lineTo(ctx, c.tx, id)
			return append(line, rest...), err
		}
		line = append(line, id)
		if a.Parent == "" {
			return line, nil
		}
		id = a.Parent
	}
}

func (c *recheck) user(ctx context.Context, u account.User) error {
	_, err := c.tx.User(ctx, u.ID)
	if err := absent(err); err != nil {
		return err
	}
	_, err = c.tx.UserByEmail(ctx, u.Email)
	return absent(err)
}

func (c *recheck) role(ctx context.Context, r account.Role) error {
	_, err := c.tx.Role(ctx, r.Key)
	if err := absent(err); err != nil || r.Account == "" {
		return err
	}
	_, err = c.find(ctx, r.Account)
	return err
}

// membership checks that it does not exist, and all that it names, with what its
// sub-account access was decided by (S3).
func (c *recheck) membership(ctx context.Context, m account.Membership) error {
	_, err := c.tx.Membership(ctx, m.Account, m.User)
	if err := absent(err); err != nil {
		return err
	}
	holder, err := c.find(ctx, m.Account)
	if err != nil {
		return err
	}
	if holder.AccessMode != c.load.accounts[m.Account].AccessMode {
		return errOvertaken
	}
	if !c.users[m.User] {
		if _, err := c.tx.User(ctx, m.User); err != nil {
			return err
		}
	}
	for _, key := range m.Roles {
		if err := c.usable(ctx, key, m.Account); err != nil {
			return err
		}
	}
	return nil
}

// usable checks that a role exists and may be used in an account (U2).
func (c *recheck) usable(ctx context.Context, key account.RoleKey, id account.ID) error {
	role, ok := c.roles[key]
	if !ok {
		found, err := c.tx.Role(ctx, key)
		if err != nil {
			return err
		}
		role = found.Value
	}
	if role.Account == "" {
		return nil
	}
	line, err := c.line(ctx, id)
	if err == nil && !slices.Contains(line, role.Account) {
		err = errOvertaken
	}
	return err
}
