package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecurityTable holds docs/security.md: every threat has an answer, and tests that are there.
func TestSecurityTable(t *testing.T) {
	const docs = "../../docs"
	text, err := os.ReadFile(filepath.Join(docs, "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n## Threats\n")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := 0
	for line := range strings.SplitSeq(table, "\n") {
		links := link.FindAllStringSubmatch(line, -1)
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| threat ") {
			continue
		}
		rows++
		if len(links) == 0 {
			t.Errorf("no test holds: %s", line)
		}
		for _, l := range links {
			source, err := os.ReadFile(filepath.Join(docs, l[2]))
			if err != nil || !strings.Contains(string(source), "func "+l[1]+"(") {
				t.Errorf("there is no %s in %s: %v", l[1], l[2], err)
			}
		}
	}
	if !found || rows < 15 {
		t.Errorf("the table has %d rows", rows)
	}
}
