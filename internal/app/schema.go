package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/user"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/store"
)

// The codes of faults that keep a schema from being applied; all are Conflicts.
const (
	CodeSchemaWouldOrphan = "schema_would_orphan" // relationships would have no place any more
	CodeSchemaManaged     = "schema_managed"      // parts of Tenantry's own definitions would be taken away
)

// SchemaOptions say how far ApplySchema may go.
type SchemaOptions struct {
	DryRun        bool   // change nothing
	DeleteOrphans bool   // delete an application's relationships that the new schema has no place for
	RemoveManaged bool   // take away parts of Tenantry's own definitions
	Actor         string // who does it, for the record; the user of the operating system if empty
	// Show is given the differences before anything is changed; an error of its own ends it there.
	Show func(SchemaPlanned) error
	// Progress is told how many of the relationships to delete are gone.
	Progress func(part string, done, total int)
}

// SchemaPlanned is what ApplySchema is about to do.
type SchemaPlanned struct {
	First bool // there is no schema yet
	Same  bool // there is nothing to do
	Diff  diff.Result
}

// SchemaApplied is what ApplySchema did.
type SchemaApplied struct {
	Record  int64 // the id of its record; 0 if there was nothing to do, or it was a dry run
	Deleted int   // relationships
}

// ApplySchema makes the schema that cfg describes that of the deployment's engine. It is written down
// before and after (see [SchemaLog]). The embedded engine must not be in use by another process, save for a dry run.
//
// Errors: Conflict faults (schema_would_orphan, schema_managed, schema_changed, schema_in_use, engine_in_use);
// those of the files of cfg, of the database and of the engine.
func ApplySchema(ctx context.Context, cfg Config, opts SchemaOptions) (_ SchemaApplied, err error) {
	cfg = cfg.withDefaults()
	_, text, err := cfg.model()
	if err != nil {
		return SchemaApplied{}, err
	}
	cfg.Beside = opts.DryRun
	k, err := openKeeper(ctx, cfg)
	if err != nil {
		return SchemaApplied{}, err
	}
	defer func() { err = errors.Join(err, k.close()) }()
	if !opts.DryRun {
		if err := k.settle(ctx); err != nil {
			return SchemaApplied{}, err
		}
	}
	p, err := k.plan(ctx, text)
	if err != nil {
		return SchemaApplied{}, err
	}
	if err := opts.Show(SchemaPlanned{First: p.Before == "", Same: !p.Needed(), Diff: p.diff}); err != nil {
		return SchemaApplied{}, err
	}
	if !p.Needed() {
		return SchemaApplied{}, nil
	}
	if err := p.permitted(opts); err != nil || opts.DryRun {
		return SchemaApplied{}, err
	}
	return k.carryOut(ctx, p, "schema apply", opts)
}

// openKeeper opens the database and the engine for work on the schema alone: nothing is prepared or relayed.
func openKeeper(ctx context.Context, cfg Config) (*keeper, error) {
	db, err := store.Open(ctx, cfg.Database, cfg.store())
	if err != nil {
		return nil, err
	}
	e, _, err := openEngine(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	k := newKeeper(db, e, cfg)
	k.close = func() error { return errors.Join(e.Close(), db.Close()) }
	return k, nil
}

// DeployedSchema calls fn with the schema of the deployment's engine, and with a function that counts how many
// live relationships each removal in a difference would orphan, over all environments. A server may run meanwhile.
// Errors: a NotFound fault (schema_missing) if the engine has no schema yet; those of the database, the engine and fn.
func DeployedSchema(ctx context.Context, cfg Config, fn func(text string, count func(*diff.Result) error) error) (err error) {
	cfg = cfg.withDefaults()
	cfg.Beside = true
	e, _, err := openEngine(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	text, err := engine.Schema(ctx, e.Conn())
	if fault.HasCode(err, engine.CodeNotFound) {
		return fault.New(fault.NotFound, "schema_missing", "the engine has no schema yet: tenantry serve or tenantry schema apply writes one").Because(err)
	}
	if err != nil {
		return err
	}
	return fn(text, func(r *diff.Result) error { return countOrphans(ctx, e, r) })
}

// SchemaLog returns up to n changes of the engine's schema, the latest first, before the one
// with an id unless that is 0. One without an outcome was broken off, or is under way.
func (a *App) SchemaLog(ctx context.Context, before int64, n int) ([]store.SchemaChange, error) {
	return a.Store.SchemaChanges(ctx, before, n)
}

// permitted returns the Conflict fault that keeps a plan from being carried out.
func (p planned) permitted(opts SchemaOptions) error {
	var managed, used, orphans []diff.Change
	for _, c := range p.diff.Changes {
		own := p.managed[definitionOf(c.Subject)]
		if own && takesAway[c.Kind] {
			managed = append(managed, c)
		}
		if c.Orphans == nil || c.Orphans.Count == 0 {
			continue
		}
		if own {
			used = append(used, c)
		} else {
			orphans = append(orphans, c)
		}
	}
	switch {
	case len(managed) > 0 && !opts.RemoveManaged:
		return fault.New(fault.Conflict, CodeSchemaManaged,
			"this takes away what Tenantry itself has defined: %s. Is a file of --permissions missing? "+
				"If it is meant, run tenantry schema apply with --allow-managed-removals", listed(managed))
	case len(used) > 0:
		return fault.New(fault.Conflict, CodeSchemaWouldOrphan,
			"relationships that Tenantry keeps need what is taken away: %s. They come from the directory, and are never deleted here: "+
				"take the permissions away from the roles that have them first", listed(used))
	case len(orphans) > 0 && !opts.DeleteOrphans:
		return fault.New(fault.Conflict, CodeSchemaWouldOrphan,
			"this would orphan relationships: %s. Delete them, or have it done by tenantry schema apply with --delete-orphans", listed(orphans))
	default:
		return nil
	}
}

// listed names changes, with the relationships they would orphan; only some if there are many.
func listed(changes []diff.Change) string {
	const most = 10
	text := ""
	for i, c := range changes {
		if i == most {
			return text + fmt.Sprintf("; and %d more", len(changes)-most)
		}
		if i > 0 {
			text += "; "
		}
		text += c.Message
		if c.Orphans != nil && c.Orphans.Count > 0 {
			text += " (" + c.Orphans.String() + ")"
		}
	}
	return text
}

// operatingUser is the name of the user that this process runs as.
func operatingUser(given string) string {
	if given != "" {
		return given
	}
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return cmp.Or(u.Username, u.Uid)
}
