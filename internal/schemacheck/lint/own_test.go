package lint_test

import (
	"path/filepath"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/lint"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
	"github.com/tenantry/tenantry/schema"
)

// Tenantry's own schema has no finding that is not excused, with a reason, where it is.
func TestOwnSchemaIsClean(t *testing.T) {
	s := compile(t, "tenantry.zed", schema.Built())
	for _, f := range lint.Run(s, lint.Options{Managed: s}) {
		t.Error(f)
	}
}

// compile compiles a schema that must be one.
func compile(t testing.TB, name, text string) *zed.Schema {
	t.Helper()
	s, wrong := zed.Compile(t.Context(), zed.File(finding.NewSource(filepath.Base(name), text)))
	if s == nil {
		t.Fatalf("%s does not compile: %v", name, wrong)
	}
	return s
}
