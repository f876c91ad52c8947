package ndjson_test

import (
	"os"
	"strings"
	"testing"
)

// TestTheDocumentedExampleCanBeRead reads the example of docs/load-format.md.
func TestTheDocumentedExampleCanBeRead(t *testing.T) {
	text, err := os.ReadFile("../../docs/load-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```json\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("there is no example")
	}
	if got := readAll(t, example); len(got) != strings.Count(example, "\n") {
		t.Errorf("%d records of %d lines", len(got), strings.Count(example, "\n"))
	}
}
