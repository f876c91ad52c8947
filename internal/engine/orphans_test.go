package engine_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const typed = `use expiration
caveat soon(left int) {
	left < 5
}
definition user {}
definition team {
	relation member: user
}
definition document {
	relation reader: user | user:* | user with soon | user with expiration | user with soon and expiration | team | team#member
	relation writer: user
}`

// TestOrphans_AreThoseOfOneTypeAlone: what a removal counts is what it deletes, and nothing besides.
func TestOrphans_AreThoseOfOneTypeAlone(t *testing.T) {
	later := time.Now().Add(time.Hour)
	with := func(r *v1.Relationship, caveat string) *v1.Relationship {
		r.OptionalCaveat = &v1.ContextualizedCaveat{CaveatName: caveat}
		return r
	}
	reader := func(subject zed.Type) diff.Removal {
		return diff.Removal{Definition: "document", Relation: "reader", Type: &subject}
	}
	cases := []struct {
		name    string
		removal diff.Removal
		want    int
	}{
		{"definition", diff.Removal{Definition: "document"}, 9},
		{"relation", diff.Removal{Definition: "document", Relation: "reader"}, 8},
		{"subject", reader(zed.Type{Definition: "user"}), 2},
		{"wildcard", reader(zed.Type{Definition: "user", Wildcard: true}), 1},
		{"caveat", reader(zed.Type{Definition: "user", Caveat: "soon"}), 1},
		{"expiration", reader(zed.Type{Definition: "user", Expiration: true}), 1},
		{"both", reader(zed.Type{Definition: "user", Caveat: "soon", Expiration: true}), 1},
		{"object", reader(zed.Type{Definition: "team"}), 1},
		{"set", reader(zed.Type{Definition: "team", Relation: "member"}), 1},
		{"none", diff.Removal{Definition: "user"}, 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			e := embedded(t, engine.EmbeddedConfig{File: filepath.Join(t.TempDir(), "engine.db")})
			c := newClient(t, e)
			if _, err := apply(t, c, typed, engine.Refuse); err != nil {
				t.Fatal(err)
			}
			c.writeRels(
				rel("document:a/1#reader@user:ada"), rel("document:b/1#reader@user:ada"), rel("document:a/1#reader@user:*"),
				with(rel("document:a/1#reader@user:c"), "soon"), until(rel("document:a/1#reader@user:e"), later),
				with(until(rel("document:a/1#reader@user:ce"), later), "soon"),
				rel("document:a/1#reader@team:x"), rel("document:a/1#reader@team:x#member"), rel("document:a/1#writer@user:ada"),
				rel("team:x#member@user:ada"),
			)
			total := func() int {
				all := 0
				for _, d := range []string{"document", "team"} {
					n, err := engine.CountOrphans(c.ctx(), c.conn, diff.Removal{Definition: d}, "", 100)
					if err != nil {
						t.Fatal(err)
					}
					all += n.Count
				}
				return all
			}
			n, err := engine.CountOrphans(c.ctx(), c.conn, tc.removal, "", 100)
			if err != nil || n != (diff.Orphans{Count: tc.want}) {
				t.Fatalf("counted %+v %v, want %d", n, err, tc.want)
			}
			before, told := total(), 0
			if err := e.DeleteOrphans(c.ctx(), tc.removal, func(n int) error { told = n; return nil }); err != nil {
				t.Fatal(err)
			}
			if told != tc.want || total() != before-tc.want {
				t.Errorf("told of %d, and %d of %d are left", told, total(), before)
			}
		})
	}
}

// TestOrphans_OfManyAreBounded: counting ends at its limit, within one environment alone, and deleting goes through all pages.
func TestOrphans_OfManyAreBounded(t *testing.T) {
	const many = 2500
	e := embedded(t, engine.EmbeddedConfig{File: filepath.Join(t.TempDir(), "engine.db")})
	c := newClient(t, e)
	if _, err := apply(t, c, typed, engine.Refuse); err != nil {
		t.Fatal(err)
	}
	rels := make([]string, 0, many+1)
	for i := range many {
		rels = append(rels, fmt.Sprintf("document:a/%d#writer@user:ada", i))
	}
	c.write(append(rels, "document:b/1#writer@user:ada")...)
	writer := diff.Removal{Definition: "document", Relation: "writer"}
	for _, tc := range []struct {
		prefix string
		limit  int
		want   diff.Orphans
	}{
		{"", many + 1, diff.Orphans{Count: many + 1}},
		{"", many, diff.Orphans{Count: many, More: true}},
		{"", 10, diff.Orphans{Count: 10, More: true}},
		{"a/", many, diff.Orphans{Count: many}},
		{"b/", 10, diff.Orphans{Count: 1}},
		{"c/", 10, diff.Orphans{}},
	} {
		if got, err := engine.CountOrphans(c.ctx(), c.conn, writer, tc.prefix, tc.limit); err != nil || got != tc.want {
			t.Errorf("%q up to %d: %+v %v, want %+v", tc.prefix, tc.limit, got, err, tc.want)
		}
	}
	var told []int
	if err := e.DeleteOrphans(c.ctx(), writer, func(n int) error { told = append(told, n); return nil }); err != nil {
		t.Fatal(err)
	}
	left, err := engine.CountOrphans(c.ctx(), c.conn, writer, "", 10)
	if err != nil || left.Count != 0 || len(told) < 3 || told[len(told)-1] != many+1 {
		t.Errorf("left %+v %v after %v", left, err, told)
	}
}
