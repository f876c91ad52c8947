package directory_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// TestL1_OperatorsAreNotNamedInWhatTheyMade: who made a token, or invited, is part of these things.
func TestL1_OperatorsAreNotNamedInWhatTheyMade(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, tenant("globex", ""))
	h.must(err)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	shop, ada := account.Actor{Client: "shop"}, account.Actor{Client: "portal", User: "ada"}
	h.append(shop,
		account.Of(account.APIToken{ID: "t1", Account: "globex", CreatedBy: shop, CreatedAt: at}),
		account.Of(account.APIToken{ID: "t2", Account: "globex", CreatedBy: ada, CreatedAt: at}),
		account.Of(account.Invitation{ID: "i1", Account: "globex", Email: "b@example.com", InvitedBy: shop, CreatedAt: at, ExpiresAt: at}))
	reader := account.Actor{Environment: "prod", Client: "portal", User: "bob"}
	page, err := h.Log(h.ctx, reader, directory.LogFilter{Account: "globex", Kinds: []string{"directory.*"}, After: 2})
	h.must(err)
	text, err := json.Marshal(page)
	h.must(err)
	if len(page.Entries) != 1 || len(page.Entries[0].Changes) != 3 || strings.Contains(string(text), "shop") || strings.Contains(string(text), "portal") {
		t.Errorf("the log shows an operator: %s", text)
	}
	changes := page.Entries[0].Changes
	if name := changes[0].After.APIToken.CreatedBy.Name(); name != "operator" {
		t.Errorf("made by %s", name)
	}
	if name := changes[1].After.APIToken.CreatedBy.Name(); name != "user:ada" {
		t.Errorf("made by %s", name)
	}
	page, err = h.Log(h.ctx, account.Actor{Environment: "prod", Client: "shop"}, directory.LogFilter{After: 2})
	h.must(err)
	if by := page.Entries[0].Changes[0].After.APIToken.CreatedBy; by.Client != "shop" {
		t.Errorf("to operators, made by %+v", by)
	}
}

// append writes an entry that makes things.
func (h *house) append(by account.Actor, things ...*account.Entity) {
	h.t.Helper()
	var changes []account.Change
	for _, thing := range things {
		changes = append(changes, account.Change{After: thing})
	}
	h.must(h.store.Write(h.ctx, "prod", func(tx directory.Tx) error {
		_, err := tx.Append(h.ctx, account.Entry{Kind: account.Imported, Actor: by, Changes: changes})
		return err
	}))
}

// TestL1_PagesGoOnOverWhatIsLeftOut: entries that are found by what a reader may
// not see neither fill pages nor end them.
func TestL1_PagesGoOnOverWhatIsLeftOut(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, tenant("globex", ""), tenant("initech", ""))
	h.must(err)
	var want []account.Version
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 40 {
		key := account.FeatureKey(fmt.Sprintf("f%d", i))
		other := account.FeatureSwitch{Account: "initech", Feature: key}
		mine := account.Of(account.APIToken{ID: account.APITokenID(key), Account: "globex", CreatedAt: at})
		if i%7 == 3 {
			other.Account = "globex"
		}
		h.append(account.Actor{System: true}, account.Of(account.Feature{Key: key}), account.Of(other), mine,
			account.Of(account.Plan{Key: account.PlanKey(key), Features: []account.FeatureKey{"f0"}}))
		head, err := h.store.Head(h.ctx, "prod")
		h.must(err)
		if other.Account == "globex" && i != 0 {
			want = append(want, head)
		}
	}
	reader := account.Actor{Environment: "prod", User: "bob"}
	for _, newest := range []bool{false, true} {
		for _, limit := range []int{1, 2, 50} {
			// every entry has account globex and feature f0; that together in what is shown none has
			f := directory.LogFilter{Account: "globex", Subject: "feature:f0", Newest: newest, Limit: limit}
			page, err := h.Log(h.ctx, reader, f)
			h.must(err)
			if len(page.Entries) != 0 || page.More {
				t.Errorf("limit %d: %d entries, more %t", limit, len(page.Entries), page.More)
			}
		}
	}
	// One entry has it in what is shown: it is the only one, and nothing tells of those around it.
	h.append(account.Actor{System: true}, account.Of(account.FeatureSwitch{Account: "globex", Feature: "f0"}))
	for i := range 3 {
		h.append(account.Actor{System: true}, account.Of(account.APIToken{ID: account.APITokenID(fmt.Sprint("t", i)), Account: "globex", CreatedAt: at}),
			account.Of(account.Plan{Key: account.PlanKey(fmt.Sprint("p", i)), Features: []account.FeatureKey{"f0"}}))
	}
	for _, newest := range []bool{false, true} {
		page, err := h.Log(h.ctx, reader, directory.LogFilter{Account: "globex", Subject: "feature:f0", Newest: newest, Limit: 1})
		h.must(err)
		if len(page.Entries) != 1 || page.More {
			t.Errorf("newest %t: %d entries, more %t", newest, len(page.Entries), page.More)
		}
	}
	var got []account.Version
	for _, v := range want {
		key := fmt.Sprintf("feature:f%d", int(v)-int(want[0])+3)
		page, err := h.Log(h.ctx, reader, directory.LogFilter{Account: "globex", Subject: key, Limit: 1})
		h.must(err)
		for _, e := range page.Entries {
			got = append(got, e.Version)
		}
		if page.More {
			t.Errorf("%s: there is more", key)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestL1_AShortPageOfALongLogIsCheap: whether there is more takes one more look, however much there is.
func TestL1_AShortPageOfALongLogIsCheap(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, tenant("globex", ""))
	h.must(err)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 200 {
		h.append(account.Actor{System: true}, account.Of(account.APIToken{ID: account.APITokenID(fmt.Sprint("t", i)), Account: "globex", CreatedAt: at}))
	}
	h.store.logs.Store(0)
	page, err := h.Log(h.ctx, account.Actor{Environment: "prod", User: "bob"}, directory.LogFilter{Account: "globex", Subject: "account:globex", Limit: 1})
	h.must(err)
	if n := h.store.logs.Load(); len(page.Entries) != 1 || !page.More || n > 2 {
		t.Errorf("%d entries, more %t, the journal was read %d times", len(page.Entries), page.More, n)
	}
}
