package mail_test

import (
	"context"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/testmail"
)

func TestI1_StoppingFinishesTheLetterUnderWay(t *testing.T) {
	server := testmail.Start(t)
	q := newMemory(t)
	e := q.add()
	held := server.Hold()
	c := run(t, q, sender(t, to(server)))
	<-held.Reached
	c.stop()
	late := q.add() // is not begun any more
	c.Wake()
	select {
	case <-c.ended:
		t.Error("it stopped while a letter was under way")
	default:
	}
	held.Release()
	<-c.ended
	if e.state != "sent" || late.state != "queued" || late.job.Attempt != 0 {
		t.Errorf("the letter is %s, the later one %s after %d attempts", e.state, late.state, late.job.Attempt)
	}
	server.Await(1)
}

// When the grace is over, a letter is given back, for whoever comes next to send at once.
func TestI1_StoppingGivesBackWhatDoesNotFinish(t *testing.T) {
	server := testmail.Start(t)
	q := newMemory(t)
	e := q.add()
	held := server.Hold()
	c := run(t, q, sender(t, to(server)), func(cfg *mail.CourierConfig) { cfg.Grace = time.Millisecond })
	<-held.Reached
	c.stop()
	<-c.ended
	if e.state != "queued" || e.due.After(q.clock()) || len(e.causes) != 1 {
		t.Errorf("the letter is %s, due at %s, after %v", e.state, e.due, e.causes)
	}
	held.Release()
	run(t, q, sender(t, to(server)))
	q.until("the letter is sent", func() bool { return e.state == "sent" })
}

func TestI1_ASendEndsWithItsContext(t *testing.T) {
	server := testmail.Start(t)
	held := server.Hold()
	defer held.Release()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sender(t, to(server)).Send(ctx, letter()) }()
	<-held.Reached
	cancel()
	refused(t, <-done, "mail_unavailable")
	refused(t, sender(t, to(server)).Verify(ctx), "mail_unavailable")
}

// A server that says nothing costs no more than the time of a step.
func TestI1_ASilentServerIsLeft(t *testing.T) {
	server := testmail.Start(t)
	held := server.Hold()
	defer held.Release()
	cfg := to(server)
	cfg.StepTimeout = 50 * time.Millisecond
	cfg.ConnectTimeout = time.Minute
	s := sender(t, cfg)
	err := s.Send(t.Context(), letter())
	for n := 1; !isHeld(held) && n < 100; n++ { // on a busy machine an earlier step may take too long
		refused(t, err, "mail_unavailable")
		err = s.Send(t.Context(), letter())
	}
	refused(t, err, "mail_unavailable")
	if mail.Permanent(err) || !isHeld(held) {
		t.Error(err)
	}
}

func isHeld(h *testmail.Held) bool {
	select {
	case <-h.Reached:
		return true
	default:
		return false
	}
}
