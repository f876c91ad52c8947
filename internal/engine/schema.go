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

// ApplySchema makes text the schema of SpiceDB. If there is none, it is written; if the one
// there means the same, comments and order aside, nothing happens; if it differs, mode decides.
//
// Errors are Invalid faults (invalid_schema) for a text that is empty or does not compile,
// Conflict faults with the code schema_differs where the mode refuses, and schema_in_use where
// relationships depend on what the text takes away; otherwise as of [Fault].
func ApplySchema(ctx context.Context, conn grpc.ClientConnInterface, text string, mode SchemaMode) (SchemaChange, error) {
	if strings.TrimSpace(text) == "" { // SpiceDB would take it, and drop every definition
		return SchemaChange{}, fault.New(fault.Invalid, CodeInvalidSchema, "the schema is empty")
	}
	client := v1.NewSchemaServiceClient(conn)
	_, err := client.ReadSchema(ctx, &v1.ReadSchemaRequest{})
	if status.Code(err) == codes.NotFound {
		return writeSchema(ctx, client, text, nil)
	}
	if err != nil {
		return SchemaChange{}, Fault(err)
	}
	answer, err := client.DiffSchema(ctx, &v1.DiffSchemaRequest{
		Consistency:      &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		ComparisonSchema: text,
	})
	if err != nil {
		return SchemaChange{}, Fault(err)
	}
	differences := describe(answer.GetDiffs())
	switch {
	case len(differences) == 0:
		return SchemaChange{}, nil
	case mode == Apply, mode == Extend && !slices.ContainsFunc(differences, takesAway):
		return writeSchema(ctx, client, text, differences)
	default:
		return SchemaChange{}, differs(differences)
	}
}

func writeSchema(ctx context.Context, client v1.SchemaServiceClient, text string, differences []string) (SchemaChange, error) {
	if _, err := client.WriteSchema(ctx, &v1.WriteSchemaRequest{Schema: text}); err != nil {
		return SchemaChange{}, Fault(err)
	}
	return SchemaChange{Written: true, Differences: differences}, nil
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
			"Look at the differences, then replace the schema in SpiceDB by running again with --apply-schema",
		len(differences), strings.Join(shown, "; "), rest)
}
