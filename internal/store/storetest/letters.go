package storetest

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/store"
)

func invitation(id account.InvitationID, to account.ID) account.Invitation {
	return account.Invitation{
		ID: id, Account: to, Email: string(id) + "@example.com", Roles: []account.RoleKey{"r", "s"}, Mode: account.DefaultOn, SubAccountAccess: true,
		InvitedBy: account.Actor{Client: "portal", User: "ada"}, CreatedAt: born, SentAt: born.Add(time.Minute), ExpiresAt: born.Add(time.Hour),
	}
}

// at has the world's database of another clock, which stands at now until it is moved.
func (w *world) at(now time.Time) *time.Time {
	w.db = w.open(w.T, store.Config{Now: func() time.Time { return now }})
	w.found(w.env)
	return &now
}

// tx runs fn in a transaction of the environment.
func (w *world) tx(fn func(directory.Tx) error) {
	w.Helper()
	if err := w.db.Write(w.ctx, w.env, fn); err != nil {
		w.Fatalf("write: %v", err)
	}
}

func (w *world) queue(id account.InvitationID, job string) {
	w.Helper()
	w.tx(func(tx directory.Tx) error { return tx.QueueLetter(w.ctx, id, job) })
}

func (w *world) due(n int, lease time.Duration) []directory.LetterJob {
	w.Helper()
	jobs, err := w.db.DueLetters(w.ctx, n, lease)
	if err != nil {
		w.Fatalf("due: %v", err)
	}
	return jobs
}

// delivery is what became of the letter of the invitation "one"; nil if there is none.
func (w *world) delivery() (found *directory.Delivery) {
	w.Helper()
	w.read(func(r directory.Reader) {
		all, err := r.Deliveries(w.ctx, []account.InvitationID{"one", "no-such"})
		if err != nil {
			w.Fatalf("deliveries: %v", err)
		}
		if d, ok := all["one"]; ok {
			found = &d
		}
	})
	return found
}

func testI1(w *world) {
	t := w.T
	ends := born.Add(48 * time.Hour)
	one, other := invitation("one", "a"), invitation("other", "b")
	other.Name, other.MembershipExpiresAt, other.InvitedBy = "Other", &ends, account.Actor{System: true}
	v := w.write(create(tenant("a", "")), create(tenant("b", "")), create(one), create(other))
	w.read(func(r directory.Reader) {
		got, err := r.Invitation(w.ctx, "other")
		want(t, "invitation", got, err, account.Versioned[account.Invitation]{Value: other, Version: v})
		got, err = r.InvitationTo(w.ctx, "a", one.Email)
		want(t, "by address", got, err, account.Versioned[account.Invitation]{Value: one, Version: v})
		_, err = r.InvitationTo(w.ctx, "b", one.Email)
		wantFault(t, "not to this account", err, fault.NotFound, "invitation_not_found")
		page, total, err := r.Invitations(w.ctx, directory.AccountItems{Limit: 1, Query: "o"})
		want(t, "of all accounts", len(page)*10+total, err, 12)
		page, total, err = r.Invitations(w.ctx, directory.AccountItems{Account: "b", Limit: 9})
		want(t, "of one account", len(page)*10+total, err, 11)
	})
	again := one
	again.SentAt, again.ExpiresAt, again.InvitedBy = born.Add(time.Hour), born.Add(9*time.Hour), account.Actor{Client: "op"}
	w.write(update(one, again))
	twin := invitation("twin", "a")
	twin.Email = one.Email
	_, err := w.try(create(twin))
	wantFault(t, "invited twice", err, fault.Exists, "already_invited")
	v = w.write(remove(again), create(twin)) // in place of it
	w.read(func(r directory.Reader) {
		got, err := r.InvitationTo(w.ctx, "a", one.Email)
		want(t, "the one in its place", got, err, account.Versioned[account.Invitation]{Value: twin, Version: v})
	})
}

func testInvitationSecrets(w *world) {
	t := w.T
	one, other := invitation("one", "a"), invitation("other", "a")
	w.write(create(tenant("a", "")), create(one), create(other))
	secrets := func(id account.InvitationID) (kept [][]byte) {
		t.Helper()
		w.read(func(r directory.Reader) {
			var err error
			if kept, err = r.InvitationSecrets(w.ctx, id); err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(kept, bytes.Compare)
		})
		return kept
	}
	first, second := []byte{0, 1, 0xff, '\''}, []byte{1}
	w.tx(func(tx directory.Tx) error { return tx.AddInvitationSecret(w.ctx, "one", second) })
	w.tx(func(tx directory.Tx) error { return tx.AddInvitationSecret(w.ctx, "one", first) })
	w.tx(func(tx directory.Tx) error { return tx.AddInvitationSecret(w.ctx, "other", first) })
	want(t, "secrets", secrets("one"), nil, [][]byte{first, second})
	want(t, "of none", len(secrets("no-such")), nil, 0)
	err := w.db.Write(w.ctx, w.env, func(tx directory.Tx) error { return tx.AddInvitationSecret(w.ctx, "no-such", first) })
	wantInternal(t, "a secret of none", err)

	again := one
	again.SentAt = born.Add(time.Hour)
	w.write(update(one, again))
	want(t, "a change leaves them", len(secrets("one")), nil, 2)
	w.tx(func(tx directory.Tx) error { return tx.DropInvitationSecrets(w.ctx, "one") })
	want(t, "dropped", len(secrets("one")), nil, 0)
	w.write(remove(other))
	want(t, "of an invitation that is gone", len(secrets("other")), nil, 0)
}

func testLetters(w *world) {
	t := w.T
	now := w.at(born)
	w.write(create(tenant("a", "")), create(invitation("one", "a")), create(invitation("two", "a")))
	if d := w.delivery(); d != nil || len(w.due(5, time.Minute)) != 0 {
		t.Errorf("before anything is queued: %+v", d)
	}
	w.queue("one", "job-1")
	*now = born.Add(time.Second)
	w.queue("two", "job-2")
	want(t, "queued", *w.delivery(), nil, directory.Delivery{State: directory.LetterQueued, At: born})
	want(t, "the first", w.due(1, time.Minute), nil, []directory.LetterJob{{Environment: w.env, ID: "job-1", Attempt: 1}})
	jobs := w.due(5, 2*time.Minute)
	want(t, "the second", jobs, nil, []directory.LetterJob{{Environment: w.env, ID: "job-2", Attempt: 1}})
	want(t, "none is left", len(w.due(5, time.Minute)), nil, 0)
	first, second := directory.LetterJob{Environment: w.env, ID: "job-1", Attempt: 1}, jobs[0]

	// a lease that ends is as if the process had died
	*now = born.Add(time.Minute + time.Second)
	want(t, "after the lease", w.due(5, time.Minute), nil, []directory.LetterJob{{Environment: w.env, ID: "job-1", Attempt: 2}})
	current := func(job directory.LetterJob) (id account.InvitationID, ok bool) {
		t.Helper()
		w.tx(func(tx directory.Tx) (err error) { id, ok, err = tx.QueuedLetter(w.ctx, job); return err })
		return id, ok
	}
	if _, ok := current(first); ok {
		t.Error("a claim that another has taken over still counts")
	}
	if err := w.db.LetterFailed(w.ctx, first, "late", now.Add(-time.Hour)); err != nil || len(w.due(5, time.Minute)) != 0 {
		t.Errorf("who comes late frees the job: %v", err)
	}
	if err := w.db.LetterGivenUp(w.ctx, first, "late"); err != nil || w.delivery().State != directory.LetterQueued {
		t.Errorf("who comes late gives the job up: %v", err)
	}
	first.Attempt = 2
	if id, ok := current(first); !ok || id != "one" {
		t.Errorf("the job that is claimed is of %q, %t", id, ok)
	}

	// failed, tried again, sent
	again := now.Add(time.Hour)
	if err := w.db.LetterFailed(w.ctx, first, "the server is away\x00\xff"+strings.Repeat("é", 400), again); err != nil {
		t.Fatal(err)
	}
	d := w.delivery()
	if d.State != directory.LetterQueued || d.Attempts != 2 || !strings.HasPrefix(d.LastError, "the server is away") || len(d.LastError) > 500 || !d.At.Equal(*now) {
		t.Errorf("after a failure: %+v", d)
	}
	waiting, err := w.db.LettersWaiting(w.ctx)
	want(t, "waiting", waiting, err, 2)
	if err := w.db.LetterSent(w.ctx, second); err != nil {
		t.Fatal(err)
	}
	*now = again.Add(-time.Second)
	want(t, "not yet", len(w.due(5, time.Minute)), nil, 0)
	*now = again
	third := w.due(5, time.Minute)
	want(t, "again", third, nil, []directory.LetterJob{{Environment: w.env, ID: "job-1", Attempt: 3}})
	if err := w.db.LetterSent(w.ctx, first); err != nil { // by who has taken longer than the lease
		t.Fatal(err)
	}
	want(t, "sent", *w.delivery(), nil, directory.Delivery{State: directory.LetterSent, Attempts: 3, At: again})
	if _, ok := current(third[0]); ok {
		t.Error("a letter that is sent is to be sent")
	}
	*now = again.Add(time.Hour)
	want(t, "all is sent", len(w.due(5, time.Minute)), nil, 0)
	waiting, err = w.db.LettersWaiting(w.ctx)
	want(t, "none waits", waiting, err, 0)

	// queued anew, the old job counts no more
	w.queue("one", "job-3")
	if err := w.db.LetterGivenUp(w.ctx, third[0], "late"); err != nil {
		t.Fatal(err)
	}
	want(t, "anew", *w.delivery(), nil, directory.Delivery{State: directory.LetterQueued, At: *now})
	jobs = w.due(5, time.Minute)
	want(t, "the new job", jobs, nil, []directory.LetterJob{{Environment: w.env, ID: "job-3", Attempt: 1}})
	if err := w.db.LetterGivenUp(w.ctx, jobs[0], "no such mailbox"); err != nil {
		t.Fatal(err)
	}
	want(t, "given up", *w.delivery(), nil, directory.Delivery{State: directory.LetterFailed, Attempts: 1, LastError: "no such mailbox", At: *now})
}

// testForeignLetters: jobs of environments with the same ids are apart, and end with their invitations.
func testForeignLetters(w *world) {
	t := w.T
	w.found("prod")
	for _, env := range []account.EnvironmentID{"dev", "prod"} {
		w.env = env
		w.write(create(tenant("a", "")), create(invitation("one", "a")), create(invitation("two", "a")))
		w.queue("one", "job-"+string(env))
		w.queue("two", "more-"+string(env))
	}
	w.write(remove(invitation("two", "a")))
	w.tx(func(tx directory.Tx) error { return tx.GiveUpLetter(w.ctx, "one", "expired") })
	jobs := w.due(9, time.Minute)
	slices.SortFunc(jobs, func(a, b directory.LetterJob) int { return strings.Compare(a.ID, b.ID) })
	if diff := cmp.Diff([]directory.LetterJob{{Environment: "dev", ID: "job-dev", Attempt: 1}, {Environment: "dev", ID: "more-dev", Attempt: 1}}, jobs); diff != "" {
		t.Error(diff)
	}
	if d := w.delivery(); d.State != directory.LetterFailed || d.LastError != "expired" {
		t.Errorf("given up: %+v", d)
	}
	w.tx(func(tx directory.Tx) error { return tx.DropLetter(w.ctx, "one") })
	if d := w.delivery(); d != nil {
		t.Errorf("dropped: %+v", d)
	}
}

// testLetterClaims: many claim at once, and nobody gets what another has.
func testLetterClaims(w *world) {
	t := w.T
	const letters, couriers = 60, 6
	w.queueMany(w.env, letters)
	var mu sync.Mutex
	claimed := map[string]int{}
	var all sync.WaitGroup
	for range couriers {
		all.Go(func() {
			for {
				jobs, err := w.db.DueLetters(w.ctx, 4, time.Hour)
				if err != nil {
					t.Errorf("due: %v", err)
					return
				}
				mu.Lock()
				for _, j := range jobs {
					claimed[j.ID]++
				}
				done := len(claimed) == letters
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	all.Wait()
	for id, n := range claimed {
		if n != 1 {
			t.Errorf("%s was claimed %d times", id, n)
		}
	}
}
