package lint_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/lint"
)

var example = regexp.MustCompile("(?s)(Bad|Good):\n\n```\n(.*?)```")

// Every lint has its section in docs/lints.md, and no other is there. The bad
// example has the finding, the good one has none at all.
func TestDocs(t *testing.T) {
	sections := map[string]string{}
	for part := range strings.SplitSeq("\n"+read(t, "../../../docs/lints.md"), "\n## ") {
		name, text, _ := strings.Cut(part, "\n")
		sections[strings.Trim(name, "`")] = text
	}
	var names []string
	for _, l := range lint.All() {
		names = append(names, l.Name)
		text, ok := sections[l.Anchor]
		if !ok {
			t.Errorf("docs/lints.md has no section %s", l.Anchor)
			continue
		}
		if !strings.Contains(text, l.Summary) || !strings.Contains(text, "**Why.**") || !strings.Contains(text, "**Silence it.**") {
			t.Errorf("the section %s does not say what it is (%q), why, or how to silence it", l.Name, l.Summary)
		}
		examples := example.FindAllStringSubmatch(text, -1)
		if len(examples) != 2 || examples[0][1] != "Bad" || examples[1][1] != "Good" {
			t.Errorf("the section %s has not one bad and one good example", l.Name)
			continue
		}
		bad, good := lint.Run(compile(t, l.Name+".zed", examples[0][2]), options(t, l.Name)), lint.Run(compile(t, l.Name+".zed", examples[1][2]), docOptions(t, l.Name, examples[1][2]))
		if !slices.ContainsFunc(bad, func(f finding.Finding) bool { return f.Code == l.Name }) {
			t.Errorf("the bad example of %s has only %v", l.Name, bad)
		}
		if len(good) > 0 {
			t.Errorf("the good example of %s has %v", l.Name, good)
		}
	}
	for name, text := range sections {
		if strings.Contains(text, "**Why.**") && !slices.Contains(names, name) {
			t.Errorf("docs/lints.md has a section on %s, which is no lint", name)
		}
	}
}

// docOptions are those for the good example: what is managed there is the example itself, without what it adds.
func docOptions(t *testing.T, name, text string) lint.Options {
	t.Helper()
	if name != "managed-definition" {
		return lint.Options{}
	}
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "guest") {
			kept = append(kept, line)
		}
	}
	return lint.Options{Managed: compile(t, managed, strings.Join(kept, ""))}
}
