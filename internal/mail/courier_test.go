package mail_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/testmail"
)

// running is a courier at work.
type running struct {
	*mail.Courier
	log      *said
	registry *prometheus.Registry
	stop     context.CancelFunc
	ended    chan struct{} // closed when it has stopped
}

// run lets a courier work until the test ends. It looks into the queue only when it is woken.
func run(t *testing.T, q *memory, s *mail.Sender, change ...func(*mail.CourierConfig)) *running {
	t.Helper()
	r := &running{log: &said{}, registry: prometheus.NewRegistry(), ended: make(chan struct{})}
	cfg := mail.CourierConfig{Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Registry: r.registry, Now: q.clock, Every: time.Hour, Grace: time.Minute}
	for _, c := range change {
		c(&cfg)
	}
	r.Courier = mail.NewCourier(q, s, cfg)
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	go func() {
		defer close(r.ended)
		r.Run(ctx)
	}()
	t.Cleanup(func() {
		r.stop()
		<-r.ended
		noSecrets(t, "the log", r.log.String())
	})
	return r
}

// measured is the value of a counter or gauge.
func (r *running) measured(t *testing.T, name string) float64 {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue() + f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

func TestI1_ServerAwayThenBack(t *testing.T) {
	server := testmail.Start(t, testmail.User(user, password))
	q := newMemory(t)
	server.Away()
	e := q.add()
	c := run(t, q, sender(t, authenticated(to(server))))
	q.until("the attempt fails", func() bool { return len(e.causes) == 1 })
	if e.causes[0] != "the mail server cannot be reached" {
		t.Errorf("cause: %s", e.causes[0])
	}
	server.Back()
	c.Wake() // it is not due yet
	q.pass(29 * time.Second)
	c.Wake()
	q.pass(time.Minute)
	c.Wake()
	q.until("the letter is sent", func() bool { return e.state == "sent" })
	letters := server.Await(1)
	if len(letters) != 1 || e.job.Attempt != 2 {
		t.Errorf("%d letters after %d attempts", len(letters), e.job.Attempt)
	}
	if !strings.Contains(letters[0].Text, "s3cr3t-2") {
		t.Errorf("each attempt should have a link of its own:\n%s", letters[0].Text)
	}
	c.stop()
	<-c.ended
	if sent, failed := c.measured(t, "tenantry_mail_sent_total"), c.measured(t, "tenantry_mail_failed_total"); sent != 1 || failed != 1 {
		t.Errorf("metrics: %v sent, %v failed", sent, failed)
	}
}

func TestI1_RefusedForNowIsTriedAgainLaterEachTime(t *testing.T) {
	server := testmail.Start(t)
	server.Refuse(testmail.Recipient, testmail.Refusal{Code: 450, Enhanced: [3]int{4, 2, 0}, Text: "ada@globex.example is greylisted"})
	q := newMemory(t)
	e := q.add()
	c := run(t, q, sender(t, to(server)))
	var before time.Duration
	for n := 1; n <= 5; n++ {
		q.until("the attempt fails", func() bool { return len(e.causes) == n })
		pause := e.due.Sub(q.clock())
		if e.causes[n-1] != "the mail server refuses for now (naming the recipient: 450 4.2.0)" || pause <= before {
			t.Errorf("attempt %d: %s, again after %s, before that after %s", n, e.causes[n-1], pause, before)
		}
		before = pause
		if n == 5 {
			server.Accept()
		}
		q.pass(pause)
		c.Wake()
	}
	server.Await(1)
	q.until("the letter is sent", func() bool { return e.state == "sent" })
}

func TestI1_RefusedForGoodIsGivenUpAtOnce(t *testing.T) {
	server := testmail.Start(t)
	server.Refuse(testmail.Recipient, testmail.Refusal{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "no such user: ada@globex.example"})
	q := newMemory(t)
	e := q.add()
	c := run(t, q, sender(t, to(server)))
	q.until("it is given up", func() bool { return e.state == "given up" })
	if e.job.Attempt != 1 || e.causes[0] != "the mail server refuses the recipient (550 5.1.1)" {
		t.Errorf("after %d attempts: %v", e.job.Attempt, e.causes)
	}
	c.stop()
	<-c.ended
	if n := c.measured(t, "tenantry_mail_given_up_total"); n != 1 {
		t.Errorf("metrics: %v given up", n)
	}
}

func TestI1_GivesUpInTheEnd(t *testing.T) {
	server := testmail.Start(t)
	server.Away()
	q := newMemory(t)
	e := q.add()
	start := q.clock()
	c := run(t, q, sender(t, to(server)))
	for n := 1; ; n++ {
		q.until("the attempt fails", func() bool { return len(e.causes) == n })
		if e.state != "queued" {
			break
		}
		q.change(func() { q.now = e.due })
		c.Wake()
	}
	if took := q.clock().Sub(start); e.state != "given up" || took < 60*time.Hour || took > 96*time.Hour {
		t.Errorf("%s after %s and %d attempts", e.state, took, e.job.Attempt)
	}
}

func TestI1_WithdrawnWhileItWaits(t *testing.T) {
	server := testmail.Start(t)
	q := newMemory(t)
	gone, other := q.add(), q.add()
	gone.gone = true
	run(t, q, sender(t, to(server)))
	q.until("both are done", func() bool { return gone.state == "dropped" && other.state == "sent" })
	if n := len(server.Letters()); n != 1 {
		t.Errorf("%d letters", n)
	}
}

func TestI1_TwoCouriersSendEachLetterOnce(t *testing.T) {
	server := testmail.Start(t)
	q := newMemory(t)
	const n = 60
	for range n {
		q.add()
	}
	s := sender(t, to(server))
	first, second := run(t, q, s), run(t, q, s)
	for range 10 {
		first.Wake()
		second.Wake()
	}
	letters := server.Await(n)
	q.until("all are sent", func() bool {
		for _, e := range q.entries {
			if e.state != "sent" || e.job.Attempt != 1 {
				return false
			}
		}
		return true
	})
	if len(letters) != n || len(server.Letters()) != n {
		t.Errorf("%d letters", len(server.Letters()))
	}
}

func TestI1_QueueAway(t *testing.T) {
	server := testmail.Start(t)
	q := newMemory(t)
	q.away = errors.New("the database is away")
	e := q.add()
	held := server.Hold()
	c := run(t, q, sender(t, to(server)), func(cfg *mail.CourierConfig) { cfg.Every = 5 * time.Millisecond })
	q.until("it has asked, and complained", func() bool { return strings.Contains(c.log.String(), "the database is away") })
	q.change(func() { q.away = nil })
	<-held.Reached
	q.change(func() { q.away = errors.New("the database is away again") })
	held.Release()
	server.Await(1)
	q.change(func() { q.away = nil })
	q.until("the letter is known to be sent", func() bool { return e.state == "sent" })
	if n := len(server.Letters()); n != 1 || e.job.Attempt != 1 {
		t.Errorf("%d letters after %d attempts", n, e.job.Attempt)
	}
}

func TestI1_TheMetricsSayWhatWaits(t *testing.T) {
	server := testmail.Start(t)
	server.Refuse(testmail.Recipient, testmail.Refusal{Code: 450, Enhanced: [3]int{4, 2, 0}, Text: "later"})
	q := newMemory(t)
	q.add()
	q.add()
	c := run(t, q, sender(t, to(server)), func(cfg *mail.CourierConfig) { cfg.Every = 5 * time.Millisecond })
	q.until("two wait", func() bool { return c.measured(t, "tenantry_mail_waiting") == 2 })
}
