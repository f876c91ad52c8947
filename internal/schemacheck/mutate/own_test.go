package mutate_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/schema"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/mutate"
)

// TestMutantsOfTenantrysSchemaAreKilled holds the files in schema/validation to
// killing every mutant of our own schema but those that testdata/survivors.txt explains.
func TestMutantsOfTenantrysSchemaAreKilled(t *testing.T) {
	t.Parallel()
	_, score, err := schemacheck.Mutate(t.Context(), []string{"../../../schema/validation"}, schemacheck.MutateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(score.Mutants) < 1000 || score.Failing > 0 {
		t.Fatalf("%d mutants, %d failing assertions", len(score.Mutants), score.Failing)
	}
	t.Logf("%.1f%% of %d", score.Percent(), len(score.Mutants))
	explained := explanations(t)
	var survived []string
	for _, m := range score.With(mutate.Survived) {
		survived = append(survived, m.Relation+": "+m.String())
	}
	for _, s := range survived {
		if !slices.Contains(explained, s) {
			t.Errorf("nothing kills it, nor explains it: %s", s)
		}
	}
	for _, e := range explained {
		if !slices.Contains(survived, e) {
			t.Errorf("explained, but killed, or no mutant any more: %s", e)
		}
	}
	t.Run("SpiceDB", func(t *testing.T) { confirm(t, score) })
}

// confirm lets SpiceDB decide over a sample of the dead mutants: their killers fail there too.
func confirm(t *testing.T, score mutate.Score) {
	t.Parallel()
	const every = 25
	for fate, code := range map[mutate.Fate]string{mutate.Killed: finding.CodeAssertionFailed, mutate.Refused: finding.CodeInvalidRelationship} {
		for i, m := range score.With(fate) {
			if i%every != 0 {
				continue
			}
			codes := failures(t, m)
			refused := m.Killer.Is == "undecided" && len(codes) > 0 // SpiceDB does not answer
			if !refused && !slices.Contains(codes, code) {
				t.Errorf("%s: %s is not killed by %s: %v", m.Relation, m, m.Killer.Text, codes)
			}
		}
	}
}

// failures validates a mutant by its killer alone, and returns the codes of what is wrong.
func failures(t *testing.T, m *mutate.Mutant) []string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(m.Killer.File)
	if err != nil {
		t.Fatal(err)
	}
	relationships, _, ok := strings.Cut(string(text), "\nassertions:")
	if !ok {
		t.Fatalf("%s has no assertions", m.Killer.File)
	}
	list := map[string]string{"true": "assertTrue", "false": "assertFalse", "conditional": "assertCaveated"}[m.Killer.Was]
	document := strings.Replace(relationships, `"../tenantry.zed"`, `"mutant.zed"`, 1)
	if list != "" {
		document += "\nassertions:\n  " + list + ":\n    - '" + m.Killer.Text + "'\n"
	}
	for name, content := range map[string]string{"mutant.zed": m.Text, "mutant.yaml": document} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, err := schemacheck.Validate(t.Context(), []string{filepath.Join(dir, "mutant.yaml")}, schemacheck.Options{WithoutLints: true})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, f := range report.Findings() {
		if f.Severity == finding.Error {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// explanations returns the survivors that testdata/survivors.txt explains, for each permission of the catalogue.
func explanations(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	explained := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			explained = false
		case strings.HasPrefix(line, "#"):
			explained = true
		case !explained:
			t.Errorf("without a reason: %s", line)
		case !strings.Contains(line, "<permission>"):
			all = append(all, line)
		default:
			for _, p := range catalogue.Permissions {
				if p.Operator != "" || !strings.Contains(line, "<right>") {
					all = append(all, strings.NewReplacer("<permission>", p.Relation, "<right>", p.Operator).Replace(line))
				}
			}
		}
	}
	return all
}
