package storetest

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// queueMany queues letters of an environment, all due by now.
func (w *world) queueMany(env account.EnvironmentID, letters int) {
	w.Helper()
	w.env = env
	changes := []account.Change{create(tenant("a", ""))}
	for i := range letters {
		changes = append(changes, create(invitation(numbered[account.InvitationID]("i", i), "a")))
	}
	w.write(changes...)
	w.tx(func(tx directory.Tx) error {
		for i := range letters {
			if err := tx.QueueLetter(w.ctx, numbered[account.InvitationID]("i", i), numbered[string](string(env), i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// testLetterTurns: the many letters of one environment, however long they have been waiting, do not delay those of others.
func testLetterTurns(w *world) {
	t := w.T
	now := w.at(born)
	w.found("alpha")
	w.found("zeta")
	w.queueMany("dev", 300)
	*now = born.Add(time.Hour)
	w.queueMany("zeta", 3)
	w.queueMany("alpha", 2)

	var one []account.EnvironmentID
	for range 8 {
		jobs := w.due(1, 2*time.Hour)
		if len(jobs) != 1 {
			t.Fatalf("%d letters were claimed", len(jobs))
		}
		one = append(one, jobs[0].Environment)
	}
	want(t, "one by one", one, nil, []account.EnvironmentID{"alpha", "dev", "zeta", "alpha", "dev", "zeta", "dev", "zeta"})

	// those who wait for nobody have all; of several, each has a share
	jobs := w.due(4, 2*time.Hour)
	want(t, "alone", len(jobs), nil, 4)
	for i, j := range jobs {
		want(t, "in the order of their waiting", j, nil, directory.LetterJob{Environment: "dev", ID: numbered[string]("dev", 3+i), Attempt: 1})
	}
	w.env = "zeta"
	w.queue("i000", "again")
	w.queue("i001", "again-1")
	jobs = w.due(7, 2*time.Hour)
	counts := map[account.EnvironmentID]int{}
	for _, j := range jobs {
		counts[j.Environment]++
	}
	want(t, "shares", counts, nil, map[account.EnvironmentID]int{"dev": 5, "zeta": 2})
	want(t, "none asked for", len(w.due(0, time.Hour)), nil, 0)
}

// testOpenInvitations: what has expired is not open.
func testOpenInvitations(w *world) {
	t := w.T
	late := invitation("late", "a")
	late.ExpiresAt = born.Add(9 * time.Hour)
	w.write(create(tenant("a", "")), create(tenant("b", "")), create(invitation("one", "a")), create(late), create(invitation("two", "b")))
	w.read(func(r directory.Reader) {
		for at, wanted := range map[time.Duration]int{0: 2, time.Hour - time.Microsecond: 2, time.Hour: 1, 9 * time.Hour: 0} {
			n, err := r.OpenInvitations(w.ctx, "a", born.Add(at))
			want(t, "open after "+at.String(), n, err, wanted)
		}
		n, err := r.OpenInvitations(w.ctx, "no-such", born)
		want(t, "of no account", n, err, 0)
	})
}
