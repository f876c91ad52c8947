package storetest

import (
	"slices"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/store"
)

// testVersions has 16 writers at once; each reads the head it writes after.
func testVersions(w *world) {
	t := w.T
	const writers, each = 16, 10
	var mu sync.Mutex
	var versions []account.Version
	var all sync.WaitGroup
	for n := range writers {
		all.Go(func() {
			for i := range each {
				err := w.db.Write(w.ctx, w.env, func(tx directory.Tx) error {
					before, err := tx.Head(w.ctx)
					if err != nil {
						return err
					}
					_, total, err := tx.Accounts(w.ctx, directory.AccountFilter{Limit: 1})
					if err != nil {
						return err
					}
					if total != int(before)-1 {
						t.Errorf("at version %d there are %d accounts", before, total)
					}
					a := tenant(account.ID("w"+numbered[string]("", n)+numbered[string]("-", i)), "")
					v, err := tx.Append(w.ctx, entry(account.AccountCreated, create(a)))
					if err != nil {
						return err
					}
					if after, err := tx.Head(w.ctx); v != before+1 || after != v || err != nil {
						t.Errorf("appended %d after %d, head %d, %v", v, before, after, err)
					}
					mu.Lock()
					defer mu.Unlock()
					versions = append(versions, v)
					return nil
				})
				if err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	all.Wait()
	slices.Sort(versions)
	entries, err := w.db.Entries(w.ctx, w.env, 0, 1000)
	if err != nil || len(entries) != writers*each+1 || len(versions) != writers*each {
		t.Fatalf("%d entries of %d versions, %v", len(entries), len(versions), err)
	}
	for i, e := range entries {
		if e.Version != account.Version(i+1) || i > 0 && versions[i-1] != e.Version {
			t.Fatalf("entry %d has version %d", i, e.Version)
		}
	}
	want(t, "head", w.head(), nil, writers*each+1)
}

// testTwoWriters writes to two environments at once and saves positions meanwhile.
func testTwoWriters(w *world) {
	t := w.T
	w.found("other")
	var all sync.WaitGroup
	for _, env := range []account.EnvironmentID{"dev", "other"} {
		all.Go(func() {
			mine := *w
			mine.env = env
			for i := range 20 {
				if _, err := mine.try(create(tenant(numbered[account.ID]("a", i), ""))); err != nil {
					t.Errorf("write to %s: %v", env, err)
				}
			}
		})
		all.Go(func() {
			for i := range account.Version(20) {
				if err := w.db.SavePosition(w.ctx, env, "remote", i+1, "t"); err != nil {
					t.Errorf("save position of %s: %v", env, err)
				}
			}
		})
	}
	all.Wait()
	heads, err := w.db.Heads(w.ctx)
	want(t, "heads", heads, err, map[account.EnvironmentID]account.Version{"dev": 21, "other": 21})
}

// testSnapshot commits a write while a reader is in the middle, and the reader does not see it.
func testSnapshot(w *world) {
	t := w.T
	w.write(create(tenant("a", "")), create(person("u")), create(role("r")))
	deadline := time.After(patience)
	written := make(chan error, 1)
	w.read(func(r directory.Reader) {
		look := func(when string) {
			t.Helper()
			head, err := r.Head(w.ctx)
			want(t, when+": head", head, err, 2)
			counts, err := r.Counts(w.ctx, "a")
			want(t, when+": counts", counts, err, directory.Counts{})
			_, total, err := r.Users(w.ctx, directory.UserFilter{Limit: 1})
			want(t, when+": users", total, err, 1)
			entries, err := r.Entries(w.ctx, 0, 10)
			want(t, when+": entries", len(entries), err, 2)
		}
		look("before")
		go func() {
			_, err := w.try(create(tenant("b", "a")), create(member("a", "u", "r")), create(person("v")))
			written <- err
		}()
		select {
		case err := <-written:
			if err != nil {
				t.Error(err)
			}
		case <-deadline:
			t.Fatal("the writer waits for the reader")
		}
		look("after")
	})
	w.read(func(r directory.Reader) {
		counts, err := r.Counts(w.ctx, "a")
		want(t, "a new reader: counts", counts, err, directory.Counts{Members: 1, Children: 1, Descendants: 1})
	})

	// A reader neither waits for a writer nor sees what that has not committed.
	err := w.db.Write(w.ctx, w.env, func(tx directory.Tx) error {
		if _, err := tx.Append(w.ctx, entry(account.Imported, create(tenant("c", "a")))); err != nil {
			return err
		}
		w.read(func(r directory.Reader) {
			counts, err := r.Counts(w.ctx, "a")
			want(t, "beside a writer: counts", counts, err, directory.Counts{Members: 1, Children: 1, Descendants: 1})
		})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// testReadInsideWrite has more writers wait for one environment than there are
// connections, each of which reads from outside its transaction once it has its turn.
func testReadInsideWrite(w *world) {
	t := w.T
	w.db = w.open(t, store.Config{Connections: 2})
	w.found(w.env)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			err := w.db.Write(w.ctx, w.env, func(tx directory.Tx) error {
				if err := w.db.Read(w.ctx, w.env, func(directory.Reader) error { return nil }); err != nil {
					return err
				}
				_, err := tx.Append(w.ctx, entry(account.Imported))
				return err
			})
			if err != nil {
				t.Errorf("write: %v", err)
			}
		})
	}
	all.Wait()
	want(t, "head", w.head(), nil, 13)
}
