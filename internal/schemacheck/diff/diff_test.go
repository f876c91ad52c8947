package diff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
	"github.com/tenantry/tenantry/schema"
)

// base is the schema that the cases change.
const base = `use expiration
caveat soon(left int) {
	left < 5
}
definition user {}
definition group {
	relation direct: user
	relation guest: user
	permission members = direct + guest
}
definition folder {
	relation owner: user
	permission view = owner
}
definition document {
	relation parent: folder
	relation reader: user | group#members
	relation writer: user
	relation banned: user
	relation timed: user with soon
	permission edit = writer
	permission view = (reader + edit + parent->view) - banned
	permission late = timed
}
`

func parsed(t testing.TB, name, text string) *zed.Schema {
	t.Helper()
	s, findings := diff.Parse(t.Context(), name, text)
	if len(findings) > 0 {
		t.Fatalf("%v in\n%s", findings, text)
	}
	return s
}

// told is a result in short: + for breaking, ~ for indirect, kind and subject.
func told(r diff.Result) []string {
	out := []string{}
	for _, c := range r.Changes {
		s := string(c.Kind) + " " + c.Subject
		if c.Indirect {
			s = "through: " + s
		}
		if c.Breaking {
			s = "breaking: " + s
		}
		out = append(out, s)
	}
	return out
}

func TestCompare_TellsEveryKindOfChange(t *testing.T) {
	const (
		view  = "(reader + edit + parent->view) - banned"
		timed = "relation timed: user with soon"
	)
	cases := []struct {
		name, old, now string
		want           []string
	}{
		{"comments and order", "definition user {}\n", "// who\n", []string{}},
		{"a definition more", "definition user {}", "definition user {}\ndefinition team {}", []string{"definition_added team"}},
		{"a permission more", "permission edit = writer", "permission edit = writer\npermission xxx = edit", []string{"permission_added document#xxx"}},
		{"a relation more", "relation parent: folder", "relation parent: folder\nrelation xxx: user", []string{"relation_added document#xxx"}},
		{"a type more", "relation writer: user", "relation writer: user | user:*", []string{
			"subject_type_added document#writer", "through: permission_widened document#edit", "through: permission_widened document#view",
		}},
		{"a type fewer", "user | group#members", "user", []string{
			"breaking: subject_type_removed document#reader", "breaking: through: permission_narrowed document#view",
		}},
		{"a caveat on a type", "relation writer: user", "relation writer: user with soon", []string{
			"breaking: subject_type_conditions document#writer", "breaking: through: permission_narrowed document#edit", "breaking: through: permission_narrowed document#view",
		}},
		{"an expiration on a type", "relation banned: user", "relation banned: user with expiration", []string{
			"breaking: subject_type_conditions document#banned", "through: permission_widened document#view",
		}},
		{"a branch more", view, "(reader + edit + parent->view + writer + parent->owner) - banned", []string{"permission_widened document#view"}},
		{"a branch fewer", view, "(reader + parent->view) - banned", []string{"breaking: permission_narrowed document#view"}},
		{"an exclusion fewer", view, "reader + edit + parent->view", []string{"permission_widened document#view"}},
		{"one for another", "permission edit = writer", "permission edit = reader", []string{"breaking: permission_changed document#edit", "breaking: through: permission_narrowed document#view"}},
		{"the same, distributed", view, "(reader - banned) + (edit - banned) + (parent->view - banned)", []string{"permission_rewritten document#view"}},
		{"the same, absorbed", "permission edit = writer", "permission edit = writer + (writer & reader)", []string{"permission_rewritten document#edit"}},
		{"behind an arrow", "permission view = owner\n", "permission view = nil\n", []string{
			"breaking: permission_narrowed folder#view", "breaking: through: permission_narrowed document#view",
		}},
		{"behind a set of subjects", "permission members = direct + guest", "permission members = direct", []string{
			"breaking: permission_narrowed group#members", "breaking: through: relation_narrowed document#reader", "breaking: through: permission_narrowed document#view",
		}},
		{"a relation turned", timed, "permission timed = writer", []string{
			"breaking: relation_to_permission document#timed", "breaking: through: permission_changed document#late",
		}},
		{"a caveat more", "definition user {}", "caveat xxx(aaa int) {\naaa == 1\n}\ndefinition user {}", []string{"caveat_added xxx"}},
		{"a caveat's condition", "left < 5", "left < 6", []string{"breaking: caveat_changed soon", "breaking: through: permission_changed document#late"}},
		{"a caveat's parameter", "left int", "left int, more int", []string{"breaking: caveat_changed soon", "breaking: through: permission_changed document#late"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if strings.Count(base, tc.old) < 1 {
				t.Fatalf("the base has no %q", tc.old)
			}
			now := strings.Replace(base, tc.old, tc.now, 1)
			if tc.name == "comments and order" {
				now = strings.Replace(base, tc.old, "", 1) + tc.now + tc.old
			}
			a, b := parsed(t, "a.zed", base), parsed(t, "b.zed", now)
			if d := cmp.Diff(tc.want, told(diff.Compare(a, b))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			for _, s := range []*zed.Schema{a, b} {
				if got := told(diff.Compare(s, s)); len(got) > 0 {
					t.Errorf("a schema differs from itself: %v", got)
				}
			}
			if same := diff.Digest(a) == diff.Digest(b); same != (len(tc.want) == 0) {
				t.Errorf("the digests are the same: %t", same)
			}
		})
	}
}

// TestCompare_Removals: what was there is gone, and with what relationships.
func TestCompare_Removals(t *testing.T) {
	now := `caveat late(left int) { left < 5 }
definition user {}
definition document {
	relation reader: user
	relation late: user
	permission edit = reader
}`
	r := diff.Compare(parsed(t, "a.zed", base), parsed(t, "b.zed", now))
	want := []string{
		"breaking: relation_removed document#banned", "breaking: permission_changed document#edit", "breaking: permission_to_relation document#late",
		"breaking: relation_removed document#parent", "breaking: subject_type_removed document#reader", "breaking: relation_removed document#timed",
		"breaking: permission_removed document#view", "breaking: relation_removed document#writer",
		"breaking: definition_removed folder", "breaking: definition_removed group", "breaking: caveat_removed soon", "caveat_added late",
	}
	if d := cmp.Diff(want, told(r)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	removed := []string{}
	for _, c := range r.Changes {
		if c.Removal == nil {
			continue
		}
		s := c.Removal.Definition + "#" + c.Removal.Relation
		if c.Removal.Type != nil {
			s += "@" + c.Removal.Type.String()
		}
		removed = append(removed, s)
		if !c.Place.Old || c.Place.File != "a.zed" || c.Place.Line == 0 {
			t.Errorf("%s is at %v", c.Subject, c.Place)
		}
	}
	wantRemoved := []string{
		"document#banned", "document#parent", "document#reader@group#members", "document#timed", "document#writer", "folder#", "group#",
	}
	if d := cmp.Diff(wantRemoved, removed); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestCompare_NamesWhatItIsThrough: the way from what changed to what it reaches can be followed.
func TestCompare_NamesWhatItIsThrough(t *testing.T) {
	now := strings.Replace(base, "permission members = direct + guest", "permission members = direct", 1)
	got := map[string][]string{}
	for _, c := range diff.Compare(parsed(t, "a", base), parsed(t, "b", now)).Changes {
		got[c.Subject] = c.Through
	}
	want := map[string][]string{"group#members": {}, "document#reader": {"group#members"}, "document#view": {"document#reader"}}
	for k, v := range want {
		if len(v) != len(got[k]) || !cmp.Equal(v, append([]string{}, got[k]...)) {
			t.Errorf("%s: through %v, want %v", k, got[k], v)
		}
	}
}

// TestCompare_ManyLeaves: a branch more is seen for what it is however many there
// are, and what cannot be told is breaking and says so.
func TestCompare_ManyLeaves(t *testing.T) {
	text := func(expression string) string {
		var s strings.Builder
		s.WriteString("definition user {}\ndefinition document {\n")
		for i := range 40 {
			fmt.Fprintf(&s, "relation rel%d: user\n", i)
		}
		return s.String() + "permission may = " + expression + "\n}"
	}
	all := make([]string, 40)
	for i := range all {
		all[i] = fmt.Sprintf("rel%d", i)
	}
	union := strings.Join(all, " + ")
	if got := told(diff.Compare(parsed(t, "a", text(strings.Join(all[1:], " + "))), parsed(t, "b", text(union)))); !cmp.Equal(got, []string{"permission_widened document#may"}) {
		t.Errorf("a branch more: %v", got)
	}
	each := "(" + strings.Join(all[1:], " - rel0) + (") + " - rel0)"
	r := diff.Compare(parsed(t, "a", text("("+strings.Join(all[1:], " + ")+") - rel0")), parsed(t, "b", text(each)))
	if got := told(r); !cmp.Equal(got, []string{"breaking: permission_narrowed document#may"}) {
		t.Fatalf("too many: %v", got)
	}
	if !strings.Contains(r.Changes[0].Message, "too large to tell") {
		t.Errorf("it does not say that it is unsure: %s", r.Changes[0].Message)
	}
}

func TestCompare_CoreWithItself(t *testing.T) {
	core, findings := diff.Load(t.Context(), diff.Core)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	if got := told(diff.Compare(core, parsed(t, "again", schema.Built()))); len(got) > 0 {
		t.Errorf("the core differs from itself: %v", got)
	}
	less := strings.Replace(schema.Built(), "permission view_backoffice = admin + ", "permission view_backoffice = ", 1)
	r := diff.Compare(core, parsed(t, "less", less))
	if len(r.Changes) == 0 || r.Changes[0].Subject != "environment#view_backoffice" || r.Changes[0].Kind != diff.PermissionNarrowed {
		t.Errorf("%v", told(r))
	}
}
