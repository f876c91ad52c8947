// Package world makes the content that the stores are compared on: a generated environment as relationships, a plain model of who may do what in it, and questions to ask.
package world

import (
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/generate"
	"github.com/tenantry/tenantry/internal/ndjson"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/schema"
)

// Environment is the environment that everything belongs to.
const Environment account.EnvironmentID = "bench"

// reader is the user that is added to those generated.
const reader account.UserID = "reader"

// Size says how much to generate; equal sizes give equal worlds.
type Size struct {
	Accounts int
	Users    int
	Seed     uint64
}

// World is a generated environment. It does not change after New.
type World struct {
	Size          Size
	Summary       generate.Summary
	Relationships []relation.Relationship // in the order in which a relay fills an empty engine

	now      time.Time
	accounts []node
	byID     map[account.ID]int
	levels   [][]int // accounts of each level, the root's first
	users    []person
	byUser   map[account.UserID]int
	rights   map[account.RoleKey][]string // relation names of the catalogue
	names    []string                     // permissions to ask for
}

// node is an account; the accounts of its branch are those with first ≤ first < end.
type node struct {
	id         account.ID
	parent     int // -1 for the root
	first, end int // in preorder
	alwaysOn   bool
	members    []membership
}

type membership struct {
	user, at int
	roles    []account.RoleKey
	branch   bool
}

type person struct {
	id          account.UserID
	blocked     bool
	memberships []membership
}

// New generates a world. Errors are those of generate.Generate.
func New(size Size) (*World, error) {
	catalogue, err := schema.Default()
	if err != nil {
		return nil, err
	}
	w := &World{
		Size: size, now: time.Now(),
		byID: map[account.ID]int{}, byUser: map[account.UserID]int{}, rights: map[account.RoleKey][]string{},
		names: []string{"access"},
	}
	for _, p := range catalogue.Permissions {
		w.names = append(w.names, p.Relation)
	}

	out, in := io.Pipe()
	go func() {
		var err error
		w.Summary, err = generate.Generate(in, generate.Config{
			Accounts: size.Accounts, Users: size.Users, Seed: size.Seed, Environment: Environment,
		})
		in.CloseWithError(err)
	}()
	fill := filler{world: w, projector: relation.NewProjector(catalogue), catalogue: catalogue, used: map[account.Assignment]bool{}}
	if err := ndjson.Read(out, fill.record); err != nil {
		_ = out.CloseWithError(err) // never fails
		return nil, err
	}
	w.order()
	if err := fill.reader(); err != nil {
		return nil, err
	}
	if err := fill.assignments(); err != nil {
		return nil, err
	}
	sortAsRelay(w.Relationships)
	return w, nil
}

// filler adds what the load format says to a world.
type filler struct {
	world     *World
	projector *relation.Projector
	catalogue *schema.Catalogue
	used      map[account.Assignment]bool
}

func (f filler) record(r directory.Record) error {
	w := f.world
	switch {
	case r.NewEnvironment != nil:
		return f.add(account.Of(*r.NewEnvironment))
	case r.Role != nil:
		for _, key := range r.Role.Permissions {
			p, _ := f.catalogue.Lookup(string(key)) // the projector reports what is not there
			w.rights[r.Role.Key] = append(w.rights[r.Role.Key], p.Relation)
		}
		return f.add(account.Of(*r.Role))
	case r.Account != nil:
		parent := -1
		if r.Account.Parent != "" {
			parent = w.byID[r.Account.Parent]
		}
		w.byID[r.Account.ID] = len(w.accounts)
		w.accounts = append(w.accounts, node{id: r.Account.ID, parent: parent, alwaysOn: r.Account.AccessMode == account.AlwaysOn})
		return f.add(account.Of(*r.Account))
	case r.User != nil:
		w.byUser[r.User.ID] = len(w.users)
		w.users = append(w.users, person{id: r.User.ID, blocked: r.User.Blocked})
		return f.add(account.Of(*r.User))
	default:
		return f.membership(*r.Membership)
	}
}

// membership adds a membership, and the assignments that exist because of it (U4).
func (f filler) membership(g directory.Grant) error {
	w := f.world
	m := account.Membership{Account: g.Account, User: g.User, Roles: g.Roles, ExpiresAt: g.ExpiresAt}
	switch {
	case g.KeptFromAlwaysOn:
		m.BranchAccess = account.KeptFromAlwaysOn
	case g.SubAccountAccess != nil && *g.SubAccountAccess:
		m.BranchAccess = account.GrantedAccess
	}
	at, user := w.byID[m.Account], w.byUser[m.User]
	for _, role := range m.Roles {
		f.used[account.Assignment{Account: m.Account, Role: role, AlwaysOn: w.accounts[at].alwaysOn}] = true
	}
	if !m.Expired(w.now) {
		plain := membership{user: user, at: at, roles: m.Roles, branch: m.BranchAccess != account.NoBranchAccess || w.accounts[at].alwaysOn}
		w.users[user].memberships = append(w.users[user].memberships, plain)
		w.accounts[at].members = append(w.accounts[at].members, plain)
	}
	return f.add(account.Of(m))
}

// reader adds a user who may open about a ninth of the accounts: a viewer, with sub-account
// access, of the account whose branch comes closest to that.
func (f filler) reader() error {
	w := f.world
	wanted, best := len(w.accounts)/9, 0
	size := func(i int) int { return w.accounts[i].end - w.accounts[i].first }
	for i := range w.accounts {
		if distance(size(i), wanted) < distance(size(best), wanted) {
			best = i
		}
	}
	if err := f.record(directory.Record{User: &account.User{ID: reader}}); err != nil {
		return err
	}
	yes := true
	return f.membership(directory.Grant{
		Account: w.accounts[best].id, User: reader, Roles: []account.RoleKey{"viewer"}, SubAccountAccess: &yes,
	})
}

func (f filler) assignments() error {
	for a := range maps.Keys(f.used) {
		if err := f.add(account.Of(a)); err != nil {
			return err
		}
	}
	return nil
}

func (f filler) add(e *account.Entity) error {
	rels, err := f.projector.Implied(Environment, *e)
	f.world.Relationships = append(f.world.Relationships, rels...)
	return err
}

// sortAsRelay sorts by the relationships' text, which is how a relay fills an empty engine.
func sortAsRelay(rels []relation.Relationship) {
	type keyed struct {
		text string
		rel  relation.Relationship
	}
	all := make([]keyed, len(rels))
	for i, r := range rels {
		all[i] = keyed{r.String(), r}
	}
	slices.SortFunc(all, func(a, b keyed) int { return strings.Compare(a.text, b.text) })
	for i, k := range all {
		rels[i] = k.rel
	}
}
