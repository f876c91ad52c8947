package directory_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

// engine stands for what decides and comes into force: it says yes or no to
// everything, and all is in force at once. Which rights are asked of the schema is
// the business of the tests of package app.
type engine struct {
	deny      bool
	meanwhile func()            // happens once, while a decision is asked for
	atLeast   []account.Version // of each decision
}

func (e *engine) Decide(_ context.Context, _ account.Actor, atLeast account.Version, questions []directory.Question) ([]bool, error) {
	e.atLeast = append(e.atLeast, atLeast)
	if do := e.meanwhile; do != nil {
		e.meanwhile = nil
		do()
	}
	answers := make([]bool, len(questions))
	for i := range answers {
		answers[i] = !e.deny
	}
	return answers, nil
}

func (*engine) InForce(context.Context, account.EnvironmentID, account.Version) error { return nil }

// counted is a store that counts the queries which concern one member or one account.
type counted struct {
	directory.Store
	reads, singles, logs atomic.Int64
}

func (c *counted) Read(ctx context.Context, env account.EnvironmentID, fn func(directory.Reader) error) error {
	c.reads.Add(1)
	return c.Store.Read(ctx, env, func(r directory.Reader) error { return fn(countedReader{r, c}) })
}

func (c *counted) Write(ctx context.Context, env account.EnvironmentID, fn func(directory.Tx) error) error {
	return c.Store.Write(ctx, env, func(tx directory.Tx) error { return fn(countedTx{tx, c}) })
}

type countedReader struct {
	directory.Reader
	c *counted
}

func (r countedReader) MembershipsOf(ctx context.Context, user account.UserID) ([]account.Membership, error) {
	r.c.singles.Add(1)
	return r.Reader.MembershipsOf(ctx, user)
}

func (r countedReader) User(ctx context.Context, id account.UserID) (account.Versioned[account.User], error) {
	r.c.singles.Add(1)
	return r.Reader.User(ctx, id)
}

func (r countedReader) Log(ctx context.Context, q directory.LogQuery) ([]account.Entry, bool, error) {
	r.c.logs.Add(1)
	return r.Reader.Log(ctx, q)
}

func (r countedReader) Assignments(ctx context.Context, id account.ID) ([]account.Assignment, error) {
	r.c.singles.Add(1)
	return r.Reader.Assignments(ctx, id)
}

type countedTx struct {
	directory.Tx
	c *counted
}

func (t countedTx) MembershipsOf(ctx context.Context, user account.UserID) ([]account.Membership, error) {
	return countedReader{t.Tx, t.c}.MembershipsOf(ctx, user)
}

func (t countedTx) User(ctx context.Context, id account.UserID) (account.Versioned[account.User], error) {
	return countedReader{t.Tx, t.c}.User(ctx, id)
}

func (t countedTx) Assignments(ctx context.Context, id account.ID) ([]account.Assignment, error) {
	return countedReader{t.Tx, t.c}.Assignments(ctx, id)
}

// house is a directory on a database of its own, with an environment "prod".
type house struct {
	*directory.Directory
	t      testing.TB
	ctx    context.Context
	engine *engine
	store  *counted
	db     *store.DB
	system directory.Request
}

func newHouse(t testing.TB) *house {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "directory.db"), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	catalogue, err := schema.Parse()
	if err != nil {
		t.Fatal(err)
	}
	e, s := &engine{}, &counted{Store: db}
	h := &house{
		Directory: directory.New(s, e, e, catalogue, directory.Config{}), t: t, ctx: t.Context(), engine: e, store: s, db: db,
		system: directory.Request{Actor: account.Actor{Environment: "prod", System: true}},
	}
	_, err = h.CreateEnvironment(h.ctx, h.system, account.Environment{ID: "prod", SubAccountsEnabled: true, MaxDepth: 8})
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// load makes records exist, as the system.
func (h *house) load(opts directory.LoadOptions, records ...directory.Record) (directory.Loaded, error) {
	for i := range records {
		records[i].Line = i + 1
	}
	return h.Load(h.ctx, h.system, records, opts)
}

func tenant(id, parent account.ID) directory.Record {
	return directory.Record{Account: &account.Account{ID: id, Name: string(id), Parent: parent, SubAccountManagement: true}}
}

func role(key account.RoleKey, owner account.ID) directory.Record {
	return directory.Record{Role: &account.Role{Key: key, Account: owner}}
}

func person(id account.UserID) directory.Record {
	return directory.Record{User: &account.User{ID: id, Email: string(id) + "@example.com"}}
}

func member(id account.ID, user account.UserID, roles ...account.RoleKey) directory.Record {
	return directory.Record{Membership: &directory.Grant{Account: id, User: user, Roles: roles}}
}
