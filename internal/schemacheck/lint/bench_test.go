package lint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck/lint"
)

// large returns a schema of many permissions: for each of n actions a flag of a
// role, a permission of an assignment and one that goes up a tree of accounts.
func large(n int) string {
	var role, assignment, account strings.Builder
	for i := range n {
		fmt.Fprintf(&role, "\trelation act_%d: user:*\n", i)
		fmt.Fprintf(&assignment, "\tpermission act_%d = member & role->act_%[1]d\n", i)
		fmt.Fprintf(&account, "\tpermission act_%d = assignment->act_%[1]d + parent->act_%[1]d\n", i)
	}
	return "definition user {}\n\ndefinition role {\n" + role.String() + "}\n\ndefinition assignment {\n\trelation role: role\n\trelation member: user\n" +
		assignment.String() + "}\n\ndefinition account {\n\trelation parent: account\n\trelation assignment: assignment\n" + account.String() + "}\n"
}

// together returns a schema whose n permissions are all made of each other.
func together(n int) string {
	var folder strings.Builder
	for i := range n {
		fmt.Fprintf(&folder, "\tpermission act_%d = owner + parent->act_%d + parent->act_%d\n", i, (i+1)%n, (i*7+3)%n)
	}
	return "definition user {}\n\ndefinition folder {\n\trelation parent: folder\n\trelation owner: user\n" + folder.String() + "}\n"
}

func BenchmarkRun(b *testing.B) {
	for name, text := range map[string]string{"of 300 permissions": large(150), "of one recursion of 300": together(300)} {
		s := compile(b, "s.zed", text)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				lint.Run(s, lint.Options{})
			}
		})
	}
}
