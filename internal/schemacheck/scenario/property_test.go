package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// TestAccountsAreThoseOfTheNaiveModel: somebody may open the accounts of their
// memberships, and those below one with sub-account access, before a move and after
// it. A list with one account more or less is found wrong.
func TestAccountsAreThoseOfTheNaiveModel(t *testing.T) {
	model, err := NewModel(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	empty, err := template(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "accounts")
		parent := make([]int, n) // -1 for a root
		var text strings.Builder
		text.WriteString("roles: {bare: []}\naccounts:\n")
		for i := range n {
			parent[i] = rapid.IntRange(-1, i-1).Draw(t, "parent")
			if parent[i] < 0 {
				fmt.Fprintf(&text, "  a%d:\n", i)
			} else {
				fmt.Fprintf(&text, "  a%d: {parent: a%d}\n", i, parent[i])
			}
		}
		text.WriteString("members:\n")
		users := rapid.IntRange(1, 3).Draw(t, "users")
		access := make([]map[int]bool, users) // account to sub-account access
		for u := range users {
			access[u] = rapid.MapOfN(rapid.IntRange(0, n-1), rapid.Bool(), 1, 3).Draw(t, "memberships")
			fmt.Fprintf(&text, "  u%d:\n", u)
			for a, branch := range access[u] {
				fmt.Fprintf(&text, "    a%d: {role: bare, sub_account_access: %v}\n", a, branch)
			}
		}
		expect := func(indent string) {
			for u := range users {
				fmt.Fprintf(&text, "%s- accounts of u%d: [%s]\n", indent, u, strings.Join(naive(parent, access[u]), ", "))
			}
		}
		text.WriteString("expect:\n")
		expect("  ")
		moved, to := rapid.IntRange(0, n-1).Draw(t, "moved"), rapid.IntRange(0, n-1).Draw(t, "to")
		if !within(parent, to, moved) {
			parent[moved] = to
			fmt.Fprintf(&text, "steps:\n  - when: move a%d below a%d\n    expect:\n", moved, to)
			expect("      ")
		} else {
			fmt.Fprintf(&text, "steps:\n  - when:\n      - refused hierarchy_cycle: move a%d below a%d\n    expect:\n", moved, to)
		}
		right := text.String()
		who, which := rapid.IntRange(0, users-1).Draw(t, "who"), fmt.Sprintf("a%d", rapid.IntRange(0, n-1).Draw(t, "which"))
		wrong := naive(parent, access[who])
		if i := slices.Index(wrong, which); i >= 0 {
			wrong = slices.Delete(wrong, i, i+1)
		} else {
			wrong = append(wrong, which)
		}
		findings := ran(t, model, empty, right+fmt.Sprintf("      - accounts of u%d: [%s]\n", who, strings.Join(wrong, ", ")))
		if len(findings) != 1 || findings[0].Code != finding.CodeExpectationFailed || findings[0].Line != strings.Count(right, "\n")+1 {
			t.Fatalf("%v\n%s", findings, right)
		}
	})
}

func ran(t *rapid.T, model *Model, empty, text string) []finding.Finding {
	path := filepath.Join(filepath.Dir(empty), "scenario.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := runFile(t.Context(), schemacheck.Files([]string{path}, files())[0], model, empty, filepath.Join(filepath.Dir(empty), "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	return result.Findings
}

// within reports whether an account is another, or below it.
func within(parent []int, a, top int) bool {
	for ; a >= 0; a = parent[a] {
		if a == top {
			return true
		}
	}
	return false
}

func naive(parent []int, access map[int]bool) []string {
	var all []string
	for a := range parent {
		for at, branch := range access {
			if a == at || branch && within(parent, a, at) {
				all = append(all, fmt.Sprintf("a%d", a))
				break
			}
		}
	}
	return all
}
