package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// LoadOptions adjusts a load.
type LoadOptions struct {
	// AsIs accepts what requests could not bring about today but once did, as an export may
	// hold it: children of accounts whose sub-account management has been turned off since
	// (A3), or in an environment without sub-accounts (E2).
	AsIs bool
	// Progress, if not nil, is called as records are written.
	Progress func(done, total int)
}

// Loaded says what a load did.
type Loaded struct {
	Created   int // records that were written
	Unchanged int // records that were there already, and the same
	Versions  map[account.EnvironmentID]account.Version
	Applied   bool // all is in force; otherwise durable, and in force later
}

// Load makes all records exist. Nothing is written unless every record is good:
// references are looked up among the records and in the directory, in whatever
// order the records come. Records that are there already and the same are left
// alone, so that a load that was cut off is finished by running it again.
//
// The records are written in journal entries of a few hundred; a user comes with
// all their memberships in one entry (U1). Only the system may create
// environments; all else needs manage_security.
//
// Faults name the line. Invalid (unknown_parent, unknown_user, unknown_role,
// unknown_account, unknown_feature, unknown_plan, user_without_membership, missing_environment, …), Exists
// (duplicate_line, email_taken), Conflict (differs, hierarchy_cycle, too_deep,
// sub_accounts_disabled, sub_account_management_off, role_out_of_branch), Denied.
// Conflict (load_overtaken) if others changed meanwhile what the check relied on.
func (d *Directory) Load(ctx context.Context, req Request, records []Record, opts LoadOptions) (Loaded, error) {
	loaded := Loaded{Versions: map[account.EnvironmentID]account.Version{}, Applied: true}
	plans, err := d.planLoads(ctx, req, records, opts)
	if err != nil {
		return loaded, err
	}
	total, done := 0, 0
	for _, l := range plans {
		total += l.size()
		loaded.Unchanged += l.unchanged
	}
	for _, l := range plans {
		version, err := d.carryOut(ctx, l, func(n int) {
			done += n
			loaded.Created += n
			if opts.Progress != nil {
				opts.Progress(done, total)
			}
		})
		if version > 0 {
			loaded.Versions[l.env] = version
		}
		if err != nil {
			return loaded, err
		}
	}
	for env, version := range loaded.Versions {
		loaded.Applied = d.applier.InForce(ctx, env, version) == nil && loaded.Applied
	}
	return loaded, nil
}

// planLoads checks the records of every environment.
func (d *Directory) planLoads(ctx context.Context, req Request, records []Record, opts LoadOptions) ([]*load, error) {
	var order []account.EnvironmentID
	byEnv := map[account.EnvironmentID][]Record{}
	for _, rec := range records {
		env := rec.Environment
		if env == "" {
			env = req.Actor.Environment
		}
		if env == "" {
			return nil, fault.New(fault.Invalid, "missing_environment", "say which environment this is for: with --environment, or an environment line before it").AtLine(rec.Line)
		}
		if _, seen := byEnv[env]; !seen {
			order = append(order, env)
		}
		byEnv[env] = append(byEnv[env], rec)
	}
	plans := make([]*load, 0, len(order))
	for _, env := range order {
		r := req
		r.Actor.Environment = env
		r.IdempotencyKey, r.IfMatch = "", 0
		l := newLoad(d, r, opts)
		if err := l.readState(ctx); err != nil {
			return nil, err
		}
		if err := l.check(byEnv[env]); err != nil {
			return nil, err
		}
		plans = append(plans, l)
	}
	return plans, nil
}

// load is the part of a load that belongs to one environment.
type load struct {
	d    *Directory
	req  Request
	env  account.EnvironmentID
	opts LoadOptions

	settings *account.Environment // as they are, or will be
	create   *Record              // the environment itself is to be created

	head  account.Version // what was checked, or written by this load since
	moved bool            // somebody else has written since: entries are checked again

	// what is in the directory or among the records
	accounts    map[account.ID]account.Account
	users       map[account.UserID]account.User
	emails      map[string]account.UserID
	roles       map[account.RoleKey]account.Role
	memberships map[memberKey]account.Membership
	features    map[account.FeatureKey]account.Feature
	plans       map[account.PlanKey]account.Plan
	switches    map[switchKey]account.FeatureSwitch
	lines       map[string]int // "kind id" → line, of records

	// what is to be written
	newRoles    []account.Role
	newFeatures []account.Feature
	newPlans    []account.Plan
	newAccounts []account.Account
	newUsers    []account.UserID // in the order of their records
	newMembers  map[account.UserID][]account.Membership
	newSwitches []account.FeatureSwitch
	unchanged   int
}

type memberKey struct {
	account account.ID
	user    account.UserID
}

func newLoad(d *Directory, req Request, opts LoadOptions) *load {
	return &load{
		d: d, req: req, env: req.Actor.Environment, opts: opts,
		accounts: map[account.ID]account.Account{}, users: map[account.UserID]account.User{}, emails: map[string]account.UserID{},
		roles: map[account.RoleKey]account.Role{}, memberships: map[memberKey]account.Membership{}, lines: map[string]int{},
		newMembers: map[account.UserID][]account.Membership{},
		features:   map[account.FeatureKey]account.Feature{}, plans: map[account.PlanKey]account.Plan{}, switches: map[switchKey]account.FeatureSwitch{},
	}
}

// readState reads what the environment holds already, if it exists and the actor may load into it.
func (l *load) readState(ctx context.Context) error {
	p := l.d.newPlan(l.req)
	p.environment("manage_security", "load records")
	verdict, _, err := l.d.decideAtHead(ctx, l.req.Actor, p.needs)
	if errors.Is(err, fault.NotFound) {
		return nil // check says whether a record creates it
	}
	if err != nil {
		return err
	}
	if verdict.refusal != nil {
		return verdict.refusal
	}
	err = l.d.store.Read(ctx, l.env, func(r Reader) (err error) {
		if l.head, err = r.Head(ctx); err != nil {
			return err
		}
		return r.Entities(ctx, l.hold)
	})
	if errors.Is(err, fault.NotFound) {
		return nil // the same, for the system
	}
	return err
}

// hold notes what the directory holds.
func (l *load) hold(e account.Entity) error {
	switch {
	case e.Environment != nil:
		l.settings = e.Environment
	case e.Account != nil:
		l.accounts[e.Account.ID] = *e.Account
	case e.User != nil:
		l.users[e.User.ID] = *e.User
		l.emails[e.User.Email] = e.User.ID
	case e.Role != nil:
		l.roles[e.Role.Key] = *e.Role
	case e.Membership != nil:
		l.memberships[memberKey{e.Membership.Account, e.Membership.User}] = *e.Membership
	case e.Feature != nil:
		l.features[e.Feature.Key] = *e.Feature
	case e.Plan != nil:
		l.plans[e.Plan.Key] = *e.Plan
	case e.FeatureSwitch != nil:
		l.switches[keyOf(*e.FeatureSwitch)] = *e.FeatureSwitch
	}
	return nil
}

// size is the number of records to write.
func (l *load) size() int {
	n := len(l.newRoles) + len(l.newAccounts) + len(l.newUsers) + len(l.newFeatures) + len(l.newPlans) + len(l.newSwitches)
	if l.create != nil {
		n++
	}
	for _, ms := range l.newMembers {
		n += len(ms)
	}
	return n
}

// once notes a record's line, and refuses a second record of the same thing.
func (l *load) once(line int, what string) error {
	if first, seen := l.lines[what]; seen {
		return fault.New(fault.Exists, "duplicate_line", "%s is on line %d already", what, first).AtLine(line)
	}
	l.lines[what] = line
	return nil
}

func differs(line int, what string) error {
	return fault.New(fault.Conflict, "differs", "%s is in the directory already, and not the same; change it there, or the line here", what).AtLine(line)
}

// atLine names the line in a fault, and leaves other errors alone.
func atLine(err error, line int) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.AtLine(line)
	}
	return err
}

// pathOf returns the accounts from id to its root, id first; at most one more than the tree may be deep.
func (l *load) pathOf(id account.ID) []account.ID {
	var path []account.ID
	for id != "" && len(path) <= account.MaxMaxDepth {
		path = append(path, id)
		id = l.accounts[id].Parent
	}
	return path
}

// sortedAccounts puts parents before their children.
func (l *load) sortedAccounts() {
	depth := make(map[account.ID]int, len(l.newAccounts))
	for _, a := range l.newAccounts {
		depth[a.ID] = len(l.pathOf(a.ID))
	}
	slices.SortStableFunc(l.newAccounts, func(a, b account.Account) int { return depth[a.ID] - depth[b.ID] })
}
