package cover_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/cover"
)

// TestExampleOfTheManual holds the table in docs/coverage.md.
func TestExampleOfTheManual(t *testing.T) {
	t.Parallel()
	s := compile(t, "x.zed", "definition user {}\ndefinition document {\n\trelation reader: user\n\trelation banned: user\n\tpermission view = reader - banned\n}\n")
	p := cover.New(s)
	ask(t, p, s, []string{"document:a#reader@user:ann"}, "document:a#view@user:ann", "document:a#view@user:bob")
	var got []string
	for _, i := range p.Items() {
		got = append(got, fmt.Sprintf("%s%s %d %d %s", i.Relation, i.Text, i.Allowed, i.Denied, i.Missing()))
	}
	want := []string{"reader 1 1 ", "banned 0 2 never allowed", "view 1 1 ", "viewreader 1 1 ", "viewbanned 0 2 never allowed"}
	if diff := cmp.Diff(want, got); diff != "" || p.Percent() != 80 {
		t.Error(p.Percent(), diff)
	}
}
