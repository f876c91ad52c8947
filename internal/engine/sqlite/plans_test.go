package sqlite

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/datastore/queryshape"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/google/go-cmp/cmp"
	sqlite3 "zombiezen.com/go/sqlite"
)

var update = flag.Bool("update", false, "write the golden file anew")

// shaped is a question in one of the shapes in which SpiceDB asks.
type shaped struct {
	shape   queryshape.Shape
	what    string
	forward *datastore.RelationshipsFilter
	options options.QueryOptions
	reverse *datastore.SubjectsFilter
	back    options.ReverseQueryOptions
	deep    string // where the search begins that goes on after a cursor
}

// questions has one or more for each of SpiceDB's shapes, with the options it gives.
func questions() []shaped {
	doc := func(ids ...string) *datastore.RelationshipsFilter {
		return &datastore.RelationshipsFilter{
			OptionalResourceType: "doc", OptionalResourceRelation: "viewer", OptionalResourceIds: ids,
		}
	}
	to := func(f *datastore.RelationshipsFilter, s ...datastore.SubjectsSelector) *datastore.RelationshipsFilter {
		f.OptionalSubjectsSelectors = s
		return f
	}
	var none datastore.SubjectRelationFilter
	plain := none.WithEllipsisRelation()
	cursor := options.ToCursor(tuple.MustParse("doc:b#viewer@user:b"))
	inside := options.ToCursor(tuple.MustParse("doc:env/b#viewer@user:b"))
	page := uint64(1000)
	one := options.QueryOptions{Limit: options.LimitOne}
	users := &datastore.SubjectsFilter{SubjectType: "user", OptionalSubjectIds: []string{"b"}, RelationFilter: plain}
	some := &datastore.SubjectsFilter{SubjectType: "user", OptionalSubjectIds: []string{"a", "b", "*"}, RelationFilter: plain}
	at := &options.ResourceRelation{Namespace: "doc", Relation: "viewer"}
	return []shaped{{
		shape: queryshape.CheckPermissionSelectDirectSubjects, what: "of one",
		forward: to(doc("a"),
			datastore.SubjectsSelector{OptionalSubjectType: "user", OptionalSubjectIds: []string{"b"}, RelationFilter: plain},
			datastore.SubjectsSelector{OptionalSubjectType: "user", OptionalSubjectIds: []string{"*"}, RelationFilter: plain}),
	}, {
		shape: queryshape.CheckPermissionSelectDirectSubjects, what: "of some",
		forward: to(doc("a", "b", "c"),
			datastore.SubjectsSelector{OptionalSubjectType: "user", OptionalSubjectIds: []string{"b"}, RelationFilter: plain}),
		options: options.QueryOptions{SkipCaveats: true, SkipExpiration: true},
	}, {
		shape: queryshape.CheckPermissionSelectIndirectSubjects, what: "of some",
		forward: to(doc("a", "b", "c"), datastore.SubjectsSelector{RelationFilter: none.WithOnlyNonEllipsisRelations()}),
	}, {
		shape: queryshape.AllSubjectsForResources, what: "of one", forward: doc("a"),
	}, {
		shape: queryshape.AllSubjectsForResources, what: "of some", forward: doc("a", "b", "c"),
	}, {
		shape: queryshape.MatchingResourcesForSubject, what: "of one", reverse: users,
		back: options.ReverseQueryOptions{ResRelation: at, SortForReverse: options.BySubject},
	}, {
		shape: queryshape.MatchingResourcesForSubject, what: "of one, further", reverse: users,
		back: options.ReverseQueryOptions{ResRelation: at, SortForReverse: options.BySubject, AfterForReverse: cursor, LimitForReverse: &page},
		deep: "subject_id=? AND resource_id>?",
	}, {
		shape: queryshape.MatchingResourcesForSubject, what: "of some", reverse: some,
		back: options.ReverseQueryOptions{ResRelation: at, SortForReverse: options.BySubject},
	}, {
		shape: queryshape.MatchingResourcesForSubject, what: "of some, further", reverse: some,
		back: options.ReverseQueryOptions{ResRelation: at, SortForReverse: options.BySubject, AfterForReverse: cursor, LimitForReverse: &page},
		deep: "subject_id=? AND resource_id>?",
	}, {
		shape: queryshape.FindResourceOfType, what: "any",
		forward: &datastore.RelationshipsFilter{OptionalResourceType: "doc"}, options: one,
	}, {
		shape: queryshape.FindResourceAndSubjectWithRelations, what: "any",
		forward: to(doc(), datastore.SubjectsSelector{OptionalSubjectType: "user", RelationFilter: plain}), options: one,
	}, {
		shape: queryshape.FindSubjectOfTypeAndRelation, what: "any",
		reverse: &datastore.SubjectsFilter{SubjectType: "group", RelationFilter: none.WithNonEllipsisRelation("member")},
		back:    options.ReverseQueryOptions{LimitForReverse: options.LimitOne},
	}, {
		shape: queryshape.FindResourceRelationForSubjectRelation, what: "a wildcard with a caveat",
		forward: &datastore.RelationshipsFilter{
			OptionalResourceType: "doc", OptionalResourceRelation: "viewer",
			OptionalSubjectsSelectors: []datastore.SubjectsSelector{{OptionalSubjectType: "user", OptionalSubjectIds: []string{"*"}, RelationFilter: plain}},
			OptionalCaveatNameFilter:  datastore.WithCaveatName("weekday"), OptionalExpirationOption: datastore.ExpirationFilterOptionHasExpiration,
		}, options: one,
	}, {
		shape: queryshape.Varying, what: "an export, further",
		forward: &datastore.RelationshipsFilter{}, options: options.QueryOptions{Sort: options.ByResource, After: cursor, Limit: &page},
	}, {
		shape: queryshape.Varying, what: "a type by a prefix, in pages",
		forward: &datastore.RelationshipsFilter{OptionalResourceType: "doc", OptionalResourceIDPrefix: "env/"},
		options: options.QueryOptions{Sort: options.ChooseEfficient, After: inside, Limit: &page},
		deep:    "(resource_id,subject_id)>(?,?)",
	}, {
		shape: queryshape.Varying, what: "by ids, in order",
		forward: doc("a", "b", "c"), options: options.QueryOptions{Sort: options.ByResource, After: cursor, Limit: &page},
		deep: "resource_id=? AND subject_id>?",
	}, {
		shape: queryshape.Varying, what: "by subject, in pages",
		forward: to(&datastore.RelationshipsFilter{}, datastore.SubjectsSelector{OptionalSubjectType: "user", OptionalSubjectIds: []string{"b"}}),
		options: options.QueryOptions{Sort: options.ChooseEfficient, After: cursor, Limit: &page},
		deep:    "subject_id=? AND resource_id>?",
	}}
}

// TestPlans holds that no shape of question reads a whole table, or sorts what it reads of the
// present, and that the search for a further page begins where the page does. The plans are in
// testdata/plans.golden, to see what changes; -update writes them.
func TestPlans(t *testing.T) {
	d := stocked(t)
	var out strings.Builder
	asked := map[queryshape.Shape]bool{queryshape.Varying: true}
	for _, q := range questions() {
		asked[q.shape] = true
		fmt.Fprintf(&out, "%s, %s\n", q.shape, q.what)
		p, err := q.plan(d.kinds.Load())
		if err != nil {
			t.Fatalf("%s, %s: %v", q.shape, q.what, err)
		}
		begun := q.deep == ""
		for _, a := range p.arms {
			for _, from := range []table{live, past} {
				var st statement
				st.of(&p, &a, from, 2, time.Now(), 0)
				fmt.Fprintf(&out, "\t%s#%s@%s#%s: %s\n", a.kind.resourceType, a.kind.relation, a.kind.subjectType, a.kind.subjectRelation, st.text.String())
				for _, step := range explained(t, d, &st) {
					fmt.Fprintf(&out, "\t\t%s\n", step)
					begun = begun || from == live && strings.Contains(step, q.deep)
					if strings.HasPrefix(step, "SCAN") || from == live && strings.Contains(step, "TEMP B-TREE") {
						t.Errorf("%s, %s: %s\nin %s", q.shape, q.what, step, st.text.String())
					}
				}
			}
		}
		if !begun {
			t.Errorf("%s, %s: no search begins after the cursor", q.shape, q.what)
		}
	}
	for _, shape := range queryshape.AllSpecificQueryShapes {
		if !asked[shape] {
			t.Errorf("nothing is asked in the shape %s", shape)
		}
	}
	golden := filepath.Join("testdata", "plans.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); d != "" {
		t.Errorf("the plans are not those of %s (-update writes it): -want +got:\n%s", golden, d)
	}
}

// TestPlansOfUpkeep holds the same for what a commit, a collection, a watch and the expiry do.
func TestPlansOfUpkeep(t *testing.T) {
	d := stocked(t)
	for _, text := range []string{
		"SELECT tx, at, relationships FROM revision ORDER BY tx DESC LIMIT 1",
		"SELECT min(tx) FROM revision",
		"SELECT max(until) FROM past",
		"SELECT tx FROM revision WHERE at <= ? ORDER BY at DESC LIMIT 1",
		"SELECT tx FROM revision WHERE tx < ? LIMIT 1000",
		"SELECT tx, part FROM change WHERE tx <= ? LIMIT 1000",
		"SELECT kind, resource_id, until, subject_id FROM past WHERE until <= ? LIMIT 1000",
		"SELECT category, name, since FROM document WHERE until <= ? LIMIT 1000",
		"SELECT kind, resource_id, subject_id FROM live WHERE expires_at <= ? LIMIT 1000",
		"SELECT expires_at FROM live WHERE expires_at > ? ORDER BY expires_at LIMIT 1",
	} {
		st := &statement{}
		st.add(text)
		for _, step := range explained(t, d, st) {
			// The first or last row of a table is reached by a search, though it is called a scan.
			end := strings.HasPrefix(step, "SCAN") && strings.Contains(text, "LIMIT 1") && !strings.Contains(text, "WHERE")
			if strings.HasPrefix(step, "SCAN") && !end || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: %s", text, step)
			}
		}
	}
}

// plan is what the datastore makes of the question.
func (q shaped) plan(k *kinds) (plan, error) {
	if q.reverse != nil {
		return reverse(k, *q.reverse, &q.back)
	}
	return forward(k, *q.forward, &q.options)
}

// stocked is a datastore with some kinds of relationships, now and in the past.
func stocked(t *testing.T) *Datastore {
	t.Helper()
	d, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "spicedb.sqlite"), Synchronous: Normal})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	var updates []tuple.RelationshipUpdate
	for _, r := range []string{
		"doc:a#viewer@user:a", "doc:b#viewer@group:b#member", "doc:c#parent@folder:c", "folder:d#viewer@group:d#member",
	} {
		updates = append(updates, tuple.Touch(tuple.MustParse(r)))
	}
	for _, operation := range []tuple.UpdateOperation{tuple.UpdateOperationCreate, tuple.UpdateOperationDelete} {
		for i := range updates {
			updates[i].Operation = operation
		}
		_, err := d.ReadWriteTx(t.Context(), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
			return tx.WriteRelationships(ctx, updates)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// explained is how SQLite means to run a statement.
func explained(t *testing.T, d *Datastore, st *statement) []string {
	t.Helper()
	var steps []string
	err := d.read(t.Context(), func(c *conn) error {
		return c.query("EXPLAIN QUERY PLAN "+st.text.String(), func(s *sqlite3.Stmt) error {
			steps = append(steps, s.ColumnText(3))
			return nil
		}, st.args...)
	})
	if err != nil {
		t.Fatalf("explaining %s: %v", st.text.String(), err)
	}
	return steps
}
