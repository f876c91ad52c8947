package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relay"
)

// TestS4_LargeCrashInTheMiddle kills the process that brings the end of always_on for thousands of members into
// force when it has sent a part of it. Whoever asks, at the process that starts afterwards or, where there are
// several, at the one that takes over, never finds a member without access; and then all is in force.
func TestS4_LargeCrashInTheMiddle(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			cfg := s.make(t)
			var top, child, outsider string
			var op caller
			var before account.Version
			t.Run("until it is written", func(t *testing.T) { // its process ends before the victim begins
				w := furnished(t, cfg)
				top, child = w.branch(always)
				w.crowd(top, crashMembers)
				outsider = w.newUser("initech")
				op, before = w.op, w.head("prod")
			})
			ask := func(s *service) *poll {
				c := op
				c.s = s
				return (&poll{members: crashMembers, child: child, never: []string{outsider}, patient: true}).begin(c)
			}
			dead := make(chan struct{})
			var after *service
			var p *poll
			if !cfg.Embedded() { // another process is there, and leaves the entry to the victim
				beside := cfg
				beside.TakeOver = time.Second // it looks at the victim's write when that is dead
				beside.OnStep = func(step relay.Step, version account.Version) {
					if step == relay.BeforeWrite && version > before {
						<-dead
					}
				}
				after = start(t, beside)
				catchUp(t, after)
				p = ask(after)
			}
			v := victim{
				DataDir: cfg.DataDir, Database: cfg.Database, Remote: cfg.Remote,
				Step: relay.MidWrite, Version: before + 1, Leaves: account.ID(top),
			}
			killed(t, v)
			close(dead)
			began := time.Now()
			if after == nil {
				after = start(t, cfg)
				p = ask(after)
			}
			catchUp(t, after)
			t.Logf("all in force %s after the end of the victim", time.Since(began))
			if n := after.head("prod"); n != before+1 {
				t.Errorf("the journal stands at %d, want %d", n, before+1)
			}
			answers := p.asked.Load()
			eventually(t, "answers of the service afterwards", func() bool { return p.asked.Load() > answers+5 })
			p.end(t)
			w := &world{service: after}
			w.op = op
			w.op.s = after
			w.inStep(t)
			if n := (&cast{world: w, top: top}).grants(t, "viewer"); n != crashMembers {
				t.Errorf("%d relationships of sub-account access", n)
			}
		})
	}
}

// catchUp waits until all that is recorded is in force.
func catchUp(t *testing.T, s *service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := s.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
}
