package switcher

import (
	gocmp "cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/schema"
)

func testModel(t testing.TB) *model {
	t.Helper()
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	return newModel(catalogue)
}

// compared holds a view against the naive model.
type compared struct {
	t    *rapid.T
	view *View
	n    *naive
	now  time.Time
}

func (c compared) subjects() []Subject {
	who := []Subject{{User, "nobody"}, {APIToken, "nothing"}}
	for id := range c.n.users {
		who = append(who, Subject{User, string(id)})
	}
	for id := range c.n.tokens {
		who = append(who, Subject{APIToken, string(id)})
	}
	for id := range c.n.clients {
		who = append(who, Subject{Operator, string(id)})
	}
	return who
}

func (c compared) checks() {
	ids := []account.ID{"nowhere"}
	for id := range c.n.accounts {
		ids = append(ids, id)
	}
	for _, who := range c.subjects() {
		for _, id := range ids {
			for _, permission := range checked {
				got, ok := c.view.Allowed(who, permission, id)
				if want := c.n.allowed(who, permission, id, c.now); got != want || !ok {
					c.t.Fatalf("%v %s at %s: %t, %t; want %t", who, permission, id, got, ok, want)
				}
			}
		}
	}
}

var sameReachable = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)}

func (c compared) lists() {
	under := []account.ID{"", "", "nowhere"}
	for id := range c.n.accounts {
		under = append(under, id)
	}
	slices.Sort(under)
	for _, who := range c.subjects() {
		q := Query{
			Who:        who,
			Permission: rapid.SampledFrom([]string{"", "", "read_sub_accounts", "write_sub_accounts"}).Draw(c.t, "permission"),
			Under:      rapid.SampledFrom(under).Draw(c.t, "under"),
			Text:       rapid.SampledFrom([]string{"", "", "", "glob", "a", "acme", "x", "b_"}).Draw(c.t, "text"),
			Sort:       rapid.SampledFrom([]Sort{ByTree, ByName, ByDate}).Draw(c.t, "sort"),
			Limit:      rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(c.t, "limit"),
		}
		c.list(q)
	}
}

// list follows a list through all of its pages.
func (c compared) list(q Query) {
	want := c.n.list(q, c.now)
	var got []account.Reachable
	for {
		page, ok := c.view.Page(q)
		if !ok || page.Total != len(want) {
			c.t.Fatalf("%+v: a total of %d, %t; want %d", q, page.Total, ok, len(want))
		}
		near := slices.ContainsFunc(c.n.list(Query{Who: q.Who}, c.now), func(r account.Reachable) bool { return c.n.under(q.Under, r.ID) })
		if q.Under != "" && page.Near != near {
			c.t.Fatalf("%+v: near is %t; want %t", q, page.Near, near)
		}
		got = append(got, page.Accounts...)
		if len(page.Next.Marks) == 0 {
			break
		}
		if len(page.Accounts) != q.Limit {
			c.t.Fatalf("%+v: %d accounts on a page that is not the last", q, len(page.Accounts))
		}
		q.After = page.Next
	}
	if diff := cmp.Diff(want, got, sameReachable); diff != "" {
		c.t.Fatalf("%+v: (-want +got)\n%s", q, diff)
	}
}

// openers compares who can open some account, through all pages.
func (c compared) openers() {
	q := OpenersQuery{
		Account: rapid.SampledFrom(slices.Sorted(maps.Keys(c.n.accounts))).Draw(c.t, "opened"),
		Kind:    rapid.SampledFrom([]Kind{0, 0, User, APIToken}).Draw(c.t, "kind"),
		Limit:   rapid.IntRange(1, 3).Draw(c.t, "page"),
	}
	var want []Opener
	for _, who := range c.subjects() {
		if c.n.member(who, "", q.Account, c.now) && (q.Kind == 0 || who.Kind == q.Kind) {
			want = append(want, Opener{who, c.n.sources(who, q.Account, c.now)})
		}
	}
	slices.SortFunc(want, func(a, b Opener) int {
		return gocmp.Or(gocmp.Compare(a.Subject.Kind, b.Subject.Kind), gocmp.Compare(a.Subject.ID, b.Subject.ID))
	})
	var got []Opener
	for {
		page, ok := c.view.Openers(q)
		if !ok || page.Total != len(want) {
			c.t.Fatalf("%+v: a total of %d, %t; want %d", q, page.Total, ok, len(want))
		}
		got = append(got, page.Subjects...)
		if !page.More {
			break
		}
		q.After = page.Subjects[len(page.Subjects)-1].Subject
	}
	if diff := cmp.Diff(want, got, sameReachable); diff != "" {
		c.t.Fatalf("%+v: (-want +got)\n%s", q, diff)
	}
}

func snapshot(t *rapid.T, m *model, n *naive, version account.Version) *state {
	return restarted(t, m, n, version).publish()
}

func restarted(t *rapid.T, m *model, n *naive, version account.Version) *writer {
	l := newLoader("prod", m.bits)
	if err := n.reaching(l.add, l.more); err != nil {
		t.Fatal(err)
	}
	w, err := l.finish(version)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestIndexIsWhatTheRulesSay holds the index against the naive model after every
// entry of random histories: fed entry by entry, and loaded from a snapshot half
// way; and every version that was published once more at the end.
func TestIndexIsWhatTheRulesSay(t *testing.T) {
	m := testModel(t)
	rapid.Check(t, func(t *rapid.T) {
		h := &history{t: t, n: newNaive()}
		w := newWriter("prod", m.bits)
		var kept []compared
		for range rapid.IntRange(1, 25).Draw(t, "entries") {
			if err := w.apply(h.entry()); err != nil {
				t.Fatal(err)
			}
			now := start.Add(time.Duration(rapid.IntRange(-1, 61).Draw(t, "now")) * time.Second)
			c := compared{t: t, view: w.publish().view(m, now), n: h.n.clone(), now: now}
			c.checks()
			c.lists()
			if len(h.n.accounts) > 0 {
				c.openers()
			}
			kept = append(kept, c)
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				w = restarted(t, m, h.n, h.version)
			}
		}
		for _, c := range kept {
			c.lists()
		}
	})
}
