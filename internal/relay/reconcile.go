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
// it implies, and each repair is made on the condition that the engine still
// stands where it was compared; if not, it begins anew.
//
// An engine that is behind the journal is no drift as long as a relay applies
// it; Reconcile waits for it until ctx ends. progress, which may be nil, is
// called as repairs are made.
func (r *Relay) Reconcile(ctx context.Context, env account.EnvironmentID, dryRun bool, progress func(done, total int)) (Reconciliation, error) {
	for try := 1; ; try++ {
		result, err := r.reconcileOnce(ctx, env, dryRun, progress)
		if err == nil || !moved(err) {
			return result, err
		}
		if try == reconcileTries {
			return result, fault.New(fault.Unavailable, "reconcile_overtaken",
				"environment %s changed during each of %d tries; try again when fewer writes are made", env, try).Because(err)
		}
	}
}

func (r *Relay) reconcileOnce(ctx context.Context, env account.EnvironmentID, dryRun bool, progress func(done, total int)) (Reconciliation, error) {
	implied, version, err := r.implied(ctx, env)
	if err != nil {
		return Reconciliation{}, err
	}
	at, err := r.standing(ctx, env, version)
	if err != nil {
		return Reconciliation{}, err
	}
	target := max(version, at.Version)
	if err := r.fold(ctx, env, implied, version, target); err != nil {
		if fault.From(err).Code != "engine_ahead" {
			return Reconciliation{}, err
		}
		target = version // the journal ends before the engine: the directory is the truth
	}
	settled := r.cfg.Now().Add(expirySlack)
	held, err := r.held(ctx, env, at)
	if err != nil {
		return Reconciliation{}, err
	}
	result := Reconciliation{Environment: env, Version: target, Held: len(held), Drift: relation.Compare(implied, held, settled)}
	if dryRun {
		return result, nil
	}
	repairs := result.Drift.Repairs()
	if len(repairs) == 0 && at.Version == target {
		result.Repaired = true
		return result, nil
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	token, err := r.write(ctx, env, at.Version, target, repairs, func(done int) { progress(min(done, len(repairs)), len(repairs)) })
	if err != nil {
		return result, err
	}
	result.Repaired = true
	if at.Version > target {
		if err := r.journal.ForgetPosition(ctx, env, r.engine.Name()); err != nil {
			return result, err
		}
	}
	return result, r.save(ctx, env, Position{Version: target, Token: token})
}

// fill brings an engine without a position to the directory's state.
func (r *Relay) fill(ctx context.Context, env account.EnvironmentID) (Position, error) {
	var progress func(done, total int)
	if r.cfg.OnBuild != nil {
		progress = func(done, total int) { r.cfg.OnBuild(env, done, total) }
	}
	if _, err := r.Reconcile(ctx, env, false, progress); err != nil {
		return Position{}, err
	}
	return r.enginePosition(ctx, env)
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

// standing returns the engine's position once it has reached version; at once if it has none.
func (r *Relay) standing(ctx context.Context, env account.EnvironmentID, version account.Version) (Position, error) {
	for {
		at, err := r.enginePosition(ctx, env)
		if err != nil {
			return Position{}, err
		}
		if at.Version == 0 || at.Version >= version {
			return at, nil
		}
		if ctx.Err() != nil {
			return Position{}, fault.New(fault.Unavailable, "relay_behind",
				"the engine stands at version %d of environment %s, the directory at %d, and nothing moves it", at.Version, env, version)
		}
		sleep(ctx, r.cfg.Poll)
	}
}

// fold adds to what version implies what the entries up to target change.
func (r *Relay) fold(ctx context.Context, env account.EnvironmentID, implied relation.Set, version, target account.Version) error {
	for version < target {
		entries, err := r.journal.Entries(ctx, env, version, min(entriesAtOnce, int(target-version)))
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return fault.New(fault.Conflict, "engine_ahead", "the journal of environment %s ends at version %d, before the engine's %d", env, version, target)
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

// held reads all relationships of an environment from the engine, as they were at the position's token.
// An engine without a position is read as it is now.
func (r *Relay) held(ctx context.Context, env account.EnvironmentID, at Position) (relation.Set, error) {
	consistency := &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}}
	if at.Token != "" {
		consistency = &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: &v1.ZedToken{Token: at.Token}}}
	}
	set := relation.Set{}
	filters := []*v1.RelationshipFilter{{ResourceType: relation.TypeEnvironment, OptionalResourceId: string(env)}}
	for _, t := range []string{relation.TypeRole, relation.TypeAssignment, relation.TypeAccount} {
		filters = append(filters, &v1.RelationshipFilter{ResourceType: t, OptionalResourceIdPrefix: string(env) + "/"})
	}
	for _, f := range filters {
		if err := r.read(ctx, consistency, f, set); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func (r *Relay) read(ctx context.Context, consistency *v1.Consistency, filter *v1.RelationshipFilter, into relation.Set) error {
	const page = 1000
	client := v1.NewPermissionsServiceClient(r.engine.Conn())
	var cursor *v1.Cursor
	for {
		stream, err := client.ReadRelationships(ctx, &v1.ReadRelationshipsRequest{
			Consistency: consistency, RelationshipFilter: filter, OptionalLimit: page, OptionalCursor: cursor,
		})
		if err != nil {
			return err
		}
		n := 0
		for {
			m, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			n++
			cursor = m.GetAfterResultCursor()
			if rel := relation.FromProto(m.GetRelationship()); rel.Relation != applied {
				into.Add(rel)
			}
		}
		if n < page {
			return nil
		}
	}
}
