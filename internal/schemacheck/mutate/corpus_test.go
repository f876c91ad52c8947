package mutate_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/mutate"
)

// TestCorpus makes the mutants of every schema that SpiceDB tests itself with, caveats and all, and
// holds that an added type changes no answer: it is right not to count it.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/authzed/spicedb").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal/services/integrationtesting/testconfigs/*.yaml"))
	if err != nil || len(files) < 70 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	_, score, err := schemacheck.Mutate(t.Context(), files, schemacheck.MutateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[mutate.Kind]int{}
	for _, m := range score.Mutants {
		kinds[m.Kind]++
		if (m.Kind == mutate.TypeAdded) != (m.Fate == mutate.Unnoticeable) {
			t.Errorf("%s: %s: %s is %s", m.At.Source.Path, m.Relation, m, m.Fate)
		}
	}
	if len(kinds) != 9 || len(score.With(mutate.Killed)) < 500 {
		t.Errorf("%v, %d killed", kinds, len(score.With(mutate.Killed)))
	}
	t.Logf("%v: %v", kinds, score.Notes())
}
