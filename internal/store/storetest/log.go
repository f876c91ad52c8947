package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// testLogModel makes random histories, and compares what every sort of query finds with what going through all entries finds (L1).
func testLogModel(w *world) {
	n := 0
	rapid.Check(w.T, func(rt *rapid.T) {
		n++
		mine := *w
		mine.env = numbered[account.EnvironmentID]("log", n)
		mine.found(mine.env)
		m := newModel()
		for range rapid.IntRange(1, 12).Draw(rt, "entries") {
			var changes []account.Change
			for range rapid.IntRange(1, 6).Draw(rt, "changes") {
				changes = append(changes, m.step(rt)...)
			}
			e := entry(rapid.SampledFrom(logKinds).Draw(rt, "kind"), changes...)
			e.Actor = rapid.SampledFrom(logActors).Draw(rt, "actor")
			e.At = born.Add(time.Duration(rapid.IntRange(0, 5).Draw(rt, "at")) * time.Second)
			err := w.db.Write(w.ctx, mine.env, func(tx directory.Tx) error {
				_, err := tx.Append(w.ctx, e)
				return err
			})
			if err != nil {
				rt.Fatalf("append: %v", err)
			}
		}
		all, err := w.db.Entries(w.ctx, mine.env, 0, 1000)
		if err != nil {
			rt.Fatal(err)
		}
		err = w.db.Read(w.ctx, mine.env, func(r directory.Reader) error {
			for range 20 {
				compareLog(rt, w, r, all, drawQuery(rt))
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

var (
	logKinds  = []account.Kind{account.MembershipSet, account.MembershipRemoved, account.AccountCreated, account.Imported}
	logActors = []account.Actor{
		{System: true}, {Client: "shop"}, {Client: "office"}, {Client: "shop", User: "ada"}, {User: "bob", Client: "shop", Impersonation: "imp"}, {APIToken: "ada"},
	}
)

// drawQuery draws a query; about half of the conditions are given.
func drawQuery(t *rapid.T) directory.LogQuery {
	var q directory.LogQuery
	given := func(what string) bool { return rapid.IntRange(0, 2).Draw(t, what) == 0 }
	id := rapid.StringMatching(`[ABab_-]{1,2}`)
	if given("account?") {
		q.Account = account.ID(id.Draw(t, "account"))
		q.Branch, q.Present = rapid.Bool().Draw(t, "branch"), rapid.Bool().Draw(t, "present")
	}
	if given("actors?") {
		q.Actors = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"system", "operator:*", "operator:shop", "user:ada", "user:bob", "api_token:ada", "user:nobody"}),
			1, 3, rapid.ID[string]).Draw(t, "actors")
	}
	if given("subject?") {
		kind := rapid.SampledFrom([]string{account.RefAccount, account.RefUser, account.RefRole, account.RefEnvironment, account.RefImpersonation}).Draw(t, "type")
		q.Subject = account.Ref{Type: kind, ID: id.Draw(t, "subject")}
		if kind == account.RefImpersonation {
			q.Subject.ID = "imp"
		}
	}
	if given("kinds?") {
		q.Kinds = account.Set(rapid.SliceOfN(rapid.SampledFrom(logKinds), 1, 2).Draw(t, "kinds"))
	}
	at := rapid.Custom(func(t *rapid.T) time.Time {
		return born.Add(time.Duration(rapid.IntRange(-1, 6).Draw(t, "seconds"))*time.Second + time.Duration(rapid.IntRange(-1, 1).Draw(t, "nanoseconds")))
	})
	if given("since?") {
		q.Since = at.Draw(t, "since")
	}
	if given("until?") {
		q.Until = at.Draw(t, "until")
	}
	if given("after?") {
		q.After = account.Version(rapid.IntRange(0, 13).Draw(t, "after"))
	}
	if given("before?") {
		q.Before = account.Version(rapid.IntRange(1, 14).Draw(t, "before"))
	}
	q.Newest = rapid.Bool().Draw(t, "newest")
	q.Limit = rapid.IntRange(1, 5).Draw(t, "limit")
	return q
}

// compareLog goes through all pages of a query.
func compareLog(t *rapid.T, w *world, r directory.Reader, all []account.Entry, q directory.LogQuery) {
	t.Helper()
	wanted := naiveLog(all, q)
	asked := q
	var got []account.Entry
	for more := true; more; {
		page, any, err := r.Log(w.ctx, q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if any && len(page) != q.Limit {
			t.Fatalf("%+v: a page of %d, and there are more", q, len(page))
		}
		got, more = append(got, page...), any
		if more {
			if last := page[len(page)-1].Version; q.Newest {
				q.Before = last
			} else {
				q.After = last
			}
		}
	}
	same(t, fmt.Sprintf("log of %+v", asked), versionsOf(got), nil, versionsOf(wanted))
	if len(got) > 0 {
		same(t, "entry", got[0].ID, nil, wanted[0].ID)
	}
	spans, err := r.LogSpans(w.ctx, asked, []account.ID{"A", "a", "Aa", "b", "nowhere"})
	var found []directory.LogSpan
	for _, s := range naiveScope(all, asked) {
		if slices.Contains([]account.ID{"A", "a", "Aa", "b"}, s.Account) {
			found = append(found, s)
		}
	}
	for _, list := range [][]directory.LogSpan{spans, found} {
		slices.SortFunc(list, func(a, b directory.LogSpan) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	same(t, fmt.Sprintf("spans of %+v", asked), spans, err, found)
}

func versionsOf(entries []account.Entry) []account.Version {
	out := make([]account.Version, len(entries))
	for i, e := range entries {
		out[i] = e.Version
	}
	return out
}

// naiveLog goes through all entries.
func naiveLog(all []account.Entry, q directory.LogQuery) []account.Entry {
	scope := naiveScope(all, q)
	var out []account.Entry
	for _, e := range all {
		refs := e.Concerns()
		always := !q.Branch && !q.Present && slices.Contains(refs, account.Ref{Type: account.RefAccount, ID: string(q.Account)})
		within := func(s directory.LogSpan) bool {
			return s.From <= e.Version && e.Version <= s.To && slices.Contains(refs, account.Ref{Type: account.RefAccount, ID: string(s.Account)})
		}
		by := func(name string) bool {
			return name == e.Actor.Name() || name == "operator:*" && strings.HasPrefix(e.Actor.Name(), "operator:")
		}
		switch {
		case q.Account != "" && !always && !slices.ContainsFunc(scope, within),
			q.Actors != nil && !slices.ContainsFunc(q.Actors, by),
			q.Subject.ID != "" && !slices.Contains(refs, q.Subject),
			q.Kinds != nil && !slices.Contains(q.Kinds, e.Kind),
			!q.Since.IsZero() && e.At.Before(q.Since),
			!q.Until.IsZero() && !e.At.Before(q.Until),
			e.Version <= q.After,
			q.Before != 0 && e.Version >= q.Before:
		default:
			out = append(out, e)
		}
	}
	if q.Newest {
		slices.Reverse(out)
	}
	return out
}

// naiveScope is the lives that a query with an account is about.
func naiveScope(all []account.Entry, q directory.LogQuery) []directory.LogSpan {
	type life struct {
		directory.LogSpan
		parent account.ID
	}
	var lives []*life
	present := map[account.ID]*life{}
	for _, e := range all {
		for _, c := range e.Changes {
			if c.After != nil && c.After.Account != nil {
				a := c.After.Account
				if present[a.ID] == nil {
					present[a.ID] = &life{LogSpan: directory.LogSpan{Account: a.ID, From: e.Version, To: math.MaxInt64}}
					lives = append(lives, present[a.ID])
				}
				present[a.ID].parent = a.Parent
			}
			if c.After == nil && c.Before.Account != nil {
				gone := present[c.Before.Account.ID]
				gone.To = e.Version
				delete(present, gone.Account)
			}
		}
		// what came and went in one entry was never there
		lives = slices.DeleteFunc(lives, func(l *life) bool { return l.From == e.Version && l.To == e.Version })
	}
	var scope []directory.LogSpan
	add := func(s directory.LogSpan) bool {
		known := slices.Contains(scope, s)
		if !known {
			scope = append(scope, s)
		}
		return !known
	}
	for _, l := range lives {
		switch {
		case l.Account != q.Account:
		case !q.Present:
			add(directory.LogSpan{Account: q.Account, To: math.MaxInt64})
		case l.To == math.MaxInt64:
			add(l.LogSpan)
		}
	}
	for grown := q.Branch; grown; {
		grown = false
		for _, l := range lives {
			below := func(s directory.LogSpan) bool { return s.Account == l.parent && s.From <= l.To && l.To <= s.To }
			if slices.ContainsFunc(scope, below) && add(l.LogSpan) {
				grown = true
			}
		}
	}
	return scope
}
