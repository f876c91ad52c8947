package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/relay"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/internal/switcher"
)

// App is a running Tenantry, without its listeners. Close ends it.
type App struct {
	Store     *store.DB
	Engine    *engine.Engine // nil in a directory-only App
	Relay     *relay.Relay   // nil in a directory-only App
	Access    *access.Service
	Directory *directory.Directory
	Index     *switcher.Index   // nil in a directory-only App, and without an index
	Keys      *identity.Keyring // that issued tokens are signed with

	cfg        Config
	attached   bool // another process has the embedded engine, and brings entries into force
	schemaText string
	prepared   chan struct{} // closed when the engine has our schema

	failOnce sync.Once
	failed   chan struct{} // closed when the background can go on no more
	why      error         // it cannot; to be read after failed
	stopping chan struct{} // closed when Serve is about to stop: what would last ends

	mail     *postOffice        // nil if no letters are sent
	stop     context.CancelFunc // of the relay
	working  sync.WaitGroup     // the relay
	watching sync.WaitGroup     // who watches the engine
	uses     *identity.Uses     // of credentials; written down by who works
}

// OpenDirectory opens only the directory, for commands that need no engine. What
// they write is in force as soon as a process with the engine sees it.
func OpenDirectory(ctx context.Context, cfg Config) (*App, error) {
	cfg = cfg.withDefaults()
	catalogue, _, err := cfg.model()
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, cfg.Database, cfg.store())
	if err != nil {
		return nil, err
	}
	d := directory.New(db, nobody{}, notHere{}, catalogue, directory.Config{Now: cfg.Now, Issuer: cfg.PublicURL})
	return &App{Store: db, Directory: d, Keys: cfg.keyring(db), cfg: cfg, stop: func() {}}, nil
}

// nobody and notHere take the engine's place in a directory-only App: only the
// system may do anything, and nothing comes into force.
type (
	nobody  struct{}
	notHere struct{}
)

func (nobody) Decide(context.Context, account.Actor, account.Version, []directory.Question) ([]bool, error) {
	return nil, fault.New(fault.Unavailable, "engine_unavailable", "this command runs without the engine")
}

func (notHere) InForce(context.Context, account.EnvironmentID, account.Version) error {
	return fault.New(fault.Unavailable, "not_yet_in_force", "this command runs without the engine")
}

// Open opens the directory and the engine, gives the engine its schema, and
// starts the relay. A remote engine that is away does not keep it from opening:
// the App is not ready until the engine has come. An embedded engine that another
// process has open does, unless cfg.Beside.
func Open(ctx context.Context, cfg Config) (*App, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	catalogue, text, err := cfg.model()
	if err != nil {
		return nil, err
	}
	sender, err := cfg.sender()
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, cfg.Database, cfg.store())
	if err != nil {
		return nil, err
	}
	e, attached, err := openEngine(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	projector := relation.NewProjector(catalogue)
	r := relay.New(db, e, projector, relay.Config{
		Log: cfg.Log, Now: cfg.Now, Registry: cfg.Registry, OnStep: cfg.OnStep, OnBuild: cfg.OnBuild,
		TakeOver: cfg.TakeOver, LookOnly: attached, Alone: cfg.Embedded() && !attached,
	})
	known := access.Config{FreshWait: cfg.FreshWait, Now: cfg.Now, Log: cfg.Log, Registry: cfg.Registry}
	applied := &inForce{relay: r}
	var remembered *switcher.Index
	if !cfg.WithoutIndex {
		remembered = switcher.New(db, catalogue, switcher.Config{Now: cfg.Now, Log: cfg.Log, Registry: cfg.Registry})
		known.Index, applied.index = remembered, remembered
	}
	questions := access.New(e.Conn(), r, db, catalogue, known)
	var a *App
	letters := func() { a.mail.Wake() }
	if sender == nil {
		letters = nil
	}
	d := directory.New(db, questions, applied, catalogue, directory.Config{ApplyWait: cfg.ApplyWait, Now: cfg.Now, Issuer: cfg.PublicURL, Letters: letters})
	a = &App{
		Store: db, Engine: e, Relay: r, Access: questions, Directory: d, Keys: cfg.keyring(db),
		uses: identity.NewUses(db, cfg.Log), cfg: cfg, attached: attached, schemaText: text, prepared: make(chan struct{}), failed: make(chan struct{}),
		stopping: make(chan struct{}),
	}
	looking := cfg.LookOnly && !cfg.Embedded()
	if looking || attached {
		close(a.prepared)
	} else if err := a.prepare(ctx); err != nil && !errors.Is(err, fault.Unavailable) {
		return nil, errors.Join(err, e.Close(), db.Close())
	}
	var background context.Context
	background, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	if !looking {
		a.working.Go(func() { a.work(background) })
	}
	a.working.Go(func() { a.uses.Run(background) })
	if remembered != nil {
		a.Index = remembered
		a.working.Go(func() { a.remember(background, remembered) })
	}
	a.watching.Go(func() { a.watch(background) })
	a.mail = a.openMail(context.WithoutCancel(ctx), sender)
	return a, nil
}

// fail notes that the App cannot go on, and why; the first reason counts.
func (a *App) fail(why error) {
	a.failOnce.Do(func() {
		a.why = why
		close(a.failed)
	})
}

// watch notices when the engine ends although nobody has closed the App.
func (a *App) watch(background context.Context) {
	err := a.Engine.Run(context.WithoutCancel(background)) // Close ends it, after the relay
	if background.Err() != nil {
		return
	}
	if err == nil {
		err = fault.New(fault.Internal, "engine_stopped", "the engine was closed while it was in use")
	}
	a.fail(err)
}

// prepare gives the engine its schema.
func (a *App) prepare(ctx context.Context) error {
	if err := newKeeper(a.Store, a.Engine, a.cfg).start(ctx, a.schemaText, a.cfg); err != nil {
		return err
	}
	close(a.prepared)
	return nil
}

func (a *App) isPrepared() bool {
	select {
	case <-a.prepared:
		return true
	default:
		return false
	}
}

// work prepares the engine, however long it is away, and then relays until ctx ends.
func (a *App) work(ctx context.Context) {
	const pause = time.Second
	for !a.isPrepared() {
		err := a.prepare(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			break
		}
		if !errors.Is(err, fault.Unavailable) {
			a.fail(err)
			return
		}
		a.cfg.Log.WarnContext(ctx, "the engine does not answer; trying again", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
	if err := a.Relay.Run(ctx); err != nil {
		a.fail(err)
	}
}

// Ready returns nil when requests can be answered: the database and the engine
// answer, and every environment's relay is in step. Otherwise an Unavailable fault that says what is missing.
func (a *App) Ready(ctx context.Context) error {
	if err := a.Store.Ping(ctx); err != nil {
		return err
	}
	if err := a.Engine.Ready(ctx); err != nil {
		return err
	}
	if !a.isPrepared() {
		return fault.New(fault.Unavailable, "engine_unprepared", "the engine does not have its schema yet")
	}
	return a.Relay.Ready()
}

// CatchUp waits until every environment is in force as far as its journal goes
// now; Unavailable (not_yet_in_force) if ctx ends before, or (relay_stopped,
// engine_full) if it cannot come about. If the App cannot go on, it returns why.
func (a *App) CatchUp(ctx context.Context) error {
	heads, err := a.Store.Heads(ctx)
	if err != nil && ctx.Err() != nil {
		return fault.New(fault.Unavailable, "not_yet_in_force", "there was no time to see whether all that is recorded is in force; try again").Because(err)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer cancel()
	waiting.Go(func() {
		select {
		case <-a.failed:
			cancel()
		case <-ctx.Done():
		}
	})
	for env, head := range heads {
		if err := a.Relay.Reach(ctx, env, head); err != nil {
			select {
			case <-a.failed:
				return a.why
			default:
				return err
			}
		}
	}
	return nil
}

// Close stops the sending of mail, then the relay, the engine, and the database.
// Letters under way may finish for the configured grace. It breaks off the entry
// that the relay is at: whether the engine has it is found out by the next one to
// start, which goes on from there. Close may be called once.
func (a *App) Close() error {
	a.mail.close()
	a.stop()
	a.working.Wait()
	var err error
	if a.Engine != nil {
		err = a.Engine.Close()
		a.watching.Wait()
	}
	return errors.Join(err, a.Store.Close())
}

// Prepared waits until the engine has its schema, or ctx ends: an Unavailable
// fault then. If the App cannot go on, it returns why.
func (a *App) Prepared(ctx context.Context) error {
	select {
	case <-a.prepared:
		return nil
	case <-a.failed:
		return a.why
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "engine_unavailable", "the engine does not answer").Because(ctx.Err())
	}
}
