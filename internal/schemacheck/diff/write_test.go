package diff_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

const (
	oldText = `caveat named(name string) {
	name == "a|b` + "`" + `c"
}
definition user {}
definition document {
	relation reader: user
	relation writer: user with named
	permission view = reader + writer
}
`
	newText = `caveat named(name string) {
	name == "<img>@team"
}
definition user {}
definition document {
	relation writer: user with named
	permission view = writer
}
`
)

func sample(t *testing.T) diff.Result {
	t.Helper()
	r := diff.Compare(parsed(t, "old|x.zed", oldText), parsed(t, "new.zed", newText))
	for i, c := range r.Changes {
		if c.Removal != nil {
			r.Changes[i].Orphans = &diff.Orphans{Count: 10000, More: true}
		}
	}
	return r
}

func TestWriteText(t *testing.T) {
	var got strings.Builder
	if err := diff.WriteText(&got, sample(t)); err != nil {
		t.Fatal(err)
	}
	want := `breaking  relation document#reader is gone, with what it granted (more than 10000 live relationships would be orphaned)
          old|x.zed:6:2 (before)
breaking  permission document#view is narrowed for some and widened for others
          - reader + writer
          + writer
          through document#reader, document#writer
          new.zed:7:20
breaking  caveat named is another condition: whether fewer subjects meet it cannot be told from the schema
          - named(name string) { name == "a|b` + "`" + `c" }
          + named(name string) { name == "<img>@team" }
          new.zed:1:1
3 changes, 3 breaking
`
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWriteMarkdown_PassesNothingOn(t *testing.T) {
	var got strings.Builder
	if err := diff.WriteMarkdown(&got, sample(t)); err != nil {
		t.Fatal(err)
	}
	want := `### Schema: 3 changes, 3 breaking

| | Change | Where | Relationships orphaned |
| --- | --- | --- | --- |
| **breaking** | relation document\#reader is gone, with what it granted | old\|x.zed:6:2 (before) | more than 10000 |
| **breaking** | permission document\#view is narrowed for some and widened for others (document\#reader, document\#writer) | new.zed:7:20 |  |
| **breaking** | caveat named is another condition: whether fewer subjects meet it cannot be told from the schema | new.zed:1:1 |  |

document\#view

` + "```diff" + `
- reader + writer
+ writer
` + "```" + `

named

` + "```diff" + `
- named(name string) { name == "a|b` + "`" + `c" }
+ named(name string) { name == "<img>@team" }
` + "```" + `
`
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWriteMarkdown_FenceIsLongerThanWhatItHolds(t *testing.T) {
	r := diff.Result{Changes: []diff.Change{{Subject: "x", Before: "```\n# heading", After: "b"}}}
	var got strings.Builder
	if err := diff.WriteMarkdown(&got, r); err != nil {
		t.Fatal(err)
	}
	if want := "````diff\n- ``` # heading\n+ b\n````\n"; !strings.HasSuffix(got.String(), want) {
		t.Errorf("got\n%s", got.String())
	}
}

func TestWriteJSON(t *testing.T) {
	for name, r := range map[string]diff.Result{"changes": sample(t), "none": {}} {
		var text strings.Builder
		if err := diff.WriteJSON(&text, r); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Breaking *int          `json:"breaking"`
			Changes  []diff.Change `json:"changes"`
		}
		if err := json.Unmarshal([]byte(text.String()), &got); err != nil {
			t.Fatal(err)
		}
		if got.Breaking == nil || *got.Breaking != r.Breaking() || got.Changes == nil || len(got.Changes) != len(r.Changes) {
			t.Errorf("%s: %s", name, text.String())
		}
		for i, c := range r.Changes {
			c.Removal = nil
			if len(c.Through) == 0 {
				c.Through = nil
			}
			if d := cmp.Diff(c, got.Changes[i]); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("s.zed", "definition user {}\ndefinition other {}\n")
	for path, definitions := range map[string]int{
		write("a.zed", "definition user {}"):                                       1,
		write("named.yaml", "schemaFile: s.zed\nrelationships: ''\n"):              2,
		write("block.yml", "schema: |-\n    definition user {}\nassertions: {}\n"): 1,
	} {
		s, findings := diff.Load(t.Context(), path)
		if len(findings) > 0 || len(s.Definitions) != definitions {
			t.Errorf("%s: %v", path, findings)
		}
	}
	for path, want := range map[string]finding.Finding{
		filepath.Join(dir, "none.zed"): {Code: finding.CodeUnreadableFile},
		write("bad.zed", "definition user {}\ndefinition other {\n\trelation x: nobody\n}"): {Code: finding.CodeInvalidSchema, Line: 3},
		write("bad.yaml", "schema: |-\n  definition user {}\n  definition {}\n"):            {Code: finding.CodeInvalidSchema, Line: 3, Column: 14},
		write("empty.yaml", "relationships: ''\n"):                                          {Code: finding.CodeMissingSchema},
		write("no.yaml", "schema: [\n"):                                                     {Code: finding.CodeInvalidYAML},
	} {
		_, findings := diff.Load(t.Context(), path)
		if len(findings) == 0 || findings[0].Code != want.Code || findings[0].File != path ||
			want.Line != 0 && findings[0].Line != want.Line || want.Column != 0 && findings[0].Column != want.Column {
			t.Errorf("%s: %v", path, findings)
		}
	}
}
