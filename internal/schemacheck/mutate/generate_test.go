package mutate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/mutate"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

func compile(t *testing.T, text string) *zed.Schema {
	t.Helper()
	s, findings := zed.Compile(t.Context(), zed.File(finding.NewSource("test.zed", text)))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return s
}

// TestGenerate holds what faults each part of a schema may have, in their order.
func TestGenerate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schema, of string // relation or permission
		want       []string
	}{
		"union": {"definition user {}\ndefinition doc {\nrelation aaa: user\nrelation bbb: user\npermission see = aaa + bbb\n}", "doc#see", []string{
			"5:18 operator swapped: `aaa + bbb` became `aaa & bbb`",
			"5:18 operator swapped: `aaa + bbb` became `aaa - bbb`",
			"5:18 operator swapped: `aaa + bbb` became `bbb - aaa`",
			"5:18 branch dropped: `aaa + bbb` became `bbb`",
			"5:24 branch dropped: `aaa + bbb` became `aaa`",
		}},
		"union of three": {"definition user {}\ndefinition doc {\nrelation aaa: user\nrelation bbb: user\nrelation ccc: user\npermission see = aaa + bbb + ccc\n}", "doc#see", []string{
			"6:18 operator swapped: `aaa + bbb + ccc` became `aaa & bbb & ccc`",
			"6:18 operator swapped: `aaa + bbb + ccc` became `(aaa + bbb) - ccc`",
			"6:18 operator swapped: `aaa + bbb + ccc` became `(aaa + bbb) & ccc`",
			"6:18 operator swapped: `aaa + bbb + ccc` became `(aaa + ccc) - bbb`",
			"6:18 operator swapped: `aaa + bbb + ccc` became `(aaa + ccc) & bbb`",
			"6:18 operator swapped: `aaa + bbb + ccc` became `(bbb + ccc) - aaa`",
			"6:18 operator swapped: `aaa + bbb + ccc` became `(bbb + ccc) & aaa`",
			"6:18 branch dropped: `aaa + bbb + ccc` became `bbb + ccc`",
			"6:24 branch dropped: `aaa + bbb + ccc` became `aaa + ccc`",
			"6:30 branch dropped: `aaa + bbb + ccc` became `aaa + bbb`",
		}},
		"exclusion": {"definition user {}\ndefinition doc {\nrelation aaa: user\nrelation bbb: user\npermission see = aaa - bbb\n}", "doc#see", []string{
			"5:18 operator swapped: `aaa - bbb` became `aaa + bbb`",
			"5:18 operator swapped: `aaa - bbb` became `aaa & bbb`",
			"5:18 operator swapped: `aaa - bbb` became `bbb - aaa`",
			"5:24 branch dropped: `aaa - bbb` became `aaa`",
			"5:18 branch dropped: `aaa - bbb` became `nil`",
		}},
		"reference, the nearest four": {
			"definition user {}\ndefinition doc {\nrelation read: user\nrelation write: user\nrelation dead: user\nrelation bead: user\nrelation reads: user\nrelation something_else: user\npermission see = read\n}", "doc#see",
			[]string{
				"9:18 reference replaced: `read` became `dead`",
				"9:18 reference replaced: `read` became `bead`",
				"9:18 reference replaced: `read` became `reads`",
				"9:18 reference replaced: `read` became `write`",
				"9:18 branch dropped: `read` became `nil`",
			},
		},
		"arrow": {"definition user {}\ndefinition dir {\nrelation view: user\nrelation edit: user\n}\ndefinition doc {\nrelation dir: dir\nrelation old_dir: dir\nrelation who: user\npermission see = dir->view\n}", "doc#see", []string{
			"10:18 arrow redirected: `dir->view` became `old_dir->view`",
			"10:18 arrow redirected: `dir->view` became `dir->edit`",
			"10:18 any and all: `dir->view` became `dir.all(view)`",
			"10:18 branch dropped: `dir->view` became `nil`",
		}},
		"types": {"use expiration\ncaveat near(km int) { km < 5 }\ndefinition user {}\ndefinition bot {}\ndefinition doc {\nrelation who: user with near | bot with expiration | bot\n}", "doc#who", []string{
			"6:1 relation dropped: `relation who: user with near | bot with expiration | bot` dropped",
			"6:15 type dropped: `user with near` dropped",
			"6:15 trait dropped: `user with near` became `user`",
			"6:32 type dropped: `bot with expiration` dropped",
			"6:54 type dropped: `bot` dropped",
			"6:1 type added: `user with near | bot with expiration | bot` became `user with near | bot with expiration | bot | user:*`",
			"6:1 type added: `user with near | bot with expiration | bot` became `user with near | bot with expiration | bot | user`",
			"6:1 type added: `user with near | bot with expiration | bot` became `user with near | bot with expiration | bot | bot:*`",
			"6:1 type added: `user with near | bot with expiration | bot` became `user with near | bot with expiration | bot | doc`",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mutants, err := mutate.Generate(t.Context(), compile(t, c.schema))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range mutants {
				references := m.Kind == mutate.ReferenceReplaced && !strings.Contains(name, "reference")
				if m.Relation == c.of && !references {
					got = append(got, fmt.Sprintf("%d:%d %s: %s", m.At.Line, m.At.Column, m.Kind, m))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("mutants (-want +got):\n%s", diff)
			}
		})
	}
}

// A relation that is dropped takes with it what names it, and those that took nothing else.
func TestGenerate_DroppedRelation(t *testing.T) {
	t.Parallel()
	mutants, err := mutate.Generate(t.Context(), compile(t, `definition user {}
definition group {
	relation member: user
	permission everybody = member
}
definition doc {
	relation team: group#member
	relation owner: user | group#member
	relation group: group
	permission see = team + (owner & group->member) + group->everybody
}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = `definition user {
}
definition group {
	permission everybody = nil
}
definition doc {
	relation owner: user
	relation group: group
	permission see = nil + (owner & nil) + group->everybody
}
`
	for _, m := range mutants {
		if m.Kind == mutate.RelationDropped && m.Relation == "group#member" {
			if diff := cmp.Diff(want, m.Text); diff != "" {
				t.Error(diff)
			}
			compile(t, m.Text)
			return
		}
	}
	t.Error("group#member was not dropped")
}
