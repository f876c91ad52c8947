package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// log reads one page and returns the versions on it.
func (w *world) log(q directory.LogQuery) (versions []account.Version, more bool) {
	w.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	w.read(func(r directory.Reader) {
		entries, any, err := r.Log(w.ctx, q)
		if err != nil {
			w.Fatal(err)
		}
		versions, more = versionsOf(entries), any
	})
	return versions, more
}

// testBoundedLog is testBoundedPages for the log, in both directions.
func testBoundedLog(w *world) {
	t := w.T
	const megabyte = 1 << 20
	for i, size := range []int{3, 3, 3, 12, 1, 20, 0, 0, 0} {
		e := entry(account.AccountCreated, create(tenant(numbered[account.ID]("a", i), "")))
		e.RequestID = strings.Repeat("x", size*megabyte)
		err := w.db.Write(w.ctx, w.env, func(tx directory.Tx) error {
			_, err := tx.Append(w.ctx, e)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		q        directory.LogQuery
		versions []account.Version
		more     bool
	}{
		{directory.LogQuery{}, []account.Version{1, 2, 3, 4}, true},
		{directory.LogQuery{After: 1}, []account.Version{2, 3, 4}, true},
		{directory.LogQuery{After: 4}, []account.Version{5}, true},
		{directory.LogQuery{After: 5, Limit: 2}, []account.Version{6, 7}, true},
		{directory.LogQuery{After: 7}, []account.Version{8, 9, 10}, false},
		{directory.LogQuery{After: 7, Limit: 2}, []account.Version{8, 9}, true},
		{directory.LogQuery{Newest: true}, []account.Version{10, 9, 8, 7}, true},
		{directory.LogQuery{Newest: true, Before: 6}, []account.Version{5}, true},
		{directory.LogQuery{Newest: true, Before: 3}, []account.Version{2, 1}, false},
		{directory.LogQuery{After: 1, MaxBytes: 2 * megabyte}, []account.Version{2}, true},
		{directory.LogQuery{Subject: account.Ref{Type: "account", ID: "a003"}}, []account.Version{5}, false},
	} {
		got, more := w.log(c.q)
		want(t, fmt.Sprintf("%+v", c.q), got, nil, c.versions)
		want(t, fmt.Sprintf("more of %+v", c.q), more, nil, c.more)
	}
}

// testLogOfDeleted asks for accounts that are gone, whose ids are used again, and that were moved.
func testLogOfDeleted(w *world) {
	t := w.T
	w.write(create(tenant("top", "")), create(tenant("other", "")))               // 2
	w.write(create(tenant("mid", "top")))                                         // 3
	w.write(create(tenant("leaf", "mid")))                                        // 4
	w.write(remove(tenant("leaf", "mid")))                                        // 5
	w.write(remove(tenant("mid", "top")))                                         // 6
	w.write(create(tenant("leaf", "other")))                                      // 7
	w.write(update(tenant("leaf", "other"), tenant("leaf", "")))                  // 8
	w.write(update(tenant("leaf", ""), tenant("leaf", "other")))                  // 9
	w.write(create(person("u")), create(role("r")))                               // 10
	w.write(create(member("leaf", "u", "r")), create(assignment("leaf", "r")))    // 11
	w.write(create(tenant("phoenix", "top")))                                     // 12
	w.write(remove(tenant("phoenix", "top")), create(tenant("phoenix", "other"))) // 13
	type versions = []account.Version
	for _, c := range []struct {
		q        directory.LogQuery
		versions versions
	}{
		{directory.LogQuery{Account: "leaf"}, versions{4, 5, 7, 8, 9, 11}},
		{directory.LogQuery{Account: "leaf", Present: true}, versions{7, 8, 9, 11}},
		{directory.LogQuery{Account: "mid"}, versions{3, 6}},
		{directory.LogQuery{Account: "mid", Present: true}, versions{}},
		{directory.LogQuery{Account: "mid", Branch: true}, versions{3, 4, 5, 6}},
		{directory.LogQuery{Account: "mid", Branch: true, Present: true}, versions{}},
		{directory.LogQuery{Account: "phoenix"}, versions{12, 13}},
		{directory.LogQuery{Account: "phoenix", Present: true}, versions{13}},
		{directory.LogQuery{Account: "top", Branch: true, Present: true}, versions{2, 3, 4, 5, 6, 12, 13}},
		{directory.LogQuery{Account: "other", Branch: true, Present: true}, versions{2, 7, 8, 9, 11, 13}},
		{directory.LogQuery{Account: "other", Branch: true, Subject: account.Ref{Type: "user", ID: "u"}}, versions{11}},
		{directory.LogQuery{Account: "never", Branch: true}, versions{}},
		{directory.LogQuery{Account: "never"}, versions{}},
	} {
		got, _ := w.log(c.q)
		want(t, fmt.Sprintf("%+v", c.q), got, nil, c.versions)
	}
}

// testLogOfLarge appends an entry that concerns fifty thousand users, and finds it by each kind of thing.
func testLogOfLarge(w *world) {
	t := w.T
	const users = 50_000
	changes := []account.Change{create(tenant("a", "")), create(role("r"))}
	for i := range users {
		id := account.UserID(fmt.Sprintf("u%05d", i))
		changes = append(changes, create(person(id)), create(member("a", id, "r")))
	}
	began := time.Now()
	v := w.write(changes...)
	t.Logf("an entry of %d changes took %s", len(changes), time.Since(began).Round(time.Millisecond))
	for _, ref := range []account.Ref{{Type: "account", ID: "a"}, {Type: "role", ID: "r"}, {Type: "user", ID: "u00000"}, {Type: "user", ID: "u49999"}} {
		got, more := w.log(directory.LogQuery{Subject: ref})
		want(t, ref.String(), got, nil, []account.Version{v})
		want(t, "more", more, nil, false)
	}
	got, _ := w.log(directory.LogQuery{Subject: account.Ref{Type: "user", ID: "u50000"}})
	want(t, "of nobody", len(got), nil, 0)
}
