package storetest

import (
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// testAppendOrder has changes that refer to each other, in the less obvious order.
func testAppendOrder(w *world) {
	t := w.T
	w.write(create(assignment("child", "r")), create(member("child", "u", "r")), create(tenant("child", "parent")),
		create(person("u")), create(tenant("parent", "")), create(role("r", "p")))

	// One user gives up an address, another takes it; a third is deleted, a fourth takes that one's.
	heir, giver := person("heir"), person("u")
	w.write(create(heir), create(person("old")), create(person("next")))
	giver.Email = "new@example.com"
	taker, late := heir, person("late")
	taker.Email = person("u").Email
	late.Email = person("old").Email
	w.write(create(late), update(person("u"), giver), update(heir, taker), remove(person("old")))

	// Addresses are handed on along a line of users, in the order of their ids and against it.
	for _, line := range [][]account.UserID{{"l1", "l2", "l3"}, {"l6", "l5", "l4"}} {
		var changes []account.Change
		address := "free-" + string(line[0]) + "@example.com"
		for _, id := range line {
			w.write(create(person(id)))
			after := person(id)
			after.Email, address = address, person(id).Email
			changes = append(changes, update(person(id), after))
		}
		w.write(changes...)
	}

	w.write(remove(tenant("parent", "")), remove(tenant("child", "parent")), remove(role("r", "p")),
		remove(giver), remove(member("child", "u", "r")), remove(assignment("child", "r")))
	w.read(func(r directory.Reader) {
		accounts, n, err := r.Accounts(w.ctx, directory.AccountFilter{Limit: 5})
		want(t, "accounts", len(accounts)+n, err, 0)
		u, err := r.UserByEmail(w.ctx, "u@example.com")
		want(t, "new holder of the address", u.Value.ID, err, "heir")
		u, err = r.UserByEmail(w.ctx, "old@example.com")
		want(t, "holder of a deleted user's address", u.Value.ID, err, "late")
	})
}

// testAppendTwice changes one entity several times in one entry.
func testAppendTwice(w *world) {
	t := w.T
	first := tenant("a", "")
	second, third := first, first
	second.Name, third.Name = "second", "third"
	narrow, wide := role("r", "p1"), role("r", "p1", "p2")
	w.write(create(first), update(first, second), remove(second), create(third),
		create(narrow), update(narrow, wide), update(wide, narrow), update(narrow, wide))
	w.read(func(r directory.Reader) {
		a, err := r.Account(w.ctx, "a")
		want(t, "account", a.Value, err, third)
		got, err := r.Role(w.ctx, "r")
		want(t, "role", got.Value, err, wide)
	})
}

// testAppendWrongBefore appends changes of what is not there.
func testAppendWrongBefore(w *world) {
	t := w.T
	w.write(create(tenant("a", "")), create(person("u")), create(role("r", "p")), create(role("s")), create(member("a", "u", "r")), create(assignment("a", "r")))
	tests := map[string]account.Change{
		"update of no account":            update(tenant("x", ""), tenant("x", "")),
		"removal of no account":           remove(tenant("x", "")),
		"update of no user":               update(person("x"), person("x")),
		"removal of no membership":        remove(member("a", "x", "r")),
		"update of no assignment":         update(assignment("a", "s"), assignment("a", "s")),
		"removal of a permission not had": update(role("r", "p", "q"), role("r")),
		"addition of a permission had":    update(role("r"), role("r", "p")),
		"removal of a role not held":      update(member("a", "u", "r", "s"), member("a", "u", "r")),
		"removal with a part not there":   remove(role("r", "p", "q")),
		"change into another thing":       update(tenant("a", ""), tenant("b", "")),
		"change into another kind":        {Before: account.Of(tenant("a", "")), After: account.Of(person("a"))},
		"empty change":                    {},
		"empty entity":                    {After: &account.Entity{}},
	}
	for what, change := range tests {
		_, err := w.try(change)
		wantInternal(t, what, err)
		_, err = w.try(create(tenant("new", "")), change)
		wantInternal(t, what+", among others", err)
	}
	err := w.db.Write(w.ctx, w.env, func(tx directory.Tx) error {
		foreign := entry(account.Imported)
		foreign.Environment = "elsewhere"
		_, err := tx.Append(w.ctx, foreign)
		return err
	})
	wantInternal(t, "entry of another environment", err)
	want(t, "head", w.head(), nil, 2)
}

// testAppendThousands appends, changes and removes more rows than a statement could name one by one.
func testAppendThousands(w *world) {
	t := w.T
	const n = 12_000
	changes, updates, removals := []account.Change{create(role("r"))}, []account.Change{}, []account.Change{}
	for i := range n {
		id, parent := numbered[account.ID]("a", i), account.ID("")
		if i > 0 {
			parent = numbered[account.ID]("a", (i-1)/10)
		}
		before := tenant(id, parent)
		after := before
		after.SubAccountManagement = true
		changes = append(changes, create(before), create(assignment(id, "r")))
		updates = append(updates, update(before, after))
		removals = append(removals, remove(after), remove(assignment(id, "r")))
	}
	w.write(changes...)
	w.write(updates...)
	var ids []account.ID
	w.read(func(r directory.Reader) {
		counts, err := r.Counts(w.ctx, "a000")
		want(t, "counts", counts, err, directory.Counts{Children: 10, Descendants: n - 1})
		all, err := r.Descendants(w.ctx, "a000", 0)
		want(t, "descendants", len(all), err, n-1)
		for _, a := range all {
			if !a.SubAccountManagement {
				t.Fatalf("%s was not changed", a.ID)
			}
			ids = append(ids, a.ID)
		}
		all, err = r.WithAncestors(w.ctx, ids)
		want(t, "with ancestors", len(all), err, n)
	})
	w.write(removals...)
	w.read(func(r directory.Reader) {
		_, total, err := r.Accounts(w.ctx, directory.AccountFilter{Limit: 1})
		want(t, "accounts left", total, err, 0)
	})
}

// testFailedAppend swallows the error of an Append: nothing of the transaction may stay.
func testFailedAppend(w *world) {
	t := w.T
	w.write(create(tenant("a", "")))
	var second error
	err := w.db.Write(w.ctx, w.env, func(tx directory.Tx) error {
		if _, err := tx.Append(w.ctx, entry(account.Imported, create(tenant("b", "")))); err != nil {
			t.Error(err)
		}
		_, _ = tx.Append(w.ctx, entry(account.Imported, create(person("u")), remove(tenant("missing", ""))))
		_, second = tx.Append(w.ctx, entry(account.Imported, create(tenant("c", ""))))
		return nil
	})
	wantInternal(t, "write", err)
	wantInternal(t, "append after a failed one", second)
	want(t, "head", w.head(), nil, 2)
	w.read(func(r directory.Reader) {
		_, total, err := r.Accounts(w.ctx, directory.AccountFilter{Limit: 1})
		want(t, "accounts", total, err, 1)
	})
}

// testDangling commits references to what does not exist.
func testDangling(w *world) {
	t := w.T
	w.write(create(tenant("a", "")), create(person("u")), create(role("r")), create(member("a", "u", "r")), create(assignment("a", "r")))
	for what, change := range map[string]account.Change{
		"account under none":         create(tenant("b", "none")),
		"member of no account":       create(member("none", "u", "r")),
		"membership of nobody":       create(member("a", "none", "r")),
		"member with no role":        update(member("a", "u", "r"), member("a", "u", "none")),
		"assignment of no role":      create(assignment("a", "none")),
		"removal of a role in use":   remove(role("r")),
		"removal of a member":        remove(person("u")),
		"removal of account with it": remove(tenant("a", "")),
	} {
		_, err := w.try(change)
		wantInternal(t, what, err)
	}
	want(t, "head", w.head(), nil, 2)
	w.write(create(tenant("b", "a"))) // the connection is good after all these failures
}

func testRollback(w *world) {
	t := w.T
	mine := errors.New("mine")
	put := func(tx directory.Tx) {
		if _, err := tx.Append(w.ctx, entry(account.Imported, create(tenant("a", "")), create(person("u")))); err != nil {
			t.Error(err)
		}
		if err := tx.Remember(w.ctx, "key", directory.Remembered{Version: 2}); err != nil {
			t.Error(err)
		}
		if _, err := tx.Account(w.ctx, "a"); err != nil {
			t.Errorf("a transaction does not see its own change: %v", err)
		}
	}
	err := w.db.Write(w.ctx, w.env, func(tx directory.Tx) error { put(tx); return mine })
	if err != mine { //nolint:errorlint // it must be the very error
		t.Errorf("write returned %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = w.db.Write(w.ctx, w.env, func(tx directory.Tx) error { put(tx); panic("for the test") })
	}()
	err = w.db.Read(w.ctx, w.env, func(directory.Reader) error { return mine })
	if err != mine { //nolint:errorlint // it must be the very error
		t.Errorf("read returned %v", err)
	}
	err = w.db.Write(w.ctx, w.env, func(tx directory.Tx) error {
		if _, ok, err := tx.Recall(w.ctx, "key"); ok || err != nil {
			t.Errorf("recalled what was rolled back: %v", err)
		}
		if _, err := tx.Account(w.ctx, "a"); !errors.Is(err, fault.NotFound) {
			t.Errorf("account: %v", err)
		}
		head, err := tx.Head(w.ctx)
		want(t, "head", head, err, 1)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
