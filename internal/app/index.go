package app

import (
	"cmp"
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/relay"
	"github.com/tenantry/tenantry/internal/switcher"
)

// implemented are the definitions of the schema that the index implements.
var implemented = []string{
	relation.TypeUser, relation.TypeAPIToken, relation.TypeOperator, relation.TypeEnvironment,
	relation.TypeRole, relation.TypeAssignment, relation.TypeAccount,
}

const (
	provingEvery  = 5 * time.Second
	samplingEvery = 10 * time.Second
	// differencesRest is the pause before a difference is looked at again: longer than an engine elsewhere
	// goes on counting what has just expired.
	differencesRest = 10 * time.Second
)

// remember keeps the index in step and holds it against the engine, until ctx ends.
func (a *App) remember(ctx context.Context, index *switcher.Index) {
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
func (a *App) prove(ctx context.Context, index *switcher.Index) {
	every := cmp.Or(a.cfg.ProveEvery, provingEvery)
	proved := "" // the text that was compared last: to compare takes as long as many checks do
	for {
		text, err := a.proveOnce(ctx, index, proved)
		if err == nil {
			proved = text
		}
		pause := every
		if err != nil && !index.Proven() {
			pause = 100 * time.Millisecond // at the start
		}
		if !wait(ctx, pause) {
			return
		}
	}
}

// proveOnce compares the engine's schema, unless it is the text that was compared before, and returns its text.
func (a *App) proveOnce(ctx context.Context, index *switcher.Index, before string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, provingEvery)
	defer cancel()
	text, err := engine.Schema(ctx, a.Engine.Conn())
	if err != nil || text == before {
		return text, err
	}
	differences, err := engine.Differences(ctx, a.Engine.Conn(), a.schemaText, implemented...)
	again := ""
	if err == nil {
		again, err = engine.Schema(ctx, a.Engine.Conn())
	}
	if err != nil || again != text { // it is another one, and which was compared nobody knows
		index.Prove(false)
		return "", err
	}
	index.Prove(len(differences) == 0)
	if len(differences) > 0 {
		a.cfg.Log.ErrorContext(ctx, "index: out of service: the engine's schema is not the one that the index implements", "differences", differences)
	}
	return text, nil
}

// sample compares index and engine in one environment after the other. Where they
// differ, the index does not answer any more.
func (a *App) sample(ctx context.Context, index *switcher.Index) {
	results := newSamples(a.cfg.Registry)
	for wait(ctx, cmp.Or(a.cfg.SampleEvery, samplingEvery)) {
		environments, err := a.Store.Environments(ctx)
		for _, env := range environments {
			if index.Proven() && err == nil {
				a.sampleIn(ctx, index, env.ID, results)
			}
		}
	}
}

func (a *App) sampleIn(ctx context.Context, index *switcher.Index, env account.EnvironmentID, results *samples) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	found, err := a.Access.Compare(ctx, env, min(differencesRest, 4*cmp.Or(a.cfg.SampleEvery, samplingEvery)))
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
