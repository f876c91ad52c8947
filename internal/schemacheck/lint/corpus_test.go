package lint_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/lint"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// corpus returns the schemas that SpiceDB tests itself with, by file name.
func corpus(t testing.TB) map[string]*zed.Schema {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/authzed/spicedb").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal/services/integrationtesting/testconfigs/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	schemas := map[string]*zed.Schema{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Schema string `yaml:"schema"`
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		s, wrong := zed.Compile(t.Context(), zed.File(finding.NewSource(filepath.Base(path), file.Schema)))
		if s == nil {
			t.Logf("%s does not compile: %v", path, wrong)
			continue
		}
		schemas[filepath.Base(path)] = s
	}
	return schemas
}

func TestStats(t *testing.T) {
	files := map[string]int{}
	total := map[string]int{}
	for name, s := range corpus(t) {
		seen := map[string]bool{}
		for _, f := range lint.Run(s, lint.Options{}) {
			total[f.Code]++
			if !seen[f.Code] {
				files[f.Code]++
			}
			seen[f.Code] = true
			t.Log(f, "\n   ", f.Context)
		}
		_ = name
	}
	t.Log(files, total, len(corpus(t)))
}
