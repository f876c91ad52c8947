package lint_test

import (
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/lint"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

var word = regexp.MustCompile(`[a-z_/0-9]{3,}|->|[+&|-]`)

// Schemas in which one word was put in the place of another are odd, and some
// compile: no lint may panic at them, or find that one differs from itself.
func TestRunOnMutants(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) // the same mutants every time
	schemas, compiled := corpus(t), 0
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		text := schemas[name].Text.Schema
		places := word.FindAllStringIndex(text, -1)
		for range 12 {
			to, from := places[random.IntN(len(places))], places[random.IntN(len(places))]
			src := finding.NewSource(name, text[:to[0]]+text[from[0]:from[1]]+text[to[1]:])
			s, _ := zed.Compile(t.Context(), zed.File(src))
			if s == nil {
				continue
			}
			compiled++
			for _, f := range lint.Run(s, lint.Options{Managed: s}) {
				if f.Code == "managed-definition" || f.Line < 1 {
					t.Errorf("%v in:\n%s", f, src.Text)
				}
			}
		}
	}
	if compiled < 100 {
		t.Errorf("only %d mutants compiled", compiled)
	}
}
