package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/store"
)

// testL1 reads back every entry as it was appended (L1).
func testL1(w *world) {
	t := w.T
	first := entry(account.EnvironmentCreated, create(environment("dev")))
	first.Environment, first.Version = "dev", 1
	wanted := []account.Entry{first}
	for i := range 30 {
		e := entry(account.AccountCreated, create(tenant(numbered[account.ID]("a", i), "")))
		e.Actor = account.Actor{Client: "backend", User: numbered[account.UserID]("u", i)}
		e.At = born.Add(time.Duration(i) * time.Second)
		err := w.db.Write(w.ctx, w.env, func(tx directory.Tx) error {
			v, err := tx.Append(w.ctx, e)
			e.Environment, e.Version = w.env, v
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		wanted = append(wanted, e)
	}
	var got []account.Entry
	for len(got) < len(wanted) {
		next, err := w.db.Entries(w.ctx, w.env, account.Version(len(got)), 7)
		if err != nil || len(next) == 0 {
			t.Fatalf("after %d: %d entries, %v", len(got), len(next), err)
		}
		if full := len(wanted)-len(got) >= 7; full && len(next) != 7 {
			t.Errorf("after %d: %d entries where 7 were asked for", len(got), len(next))
		}
		got = append(got, next...)
	}
	ids := map[string]bool{"": true}
	for i, e := range got {
		if ids[e.ID] {
			t.Errorf("entry %d has the id %q, which is empty or another's", e.Version, e.ID)
		}
		ids[e.ID] = true
		wanted[i].ID = e.ID
	}
	want(t, "journal", got, nil, wanted)
	for _, after := range []account.Version{31, 1000} {
		none, err := w.db.Entries(w.ctx, w.env, after, 7)
		want(t, "after the end", len(none), err, 0)
	}
	none, err := w.db.Entries(w.ctx, "nowhere", 0, 7)
	want(t, "of no environment", len(none), err, 0)
	w.read(func(r directory.Reader) {
		all, err := r.Entries(w.ctx, 29, 100)
		want(t, "through a reader", all, err, wanted[29:])
	})
}

// testBoundedPages reads entries of some megabytes: no answer holds many of them, each holds one at least.
func testBoundedPages(w *world) {
	t := w.T
	const megabyte = 1 << 20
	sizes := []int{3, 3, 3, 12, 1, 20, 0, 0, 0}
	for i, size := range sizes {
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
	// an answer ends with the entry that takes it past 8 MB
	for after, wanted := range map[account.Version]int{0: 4, 1: 3, 4: 1, 5: 2, 7: 3, 10: 0} {
		got, err := w.db.Entries(w.ctx, w.env, after, 100)
		want(t, fmt.Sprintf("entries after %d", after), len(got), err, wanted)
		for i, e := range got {
			want(t, "version", e.Version, nil, after+account.Version(i)+1)
		}
	}
	two, err := w.db.Entries(w.ctx, w.env, 7, 2)
	want(t, "as many as asked for", len(two), err, 2)
	w.read(func(r directory.Reader) {
		got, err := r.Entries(w.ctx, 4, 100)
		want(t, "through a reader", len(got), err, 1)
	})
}

func testMemory(w *world) {
	t, now := w.T, born
	w.db = w.open(t, store.Config{Now: func() time.Time { return now }})
	db := w.db
	w.found("dev")
	w.found("other")
	kept := directory.Remembered{Fingerprint: []byte{1, 0, 0xff}, Version: 7, Result: []byte(`{"id":"a"}`)}
	remember := func(key string) error {
		return db.Write(w.ctx, "dev", func(tx directory.Tx) error { return tx.Remember(w.ctx, key, kept) })
	}
	recall := func(env account.EnvironmentID, key string) (r directory.Remembered, ok bool) {
		t.Helper()
		err := db.Write(w.ctx, env, func(tx directory.Tx) (err error) {
			r, ok, err = tx.Recall(w.ctx, key)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return r, ok
	}
	if err := remember("key"); err != nil {
		t.Fatal(err)
	}
	got, ok := recall("dev", "key")
	want(t, "remembered", got, nil, kept)
	want(t, "found", ok, nil, true)
	for _, miss := range []struct {
		env account.EnvironmentID
		key string
	}{{"dev", "KEY"}, {"dev", ""}, {"other", "key"}} {
		if _, ok := recall(miss.env, miss.key); ok {
			t.Errorf("recalled %s %q", miss.env, miss.key)
		}
	}
	wantInternal(t, "a key remembered twice", remember("key"))

	now = born.Add(24*time.Hour - time.Second)
	if _, ok := recall("dev", "key"); !ok {
		t.Error("forgotten within 24 hours")
	}
	now = born.Add(24 * time.Hour)
	if _, ok := recall("dev", "key"); ok {
		t.Error("recalled after 24 hours")
	}
	if err := remember("key"); err != nil {
		t.Errorf("a key cannot be used again after 24 hours: %v", err)
	}
	err := db.Write(w.ctx, "dev", func(tx directory.Tx) error {
		return tx.Remember(w.ctx, "empty", directory.Remembered{})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := recall("dev", "empty"); !ok || len(got.Fingerprint)+len(got.Result) != 0 {
		t.Errorf("empty memory: %v %v", got, ok)
	}
}

func testPositions(w *world) {
	t := w.T
	w.found("other")
	position := func(env account.EnvironmentID, engine, token string, version account.Version) {
		t.Helper()
		v, got, err := w.db.Position(w.ctx, env, engine)
		want(t, "version", v, err, version)
		want(t, "token", got, nil, token)
	}
	save := func(version account.Version, token string) {
		t.Helper()
		if err := w.db.SavePosition(w.ctx, "dev", "remote", version, token); err != nil {
			t.Fatal(err)
		}
	}
	position("dev", "remote", "", 0)
	position("nowhere", "remote", "", 0)
	save(5, "five")
	position("dev", "remote", "five", 5)
	save(4, "four")
	save(5, "other")
	position("dev", "remote", "five", 5)
	save(9, "nine")
	position("dev", "remote", "nine", 9)
	position("other", "remote", "", 0)
	position("dev", "memory-1", "", 0)
	wantFault(t, "no environment", w.db.SavePosition(w.ctx, "nowhere", "remote", 1, "t"), fault.NotFound, "environment_not_found")
	for range 2 {
		if err := w.db.ForgetPosition(w.ctx, "dev", "remote"); err != nil {
			t.Fatal(err)
		}
		position("dev", "remote", "", 0)
	}
	save(1, "one")
	position("dev", "remote", "one", 1)
}

func testCancelled(w *world) {
	t := w.T
	for _, hit := range []string{"before", "inside"} {
		ctx, cancel := context.WithCancel(w.ctx)
		if hit == "before" {
			cancel()
		}
		err := w.db.Write(ctx, w.env, func(tx directory.Tx) error {
			if _, err := tx.Append(ctx, entry(account.Imported, create(tenant("a", "")))); err != nil {
				return err
			}
			cancel()
			_, err := tx.Account(ctx, "a")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled %s: %v", hit, err)
		}
		if err := w.db.Read(ctx, w.env, func(directory.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("read: %v", err)
		}
		cancel()
	}
	want(t, "head", w.head(), nil, 1)
	w.write(create(tenant("a", "")))
}

func testClosed(w *world) {
	t := w.T
	if err := w.db.Ping(w.ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Ping(w.ctx); err == nil {
		t.Error("a closed database answers")
	}
	if _, err := w.try(); err == nil || bytes.Contains([]byte(err.Error()), []byte("panic")) {
		t.Errorf("write to a closed database: %v", err)
	}
}
