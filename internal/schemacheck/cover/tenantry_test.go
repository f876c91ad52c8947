package cover_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/validationfile"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"

	"github.com/tenantry/tenantry/schema"

	"github.com/tenantry/tenantry/internal/schemacheck/cover"
	"github.com/tenantry/tenantry/internal/schemacheck/eval"
)

// TestTenantrysSchemaIsCovered holds the coverage of our own schema by the files in schema/validation.
func TestTenantrysSchemaIsCovered(t *testing.T) {
	t.Parallel()
	s := compile(t, "tenantry.zed", schema.Built())
	p := cover.New(s)
	paths, err := filepath.Glob("../../../schema/validation/*.yaml")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := validationfile.DecodeValidationFile(text)
		if err != nil {
			t.Fatal(err)
		}
		w := eval.New(s, file.Relationships.Relationships, time.Now())
		for _, list := range [][]blocks.Assertion{file.Assertions.AssertTrue, file.Assertions.AssertFalse, file.Assertions.AssertCaveated} {
			for _, a := range list {
				p.Add(w, a.Relationship.Resource, a.Relationship.Subject, a.CaveatContext)
			}
		}
	}
	if got := p.Percent(); got < 95 {
		t.Errorf("%.1f%%", got)
		_ = p.WriteText(t.Output(), 60)
	}
}
