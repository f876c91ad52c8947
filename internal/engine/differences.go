package engine

import (
	"context"
	"slices"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
)

// Differences returns how SpiceDB's schema differs from text in the definitions
// named, sorted and in words as SchemaChange has them; none if these mean the same.
// Errors are those of [Fault].
func Differences(ctx context.Context, conn grpc.ClientConnInterface, text string, definitions ...string) ([]string, error) {
	answer, err := v1.NewSchemaServiceClient(conn).DiffSchema(ctx, &v1.DiffSchemaRequest{
		Consistency:      &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		ComparisonSchema: text,
	})
	if err != nil {
		return nil, Fault(err)
	}
	return slices.DeleteFunc(describe(answer.GetDiffs()), func(difference string) bool {
		return !isAbout(difference, definitions)
	}), nil
}

// Schema returns SpiceDB's schema as text. Errors are those of [Fault].
func Schema(ctx context.Context, conn grpc.ClientConnInterface) (string, error) {
	answer, err := v1.NewSchemaServiceClient(conn).ReadSchema(ctx, &v1.ReadSchemaRequest{})
	if err != nil {
		return "", Fault(err)
	}
	return answer.GetSchemaText(), nil
}

// isAbout reports whether a difference is in one of some definitions, or nobody can tell in which.
func isAbout(difference string, definitions []string) bool {
	if strings.Contains(difference, "caveat ") || strings.Contains(difference, "parameter ") {
		return false // a caveat changes a definition where a relation allows it, which is a difference of its own
	}
	place, _, _ := strings.Cut(difference, ": ") // what follows is a type of subject
	words := strings.Fields(place)
	definition, _, inside := strings.Cut(words[len(words)-1], "#")
	if !inside && !strings.Contains(place, "definition ") {
		return true
	}
	return slices.Contains(definitions, definition)
}
