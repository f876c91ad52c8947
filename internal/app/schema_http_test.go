package app_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/client"
)

// TestE1_OrphansAreCountedInOnesOwnEnvironment: whoever operates an environment sees the schema, which all
// share, and what a change of it would orphan there; of other environments nothing.
func TestE1_OrphansAreCountedInOnesOwnEnvironment(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := &world{service: start(t, with(t, s.make(t), documents))}
			w.make()
			documentsOf(t, w.App, "writer", "prod", "prod2", "dev")
			documentsOf(t, w.App, "reader", "dev")
			remote, err := client.New(w.url, w.op.token)
			if err != nil {
				t.Fatal(err)
			}
			text, err := remote.Schema(t.Context())
			if err != nil || !strings.Contains(text, "relation writer: user") || !strings.Contains(text, "definition account {") {
				t.Errorf("the schema: %v\n%s", err, text)
			}
			got, err := remote.Orphans(t.Context(), []client.Removal{
				{Definition: "document", Relation: "writer"},
				{Definition: "document", Relation: "reader"},
				{Definition: "document"},
				{Definition: "document", Relation: "writer", Type: &client.SubjectType{Definition: "user"}},
				{Definition: "document", Relation: "writer", Type: &client.SubjectType{Definition: "user", Wildcard: true}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]client.Orphans{{Count: 1}, {}, {Count: 1}, {Count: 1}, {}}, got); diff != "" {
				t.Errorf("orphans (-want +got):\n%s", diff)
			}
			for _, bad := range []obj{
				{"removals": []obj{}},
				{"removals": []obj{{"relation": "writer"}}},
				{"removals": []obj{{"definition": "document", "relation": "gone"}}},
				{"removals": []obj{{"definition": "gone"}}},
				{"removals": []obj{{"definition": "docu ment"}}},
				{"removals": []obj{{"definition": "document", "relation": "writer", "type": obj{"definition": "a:b#c"}}}},
			} {
				if a := w.op.do("POST", "/v1/schema/orphans", bad); a.status < 400 || a.status >= 500 || a.code() == "" {
					t.Errorf("%v: %d %s", bad, a.status, a.raw)
				}
			}
		})
	}
}
