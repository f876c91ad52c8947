package engine

import (
	"context"
	"slices"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/fault"
)

// SchemaMode says what ApplySchema does about a schema that differs.
type SchemaMode int

// The modes of ApplySchema.
const (
	Refuse SchemaMode = iota // leave it and report a fault
	Extend                   // replace it if the new one takes nothing away, otherwise refuse
	Apply                    // replace it
)

// SchemaChange is what ApplySchema did.
type SchemaChange struct {
	// Written reports whether the schema was written: there was none, or it differed.
	Written bool
	// Differences are what changed in a schema that was there, sorted, each as "adds …",
	// "removes …" or "changes …".
	Differences []string
}

// SchemaPlan is what it takes to make a text the schema of SpiceDB.
type SchemaPlan struct {
	Before string // the schema that is there, as SpiceDB has it; "" if there is none
	After  string // the text
	// Differences are those of SchemaChange; none if there is no schema yet.
	Differences []string
}

// Needed reports whether anything has to be written.
func (p SchemaPlan) Needed() bool { return p.Before == "" || len(p.Differences) > 0 }

// Permitted returns a Conflict fault (schema_differs) if a mode refuses the plan.
func (p SchemaPlan) Permitted(mode SchemaMode) error {
	if !p.Needed() || p.Before == "" || mode == Apply || mode == Extend && !slices.ContainsFunc(p.Differences, takesAway) {
		return nil
	}
	return p.Differs()
}

// Differs is the Conflict fault (schema_differs) that says how the schemas differ and what to do.
func (p SchemaPlan) Differs() error { return differs(p.Differences) }

// PlanSchema compares a text with the schema of SpiceDB; comments and order make no difference.
//
// Errors are Invalid faults (invalid_schema) for a text that is empty or, if there is a
// schema to compare it with, does not compile; otherwise as of [Fault].
func PlanSchema(ctx context.Context, conn grpc.ClientConnInterface, text string) (SchemaPlan, error) {
	if strings.TrimSpace(text) == "" { // SpiceDB would take it, and drop every definition
		return SchemaPlan{}, fault.New(fault.Invalid, CodeInvalidSchema, "the schema is empty")
	}
	before, err := schemaOrNone(ctx, conn)
	if err != nil || before == "" {
		return SchemaPlan{After: text}, err
	}
	answer, err := v1.NewSchemaServiceClient(conn).DiffSchema(ctx, &v1.DiffSchemaRequest{
		Consistency:      &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		ComparisonSchema: text,
	})
	if err != nil {
		return SchemaPlan{}, Fault(err)
	}
	return SchemaPlan{Before: before, After: text, Differences: describe(answer.GetDiffs())}, nil
}

// schemaOrNone returns SpiceDB's schema, "" if it has none.
func schemaOrNone(ctx context.Context, conn grpc.ClientConnInterface) (string, error) {
	answer, err := v1.NewSchemaServiceClient(conn).ReadSchema(ctx, &v1.ReadSchemaRequest{})
	if status.Code(err) == codes.NotFound {
		return "", nil
	}
	return answer.GetSchemaText(), Fault(err)
}

// Write carries the plan out, in one transaction of SpiceDB's. It looks before that whether the
// schema is still the one that the plan was made for, and after that whether it is the one planned;
// SpiceDB offers no condition on a schema, so that of two who write in the same moment one may learn
// only afterwards that the other has.
//
// Errors are Conflict faults (schema_changed, schema_in_use), Invalid faults (invalid_schema);
// otherwise as of [Fault].
func (p SchemaPlan) Write(ctx context.Context, conn grpc.ClientConnInterface) error {
	now, err := schemaOrNone(ctx, conn)
	if err != nil {
		return err
	}
	if now != p.Before {
		return fault.New(fault.Conflict, CodeSchemaChanged, "somebody else has changed the schema in SpiceDB meanwhile; nothing was written: look at the differences again")
	}
	if _, err := v1.NewSchemaServiceClient(conn).WriteSchema(ctx, &v1.WriteSchemaRequest{Schema: p.After}); err != nil {
		return Fault(err)
	}
	check, err := PlanSchema(ctx, conn, p.After)
	if err != nil {
		return err
	}
	if check.Needed() {
		return fault.New(fault.Conflict, CodeSchemaChanged, "the schema was written, and somebody else has replaced it at once: look at the differences again")
	}
	return nil
}

// ApplySchema makes text the schema of SpiceDB. If there is none, it is written; if the one
// there means the same, comments and order aside, nothing happens; if it differs, mode decides.
//
// Errors are those of [PlanSchema] and [SchemaPlan.Write], and Conflict faults with the code
// schema_differs where the mode refuses.
func ApplySchema(ctx context.Context, conn grpc.ClientConnInterface, text string, mode SchemaMode) (SchemaChange, error) {
	plan, err := PlanSchema(ctx, conn, text)
	if err != nil || !plan.Needed() {
		return SchemaChange{}, err
	}
	if err := plan.Permitted(mode); err != nil {
		return SchemaChange{}, err
	}
	if err := plan.Write(ctx, conn); err != nil {
		return SchemaChange{}, err
	}
	return SchemaChange{Written: true, Differences: plan.Differences}, nil
}

// takesAway reports whether a difference ends something that may be in use.
func takesAway(difference string) bool { return strings.HasPrefix(difference, removes) }

func differs(differences []string) error {
	const most = 10
	shown, rest := differences, ""
	if len(shown) > most {
		shown, rest = shown[:most], "; and more"
	}
	return fault.New(fault.Conflict, CodeSchemaDiffers,
		"the schema in SpiceDB is not the one given, which differs in %d places: %s%s. "+
			"Look at them with tenantry schema apply --dry-run, then replace the schema with tenantry schema apply, or by starting once with --apply-schema",
		len(differences), strings.Join(shown, "; "), rest)
}
