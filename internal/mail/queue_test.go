package mail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/mail"
)

// memory is a queue with a clock of its own.
type memory struct {
	t *testing.T

	mu      sync.Mutex
	now     time.Time
	entries []*entry
	away    error // what every call is answered with, if it is not nil
	links   int
	changed chan struct{}
}

// entry is a job with what became of it.
type entry struct {
	job    mail.Job
	due    time.Time // from when on it may be claimed
	gone   bool      // there is nothing to send any more
	state  string    // queued, sent, given up or dropped
	causes []string
}

func newMemory(t *testing.T) *memory {
	return &memory{t: t, now: time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC), changed: make(chan struct{})}
}

// add queues a letter.
func (q *memory) add() *entry {
	var e *entry
	q.change(func() {
		e = &entry{job: mail.Job{Environment: "prod", ID: fmt.Sprint("job-", len(q.entries))}, due: q.now, state: "queued"}
		q.entries = append(q.entries, e)
	})
	return e
}

// change does something and tells all who wait.
func (q *memory) change(fn func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	fn()
	close(q.changed)
	q.changed = make(chan struct{})
}

// until waits until something holds, which is looked at while nothing changes.
func (q *memory) until(what string, holds func() bool) {
	q.t.Helper()
	deadline := time.After(time.Minute)
	for {
		q.mu.Lock()
		ok, changed := holds(), q.changed
		q.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			q.t.Fatalf("it did not come about that %s", what)
		}
	}
}

func (q *memory) clock() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.now
}

func (q *memory) pass(d time.Duration) { q.change(func() { q.now = q.now.Add(d) }) }

func (q *memory) Due(_ context.Context, n int, lease time.Duration) (jobs []mail.Job, err error) {
	q.change(func() {
		if err = q.away; err != nil {
			return
		}
		for _, e := range q.entries {
			if len(jobs) < n && e.state == "queued" && !e.due.After(q.now) {
				e.job.Attempt++
				e.due = q.now.Add(lease)
				jobs = append(jobs, e.job)
			}
		}
	})
	return jobs, err
}

func (q *memory) Letter(_ context.Context, job mail.Job) (l mail.Letter, ok bool, err error) {
	err = q.settle(job, func(e *entry) {
		if e.gone {
			e.state = "dropped"
			return
		}
		q.links++
		l, ok = letter(), true
		l.Link = fmt.Sprintf("https://app.example/invitations?job=%s&token=s3cr3t-%d", job.ID, q.links)
	})
	return l, ok, err
}

func (q *memory) Sent(_ context.Context, job mail.Job) error {
	return q.settle(job, func(e *entry) { e.state = "sent" })
}

func (q *memory) Failed(_ context.Context, job mail.Job, cause string, again time.Time) error {
	return q.settle(job, func(e *entry) { e.causes, e.due = append(e.causes, cause), again })
}

func (q *memory) GiveUp(_ context.Context, job mail.Job, cause string) error {
	return q.settle(job, func(e *entry) { e.causes, e.state = append(e.causes, cause), "given up" })
}

func (q *memory) Waiting(context.Context) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.entries {
		if e.state == "queued" {
			n++
		}
	}
	return n, q.away
}

// settle does something with the entry of a job, which has to be as it was claimed.
func (q *memory) settle(job mail.Job, fn func(*entry)) (err error) {
	q.change(func() {
		if err = q.away; err != nil {
			return
		}
		i := slices.IndexFunc(q.entries, func(e *entry) bool { return e.job == job && e.state == "queued" })
		if i < 0 {
			err = errors.New("the job is not claimed, or not as this attempt")
			q.t.Errorf("%+v: %v", job, err)
			return
		}
		fn(q.entries[i])
	})
	return err
}
