package app_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rulesOf are the numbers of the rules, by their letter (docs/rules.md).
var rulesOf = map[string]int{"E": 4, "A": 7, "U": 6, "S": 5, "I": 1, "W": 2, "C": 2, "L": 1}

var (
	ruleRow   = regexp.MustCompile(`^\| ([EAUSIWCL]\d+) \|`)
	link      = regexp.MustCompile(`\[([^\]]+)\]\(([^)#]+)\)`)
	operation = regexp.MustCompile("`(GET|POST|PUT|PATCH|DELETE) (/[^` ?]*)[^`]*`")
)

// TestRulesTable holds docs/rules.md: every rule has a row, each with at least one
// request that the API has and one test that is there and named after the rule, or a scenario.
func TestRulesTable(t *testing.T) {
	const docs = "../../docs"
	text, err := os.ReadFile(filepath.Join(docs, "rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	served := operations(t)
	rows := map[string]int{}
	for line := range strings.SplitSeq(string(text), "\n") {
		m := ruleRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		rows[m[1]]++
		requests := operation.FindAllStringSubmatch(line, -1)
		if len(requests) == 0 {
			t.Errorf("%s: the row names no request", m[1])
		}
		for _, r := range requests {
			if !slices.Contains(served, r[1]+" "+r[2]) {
				t.Errorf("%s: the API has no %s %s", m[1], r[1], r[2])
			}
		}
		held := 0
		for _, l := range link.FindAllStringSubmatch(line, -1) {
			name, path := l[1], filepath.Join(docs, l[2])
			source, err := os.ReadFile(path)
			switch {
			case err != nil:
				t.Errorf("%s: %v", m[1], err)
			case strings.HasSuffix(path, ".go") && !strings.Contains(string(source), "func "+name+"("):
				t.Errorf("%s: there is no %s in %s", m[1], name, path)
			case strings.HasPrefix(name, "Test"+m[1]+"_"), strings.HasSuffix(path, ".txtar"), strings.HasSuffix(path, ".yaml"):
				held++
			}
		}
		if held == 0 {
			t.Errorf("%s: no test is named after the rule", m[1])
		}
	}
	for letter, last := range rulesOf {
		for n := 1; n <= last; n++ {
			if rule := letter + string(rune('0'+n)); rows[rule] != 1 {
				t.Errorf("%s has %d rows", rule, rows[rule])
			}
		}
	}
	everyRuleTestIsNamed(t, string(text))
}

// everyRuleTestIsNamed sees that no test named after a rule is missing in the table.
func everyRuleTestIsNamed(t *testing.T, table string) {
	t.Helper()
	named := regexp.MustCompile(`(?m)^func (Test[EAUSIWCL]\d_\w+)\(`)
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range named.FindAllStringSubmatch(string(source), -1) {
			if !strings.Contains(table, "["+m[1]+"]") {
				t.Errorf("%s in %s is not in docs/rules.md", m[1], path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
