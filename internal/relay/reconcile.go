package relay

import (
	"context"
	"errors"
	"io"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Reconciliation is what Reconcile found and did in one environment.
type Reconciliation struct {
	Environment account.EnvironmentID
	Version     account.Version // at which directory and engine were compared
	Held        int             // relationships in the engine
	Drift       relation.Drift
	Unplaced    bool // the engine's position was none, or of another journal: compared with the directory as it is
	Repaired    bool // the engine now holds what the directory implies
}

const (
	reconcileTries = 10
	// An expiry this close may pass in the engine before it does here.
	expirySlack = time.Minute
)

// Reconcile compares what the directory implies with what the engine holds,
// both at one version, and repairs the engine unless dryRun. Writes may go on
// meanwhile: entries that came after the directory was read are added to what
// it implies. Repairs are made under a busy mark, so that no entry comes between.
//
// An engine that is behind the journal is no drift as long as a relay applies
// it; Reconcile waits for it until ctx ends, or until it has not moved for
// Config.Stuck: an Unavailable fault (relay_behind) then. progress, which may be
// nil, is called as repairs are made.
func (r *Relay) Reconcile(ctx context.Context, env account.EnvironmentID, dryRun bool, progress func(done, total int)) (Reconciliation, error) {
	w := r.worker(env)
	for try := 1; ; try++ {
		result, err := r.compare(ctx, w)
		if err == nil && (dryRun || result.Drift.Empty() && !result.Unplaced) {
			result.Repaired = !dryRun
			return result, nil
		}
		if err == nil {
			if result.Version, err = w.repair(ctx, progress); err == nil {
				result.Repaired = true
				return result, nil
			}
		}
		if !moved(err) {
			return result, err
		}
		if try == reconcileTries {
			return result, fault.New(fault.Unavailable, "reconcile_overtaken",
				"environment %s changed during each of %d tries; try again when fewer writes are made", env, try).Because(err)
		}
	}
}

// compare reads the directory and the engine and compares them. It writes nothing.
func (r *Relay) compare(ctx context.Context, w *worker) (Reconciliation, error) {
	implied, version, err := r.implied(ctx, w.env)
	if err != nil {
		return Reconciliation{}, err
	}
	at, placed, err := r.placed(ctx, w, version)
	if err != nil {
		return Reconciliation{}, err
	}
	result := Reconciliation{Environment: w.env, Version: version, Unplaced: !placed}
	if placed {
		if err := r.fold(ctx, w.env, implied, version, at.mark.version); err != nil {
			return Reconciliation{}, err
		}
		result.Version = at.mark.version
	}
	settled := r.cfg.Now().Add(expirySlack)
	held, err := r.held(ctx, w.env, at.token)
	if err != nil {
		return Reconciliation{}, err
	}
	result.Held = len(held)
	result.Drift = relation.Compare(implied, held, settled)
	return result, nil
}

// placed returns where the engine stands once it has reached version, and
// whether that is a place in this journal.
func (r *Relay) placed(ctx context.Context, w *worker, version account.Version) (standing, bool, error) {
	last, since := mark{}, time.Now()
	for {
		w.acting.Lock()
		at, err := w.settled(ctx)
		w.acting.Unlock()
		if err != nil {
			return standing{}, false, err
		}
		if at.mark == (mark{}) || at.mark.busy != "" {
			return at, false, nil
		}
		if err := r.belongs(ctx, w.env, at.mark); err != nil {
			if f := fault.From(err); f.Kind == fault.Conflict {
				return at, false, nil
			}
			return standing{}, false, err
		}
		if at.mark.version >= version {
			return at, true, nil
		}
		if at.mark != last {
			last, since = at.mark, time.Now()
		}
		w.wake()
		sleep(ctx, r.cfg.Poll)
		if ctx.Err() != nil || time.Since(since) > r.cfg.Stuck {
			return standing{}, false, fault.New(fault.Unavailable, "relay_behind",
				"the engine stands at version %d of environment %s, the directory at %d, and nothing moves it", at.mark.version, w.env, version).Because(ctx.Err())
		}
	}
}

// repair makes the engine right, whatever it holds.
func (w *worker) repair(ctx context.Context, progress func(done, total int)) (account.Version, error) {
	w.acting.Lock()
	defer w.acting.Unlock()
	defer w.wake()
	w.lost = true // the worker's mark will be out of date
	at, err := w.settled(ctx)
	if err != nil {
		return 0, err
	}
	return w.relay.rewrite(ctx, w.env, at.mark, progress)
}

// fill brings an engine that stands nowhere to the directory's state.
func (r *Relay) fill(ctx context.Context, env account.EnvironmentID, from mark) (standing, error) {
	var progress func(done, total int)
	if r.cfg.OnBuild != nil {
		progress = func(done, total int) { r.cfg.OnBuild(env, done, total) }
	}
	if _, err := r.rewrite(ctx, env, from, progress); err != nil {
		return standing{}, err
	}
	return r.standing(ctx, env)
}

// rewrite makes the engine hold what the directory implies, and returns the
// directory's version that it then stands at. It replaces the mark from by a
// busy one before it looks, so that nobody else writes until it is done or given up.
func (r *Relay) rewrite(ctx context.Context, env account.EnvironmentID, from mark, progress func(done, total int)) (account.Version, error) {
	claimed := from.during(r.word(0))
	token, err := r.write(ctx, env, from, claimed, nil, nil)
	if err != nil {
		return 0, err
	}
	implied, version, err := r.implied(ctx, env)
	if err != nil {
		return 0, err
	}
	last, err := r.entry(ctx, env, version)
	if err != nil {
		return 0, err
	}
	settled := r.cfg.Now().Add(expirySlack)
	held, err := r.held(ctx, env, token)
	if err != nil {
		return 0, err
	}
	repairs := relation.Compare(implied, held, settled).Repairs()
	if progress == nil {
		progress = func(int, int) {}
	}
	token, err = r.write(ctx, env, claimed, markOf(last), repairs, func(done int) { progress(done, len(repairs)) })
	if err != nil {
		return 0, err
	}
	if err := r.journal.ForgetPosition(ctx, env, r.engine.Name()); err != nil { // it may have been a later one
		return 0, err
	}
	return version, r.save(ctx, env, Position{Version: version, Token: token})
}

// implied returns what the directory implies, and its version.
func (r *Relay) implied(ctx context.Context, env account.EnvironmentID) (relation.Set, account.Version, error) {
	set := relation.Set{}
	version, err := r.journal.Snapshot(ctx, env, func(e account.Entity) error {
		rels, err := r.projector.Implied(env, e)
		set.Add(rels...)
		return err
	})
	return set, version, err
}

// fold adds to what version implies what the entries up to target change.
func (r *Relay) fold(ctx context.Context, env account.EnvironmentID, implied relation.Set, version, target account.Version) error {
	for version < target {
		entries, err := r.journal.Entries(ctx, env, version, min(entriesAtOnce, int(target-version)))
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return fault.New(fault.Internal, "journal_gap", "the journal of environment %s ends at version %d, before %d", env, version, target)
		}
		for _, e := range entries {
			updates, err := r.projector.Updates(e, time.Time{})
			if err != nil {
				return err
			}
			implied.Apply(updates)
			version = e.Version
		}
	}
	return nil
}

// held reads all relationships of an environment from the engine, as they were
// at a token; with the empty one, as they are now.
func (r *Relay) held(ctx context.Context, env account.EnvironmentID, token string) (relation.Set, error) {
	consistency := &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}}
	if token != "" {
		consistency = &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: &v1.ZedToken{Token: token}}}
	}
	set := relation.Set{}
	filters := []*v1.RelationshipFilter{{ResourceType: relation.TypeEnvironment, OptionalResourceId: string(env)}}
	for _, t := range []string{relation.TypeRole, relation.TypeAssignment, relation.TypeAccount, relation.TypePlan} {
		filters = append(filters, &v1.RelationshipFilter{ResourceType: t, OptionalResourceIdPrefix: string(env) + "/"})
	}
	for _, f := range filters {
		var cursor *v1.Cursor
		for more := true; more; {
			var err error
			if cursor, more, err = r.page(ctx, consistency, f, cursor, set); err != nil {
				return nil, err
			}
		}
	}
	return set, nil
}

// page reads one page of relationships into a set, and returns the cursor of the next and whether there may be one.
func (r *Relay) page(ctx context.Context, consistency *v1.Consistency, filter *v1.RelationshipFilter, cursor *v1.Cursor, into relation.Set) (*v1.Cursor, bool, error) {
	const most = 1000
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	stream, err := v1.NewPermissionsServiceClient(r.engine.Conn()).ReadRelationships(ctx, &v1.ReadRelationshipsRequest{
		Consistency: consistency, RelationshipFilter: filter, OptionalLimit: most, OptionalCursor: cursor,
	})
	if err != nil {
		return nil, false, err
	}
	for n := 0; ; n++ {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return cursor, n == most, nil
		}
		if err != nil {
			return nil, false, err
		}
		cursor = m.GetAfterResultCursor()
		if rel := relation.FromProto(m.GetRelationship()); rel.Relation != applied {
			into.Add(rel)
		}
	}
}
