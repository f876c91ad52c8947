package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

// mostOrphans is up to how many relationships that a removal would orphan are counted.
const mostOrphans = 10000

// The outcomes of a schema change, as the record has them.
const (
	outcomeApplied = "applied"
	outcomeRefused = "refused"        // by the engine: the schema is as it was
	outcomeFound   = "applied, found" // broken off, and found to have been applied
	outcomeNotDone = "not applied"    // broken off before the schema was written
	outcomeOverrun = "overrun"        // broken off, and the engine has a third schema by now
	mostUnsettled  = 100              // of them that are settled at once
	causeFirst     = "serve, the first"
	causeExtend    = "serve, an addition"
	causeApplyFlag = "serve --apply-schema"
)

// schemaJournal is where changes of the schema are written down.
type schemaJournal interface {
	BeginSchemaChange(ctx context.Context, c store.SchemaChange) (int64, error)
	EndSchemaChange(ctx context.Context, id int64, outcome string, deleted int) error
	NoteDeleted(ctx context.Context, id int64, deleted int) error
	OpenSchemaChanges(ctx context.Context, n int) ([]store.SchemaChange, error)
}

// keeper changes the schema of an engine, and writes down what it does.
type keeper struct {
	journal schemaJournal
	engine  *engine.Engine
	log     *slog.Logger
	close   func() error
}

func newKeeper(journal schemaJournal, e *engine.Engine, cfg Config) *keeper {
	return &keeper{journal: journal, engine: e, log: cfg.Log}
}

// planned is a plan, and what it means for access.
type planned struct {
	engine.SchemaPlan
	diff     diff.Result
	from, to string          // digests
	managed  map[string]bool // Tenantry's own definitions
}

// plan compares a text with the engine's schema, and counts the relationships that removals would orphan.
func (k *keeper) plan(ctx context.Context, text string) (planned, error) {
	plan, err := engine.PlanSchema(ctx, k.engine.Conn(), text)
	if err != nil || !plan.Needed() {
		return planned{SchemaPlan: plan}, err
	}
	after, err := parse(ctx, "the new schema", text)
	if err != nil {
		return planned{}, err
	}
	core, err := parse(ctx, diff.Core, schema.Built())
	if err != nil {
		return planned{}, err
	}
	p := planned{SchemaPlan: plan, to: diff.Digest(after), managed: map[string]bool{}}
	for _, d := range core.Definitions {
		p.managed[d.Name] = true
	}
	if plan.Before == "" {
		p.diff.Changes = []diff.Change{}
		return p, nil
	}
	before, err := parse(ctx, "the engine's schema", plan.Before)
	if err != nil {
		return planned{}, err
	}
	p.diff, p.from = diff.Compare(before, after), diff.Digest(before)
	return p, countOrphans(ctx, k.engine, &p.diff)
}

// parse compiles a schema that SpiceDB has or would take.
func parse(ctx context.Context, name, text string) (*zed.Schema, error) {
	s, findings := diff.Parse(ctx, name, text)
	if len(findings) > 0 {
		return nil, fault.New(fault.Invalid, "invalid_schema", "%s: %s", name, findings[0])
	}
	return s, nil
}

// countOrphans notes with each removal how many relationships it would orphan.
func countOrphans(ctx context.Context, e *engine.Engine, r *diff.Result) error {
	for i, c := range r.Changes {
		if c.Removal == nil {
			continue
		}
		n, err := engine.CountOrphans(ctx, e.Conn(), *c.Removal, "", mostOrphans)
		if err != nil {
			return err
		}
		r.Changes[i].Orphans = &n
	}
	return nil
}

// takesAway are the kinds of changes that end a part of a definition.
var takesAway = map[diff.Kind]bool{
	diff.DefinitionRemoved: true, diff.RelationRemoved: true, diff.PermissionRemoved: true, diff.SubjectTypeRemoved: true,
	diff.SubjectTypeConditions: true, diff.RelationToPermission: true, diff.PermissionToRelation: true,
}

// definitionOf is the definition that a change is in.
func definitionOf(subject string) string {
	definition, _, _ := strings.Cut(subject, "#")
	return definition
}

// carryOut writes the change down, deletes the relationships that the new schema has no place for,
// if the options allow it, writes the schema, and writes down what came of it. If that is not
// known, the record is left without an outcome, for settle.
func (k *keeper) carryOut(ctx context.Context, p planned, cause string, opts SchemaOptions) (done SchemaApplied, err error) {
	differences, err := json.Marshal(p.diff.Changes)
	if err != nil {
		return done, err
	}
	done.Record, err = k.journal.BeginSchemaChange(ctx, store.SchemaChange{
		Actor: operatingUser(opts.Actor), Cause: cause, FromDigest: p.from, ToDigest: p.to,
		Differences: string(differences), Before: p.Before, After: p.After,
	})
	if err != nil {
		return done, err
	}
	if opts.DeleteOrphans {
		if done.Deleted, err = k.deleteOrphans(ctx, p, done.Record, opts.Progress); err == nil {
			err = p.Write(ctx, k.engine.Conn())
		}
	} else {
		err = p.Write(ctx, k.engine.Conn())
	}
	outcome := outcomeApplied
	if err != nil {
		if !errors.Is(err, fault.Conflict) && !errors.Is(err, fault.Invalid) {
			return done, err // nobody knows how far it came
		}
		outcome = outcomeRefused
	}
	return done, errors.Join(err, k.journal.EndSchemaChange(context.WithoutCancel(ctx), done.Record, outcome, done.Deleted))
}

// deleteOrphans deletes what the removals orphan in definitions that are not Tenantry's, notes in the
// record after each batch how many are gone, and returns how many there were.
func (k *keeper) deleteOrphans(ctx context.Context, p planned, record int64, progress func(part string, done, total int)) (int, error) {
	all := 0
	for _, c := range p.diff.Changes {
		if c.Removal == nil || c.Orphans == nil || c.Orphans.Count == 0 || p.managed[c.Removal.Definition] {
			continue
		}
		before := all
		err := k.engine.DeleteOrphans(ctx, *c.Removal, func(n int) error {
			all = before + n
			progress(c.Subject, n, max(n, c.Orphans.Count))
			return k.journal.NoteDeleted(ctx, record, all)
		})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// settle gives changes that were broken off the outcome that the engine's schema shows. If one of them
// is only under way, in another process, that writes down its own outcome in the end.
func (k *keeper) settle(ctx context.Context) error {
	open, err := k.journal.OpenSchemaChanges(ctx, mostUnsettled)
	if err != nil || len(open) == 0 {
		return err
	}
	digest := ""
	text, err := engine.Schema(ctx, k.engine.Conn())
	if err != nil && !fault.HasCode(err, engine.CodeNotFound) {
		return err
	}
	if err == nil {
		now, err := parse(ctx, "the engine's schema", text)
		if err != nil {
			return err
		}
		digest = diff.Digest(now)
	}
	for _, c := range open {
		outcome := outcomeOverrun
		switch digest {
		case c.ToDigest:
			outcome = outcomeFound
		case c.FromDigest:
			outcome = outcomeNotDone
		}
		k.log.WarnContext(ctx, "a change of the schema was broken off", "record", c.ID, "outcome", outcome)
		if err := k.journal.EndSchemaChange(ctx, c.ID, outcome, c.Deleted); err != nil {
			return err
		}
	}
	return nil
}

// start gives the engine the schema of a server that starts. None there: it is written. One that means the same:
// nothing happens. Another one is replaced only if somebody has asked for it (--apply-schema), and nothing is lost
// by it; or on the embedded engine, by an upgrade that takes nothing away. Otherwise a Conflict fault
// (schema_differs, schema_would_orphan, schema_managed).
func (k *keeper) start(ctx context.Context, text string, cfg Config) error {
	if err := k.settle(ctx); err != nil {
		return err
	}
	plan, err := engine.PlanSchema(ctx, k.engine.Conn(), text)
	if err != nil || !plan.Needed() {
		return err
	}
	cause := causeFirst
	switch {
	case plan.Before == "":
	case cfg.ApplySchema:
		cause = causeApplyFlag
	case cfg.Embedded():
		cause = causeExtend // nobody else uses it: an upgrade goes by itself
		err = plan.Permitted(engine.Extend)
	default:
		err = plan.Differs()
	}
	if err != nil {
		return err
	}
	p, err := k.plan(ctx, text)
	if err != nil || !p.Needed() {
		return err
	}
	if cause == causeExtend && p.narrowsApplication() {
		return p.Differs()
	}
	if err := p.permitted(SchemaOptions{}); err != nil {
		return err
	}
	done, err := k.carryOut(ctx, p, cause, SchemaOptions{})
	if err == nil && p.Before != "" {
		k.log.InfoContext(ctx, "the engine's schema was replaced", "differences", p.Differences, "cause", cause, "record", done.Record)
	}
	return err
}

// narrowsApplication reports whether a definition of the application's takes access away by a change
// of its own. What an upgrade of Tenantry makes of it is Tenantry's to answer for.
func (p planned) narrowsApplication() bool {
	for _, c := range p.diff.Changes {
		if c.Breaking && !c.Indirect && !p.managed[definitionOf(c.Subject)] {
			return true
		}
	}
	return false
}
