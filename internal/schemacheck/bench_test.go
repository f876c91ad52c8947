package schemacheck_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
	"github.com/tenantry/tenantry/schema"
)

// manyPermissions is Tenantry's catalogue with permissions of an application, count in all.
func manyPermissions(tb testing.TB, count int) *schema.Catalogue {
	tb.Helper()
	own, err := schema.Default()
	if err != nil {
		tb.Fatal(err)
	}
	if count <= len(own.Permissions) {
		return own
	}
	var file strings.Builder
	file.WriteString("permissions:\n")
	for i := range count - len(own.Permissions) {
		fmt.Fprintf(&file, "  - {key: app.do.%03d, relation: do_%03d_it, operator: view_backoffice, description: Do it.}\n", i, i)
	}
	c, err := schema.Parse(schema.Source{Name: "app.yaml", Text: []byte(file.String())})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// writeMany writes a schema of that many permissions, and a validation file that
// asserts each of them allowed and denied, three levels down. It returns the latter's path.
func writeMany(tb testing.TB, permissions int) string {
	tb.Helper()
	dir, catalogue := tb.TempDir(), manyPermissions(tb, permissions)
	text, err := schemacheck.Build(catalogue)
	if err != nil {
		tb.Fatal(err)
	}
	var file, denied strings.Builder
	file.WriteString("schemaFile: schema.zed\nrelationships: |-\n" +
		"  account:p/north#parent@account:p/globex\n  account:p/acme#parent@account:p/north\n" +
		"  account:p/globex#assignment@assignment:p/globex/admin\n  assignment:p/globex/admin#role@role:p/admin\n" +
		"  assignment:p/globex/admin#member@user:p/bob\n  assignment:p/globex/admin#branch_member@user:p/ada\n")
	for _, p := range catalogue.Permissions {
		fmt.Fprintf(&file, "  role:p/admin#%s@user:*\n", p.Relation)
	}
	file.WriteString("assertions:\n  assertTrue:\n")
	denied.WriteString("  assertFalse:\n")
	for _, p := range catalogue.Permissions {
		fmt.Fprintf(&file, "    - account:p/acme#%s@user:p/ada\n", p.Relation)
		fmt.Fprintf(&denied, "    - account:p/acme#%s@user:p/bob\n", p.Relation)
	}
	path := filepath.Join(dir, "many.yaml")
	for name, content := range map[string]string{path: file.String() + denied.String(), filepath.Join(dir, "schema.zed"): text} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return path
}

// A schema of 300 permissions is built, compiled and validated like a small one.
func TestManyPermissions(t *testing.T) {
	report := validate(t, writeMany(t, 300))
	if report.Failed() || report.Assertions() != 600 {
		t.Error(text(t, report))
	}
}

// What schemas cost by their size: Tenantry's own, and one of 300 permissions (1,200 in
// its definitions, as each is there for the account, its branch and its members, and for assignments).
func BenchmarkSchema(b *testing.B) {
	for _, count := range []int{1, 300} { // 1: none besides Tenantry's own
		catalogue := manyPermissions(b, count)
		name := fmt.Sprint(len(catalogue.Permissions))
		built, err := schemacheck.Build(catalogue)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("build/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := schemacheck.Build(catalogue); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("compile/"+name, func(b *testing.B) {
			src := finding.NewSource("schema.zed", built)
			for b.Loop() {
				if _, findings := zed.Compile(b.Context(), zed.File(src)); len(findings) > 0 {
					b.Fatal(findings)
				}
			}
		})
		path := writeMany(b, count)
		b.Run("validate/"+name, func(b *testing.B) {
			for b.Loop() {
				report, err := schemacheck.Validate(b.Context(), []string{path}, schemacheck.Options{})
				if err != nil || report.Failed() {
					b.Fatal(err, report.Findings())
				}
			}
			b.ReportMetric(float64(2*len(catalogue.Permissions)), "assertions/op")
		})
	}
	b.Run("validate/all of Tenantry's files", func(b *testing.B) {
		for b.Loop() {
			report, err := schemacheck.Validate(b.Context(), []string{"../../schema/validation"}, schemacheck.Options{})
			if err != nil || report.Failed() {
				b.Fatal(err, report.Findings())
			}
		}
	})
}
