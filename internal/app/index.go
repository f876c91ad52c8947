package app

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/relay"
	"github.com/tenantry/tenantry/internal/switcher"
)

// provenIndex is the index for as long as the engine's schema says what the index implements.
type provenIndex struct {
	*switcher.Index
	proven atomic.Bool
}

func newProvenIndex(x *switcher.Index) *provenIndex { return &provenIndex{Index: x} }

// View is that of the index; an Unavailable fault (index_unproven) while it is not known to be what the schema says.
func (p *provenIndex) View(ctx context.Context, env account.EnvironmentID, atLeast account.Version) (*switcher.View, error) {
	if !p.proven.Load() {
		return nil, unproven()
	}
	return p.Index.View(ctx, env, atLeast)
}

// Now is that of the index; an Unavailable fault (index_unproven) as for View.
func (p *provenIndex) Now(env account.EnvironmentID) (*switcher.View, error) {
	if !p.proven.Load() {
		return nil, unproven()
	}
	return p.Index.Now(env)
}

func unproven() error {
	return fault.New(fault.Unavailable, "index_unproven", "the index does not answer: the engine's schema is not known to be the one that it implements")
}

// implemented are the definitions of the schema that the index implements.
var implemented = []string{
	relation.TypeUser, relation.TypeAPIToken, relation.TypeOperator, relation.TypeEnvironment,
	relation.TypeRole, relation.TypeAssignment, relation.TypeAccount,
}

const (
	provingEvery  = 5 * time.Second
	samplingEvery = 10 * time.Second
)

// remember keeps the index in step and holds it against the engine, until ctx ends.
func (a *App) remember(ctx context.Context, index *provenIndex) {
	select {
	case <-ctx.Done():
		return
	case <-a.prepared:
	}
	a.working.Go(func() { a.prove(ctx, index) })
	a.working.Go(func() { a.sample(ctx, index) })
	_ = index.Run(ctx) // it ends with ctx
}

// prove compares the engine's schema with the one that the index implements, from time to time.
// While the engine is away the index stays what it was.
func (a *App) prove(ctx context.Context, index *provenIndex) {
	every := cmp.Or(a.cfg.ProveEvery, provingEvery)
	proved := "" // the text that was compared last: to compare takes as long as many checks do
	for {
		text, err := a.proveOnce(ctx, index, proved)
		if err == nil {
			proved = text
		}
		pause := every
		if err != nil && !index.proven.Load() {
			pause = 100 * time.Millisecond // at the start
		}
		if !wait(ctx, pause) {
			return
		}
	}
}

// proveOnce compares the engine's schema, unless it is the text that was compared before, and returns its text.
func (a *App) proveOnce(ctx context.Context, index *provenIndex, before string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, provingEvery)
	defer cancel()
	text, err := engine.Schema(ctx, a.Engine.Conn())
	if err != nil || text == before {
		return text, err
	}
	differences, err := engine.Differences(ctx, a.Engine.Conn(), a.schemaText, implemented...)
	if err != nil {
		return text, err
	}
	index.proven.Store(len(differences) == 0)
	if len(differences) > 0 {
		a.cfg.Log.ErrorContext(ctx, "index: out of service: the engine's schema is not the one that the index implements", "differences", differences)
	}
	return text, nil
}

// sample compares index and engine in one environment after the other. Where they
// differ, the index does not answer any more.
func (a *App) sample(ctx context.Context, index *provenIndex) {
	results := newSamples(a.cfg.Registry)
	for wait(ctx, cmp.Or(a.cfg.SampleEvery, samplingEvery)) {
		environments, err := a.Store.Environments(ctx)
		for _, env := range environments {
			if index.proven.Load() && err == nil {
				a.sampleIn(ctx, index, env.ID, results)
			}
		}
	}
}

func (a *App) sampleIn(ctx context.Context, index *provenIndex, env account.EnvironmentID, results *samples) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	found, err := a.Access.Compare(ctx, env)
	switch {
	case err != nil || !found.Compared:
		results.note(env, "none")
	case found.Problem == "":
		results.note(env, "same")
	default:
		results.note(env, "different")
		index.Withdraw(env)
		a.cfg.Log.ErrorContext(ctx, "index: OUT OF SERVICE for this environment until the server is started again: it does not say what the engine says. "+
			"If `tenantry reconcile --dry-run` finds nothing to repair, this is a fault of Tenantry's: please report it",
			"environment", env, "problem", found.Problem, "version", found.Version)
	}
}

// wait returns after a pause, and whether ctx goes on.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// inForce is when a write is in force: the engine has it, and so has the index, if that comes soon.
type inForce struct {
	relay *relay.Relay
	index *switcher.Index // nil for none
}

// indexMayTake is how long a write that is in force waits for the index, which answers by it or not at all.
const indexMayTake = 250 * time.Millisecond

// InForce is the relay's.
func (f *inForce) InForce(ctx context.Context, env account.EnvironmentID, version account.Version) error {
	if f.index != nil {
		f.index.Expect(env, version)
	}
	if err := f.relay.InForce(ctx, env, version); err != nil || f.index == nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, indexMayTake)
	defer cancel()
	_, _ = f.index.View(soon, env, version) // who asks waits for it as well
	return nil
}
