package eval_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/eval"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const groups = `definition user {}
definition group {
	relation member: user | group#member
	relation banned: user
	relation parent: group
	permission active = member - banned
	permission above = parent->above + member
	permission every = parent.all(active)
}`

func world(t testing.TB, text string, relationships ...string) *eval.World {
	t.Helper()
	compiled, findings := zed.Compile(t.Context(), zed.File(finding.NewSource("test.zed", text)))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	var all []tuple.Relationship
	for _, r := range relationships {
		all = append(all, tuple.MustParse(r))
	}
	return eval.New(compiled, all, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
}

func ask(w *eval.World, question string, trace eval.Trace) eval.Verdict {
	r := tuple.MustParse(question)
	return w.Check(r.Resource, r.Subject, nil, trace)
}

func TestCirclesAreDecidedWhereTheyCanBe(t *testing.T) {
	t.Parallel()
	w := world(t, groups,
		"group:a#member@group:b#member", "group:b#member@group:c#member", "group:c#member@group:a#member",
		"group:c#member@user:in", "group:a#parent@group:b", "group:b#parent@group:a", "group:b#member@user:direct")
	for question, want := range map[string]eval.Outcome{
		"group:a#member@user:in":              eval.Allowed,
		"group:b#active@user:in":              eval.Allowed,
		"group:a#member@user:out":             eval.Undecided,
		"group:a#above@user:direct":           eval.Allowed,
		"group:a#above@user:out":              eval.Undecided,
		"group:a#member@group:b#member":       eval.Allowed,
		"group:a#member@group:a#member":       eval.Allowed,
		"group:none#member@user:out":          eval.Denied,
		"group:none#active@group:none#active": eval.Allowed,
	} {
		if got := ask(w, question, nil); got.Outcome != want || (got.Why != "") != (want == eval.Undecided) {
			t.Errorf("%s: %s %q, want %s", question, got, got.Why, want)
		}
	}
}

func TestWhatCannotBeAskedIsUndecided(t *testing.T) {
	t.Parallel()
	w := world(t, groups, "group:a#member@user:in")
	for _, question := range []string{"group:a#nothing@user:in", "house:a#member@user:in", "group:a#member@house:in", "group:a#member@group:b#nothing"} {
		if got := ask(w, question, nil); got.Outcome != eval.Undecided || got.Why == "" {
			t.Errorf("%s: %s %q", question, got, got.Why)
		}
	}
	all := tuple.ObjectAndRelation{ObjectType: "user", ObjectID: "*", Relation: tuple.Ellipsis}
	if got := w.Check(tuple.MustParse("group:a#member@user:in").Resource, all, nil, nil); got.Outcome != eval.Undecided {
		t.Errorf("all users: %s", got)
	}
}

func TestWhatTheSchemaDoesNotAllowIsRefusedAndWhatHasExpiredIsNot(t *testing.T) {
	t.Parallel()
	w := world(t, "use expiration\ndefinition user {}\ndefinition group {\n relation member: user with expiration\n}",
		"group:a#member@user:in[expiration:2030-01-01T00:00:01Z]", "group:a#member@user:past[expiration:2029-12-31T23:59:59Z]",
		"group:a#member@user:always", "group:a#other@user:in", "group:a#member@group:b[expiration:2031-01-01T00:00:00Z]")
	var refused []string
	for _, r := range w.Refused() {
		refused = append(refused, tuple.MustString(r))
	}
	if diff := cmp.Diff([]string{"group:a#member@user:always", "group:a#other@user:in", "group:a#member@group:b[expiration:2031-01-01T00:00:00Z]"}, refused); diff != "" {
		t.Error(diff)
	}
	for question, want := range map[string]eval.Outcome{
		"group:a#member@user:in": eval.Allowed, "group:a#member@user:past": eval.Denied, "group:a#member@user:always": eval.Denied,
	} {
		if got := ask(w, question, nil); got.Outcome != want {
			t.Errorf("%s: %s", question, got)
		}
	}
}

func TestTraceGoesOnWhereTheVerdictIsKnown(t *testing.T) {
	t.Parallel()
	w := world(t, groups, "group:a#member@user:in", "group:a#parent@group:b", "group:b#banned@user:in", "group:a#parent@group:c", "group:c#member@user:in")
	steps := func(question string) []string {
		var got []string
		ask(w, question, func(s eval.Step) {
			what := "itself"
			switch {
			case s.Expr != nil:
				what = s.Expr.String()
			case s.Type != nil:
				what = s.Type.String()
			}
			got = append(got, fmt.Sprintf("%s %s: %s", s.Resource, what, s.Outcome))
		})
		return got
	}
	want := []string{
		"group:a#above itself: true", "group:a#above parent->above: true", "group:a#parent itself: true", "group:a#parent group: true",
		"group:a#above member: true", "group:a#above parent->above + member: true",
	}
	// a branch comes after those it consists of, and before it what it asks comes later
	got := steps("group:a#above@user:in")
	index := map[string]bool{}
	for _, s := range got {
		index[s] = true
	}
	want = append(want, "group:b#above itself: false", "group:c#above itself: true", "group:c#member user: true", "group:c#member group#member: false",
		"group:b#above parent->above: false", "group:b#member user: false", "group:a#member user: true")
	for _, s := range want {
		if !index[s] {
			t.Errorf("not told: %s", s)
		}
	}
	if again := steps("group:a#above@user:in"); !cmp.Equal(got, again) {
		t.Errorf("the second time it is told otherwise:\n%s", cmp.Diff(got, again))
	}
	all := steps("group:a#every@user:in")
	for _, s := range []string{"group:a#every itself: false", "group:a#parent group: false", "group:b#banned itself: true", "group:c#active itself: true", "group:c#active member: true"} {
		if !slices.Contains(all, s) {
			t.Errorf("not told: %s, of %q", s, all)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	var relationships []string
	for i := range 40 {
		relationships = append(relationships, fmt.Sprintf("group:g%d#parent@group:g%d", i, i+1))
	}
	w := world(b, groups, append(relationships, "group:g40#member@user:in")...)
	users := make([]tuple.ObjectAndRelation, 1<<16)
	for i := range users {
		users[i] = tuple.ObjectAndRelation{ObjectType: "user", ObjectID: fmt.Sprintf("u%d", i), Relation: tuple.Ellipsis}
	}
	resource := tuple.ObjectAndRelation{ObjectType: "group", ObjectID: "g0", Relation: "above"}
	i := 0
	for b.Loop() {
		w.Check(resource, users[i%len(users)], nil, nil)
		i++
	}
}
