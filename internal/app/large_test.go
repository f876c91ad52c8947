package app_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relay"
)

// largeMembers is how many members a large account has, crashMembers one whose
// entry is cut in the middle: several calls to the engine. They are not for the race detector.
const (
	largeMembers = 50_000
	crashMembers = 4_000
)

func largeMember(i int) string { return fmt.Sprintf("m%05d", i) }

// crowd makes users, all viewers of an account that is always_on, in a few entries written straight into the store.
func (w *world) crowd(top string, members int) {
	w.t.Helper()
	each := min(members, 10_000)
	for from := 0; from < members; from += each {
		var changes []account.Change
		now := time.Now().UTC().Truncate(time.Microsecond)
		for i := from; i < from+each; i++ {
			id := account.UserID(largeMember(i))
			changes = append(changes,
				account.Change{After: account.Of(account.User{ID: id, Email: string(id) + "@crowd.example", CreatedAt: now})},
				account.Change{After: account.Of(account.Membership{Account: account.ID(top), User: id, Roles: []account.RoleKey{"viewer"}, CreatedAt: now})})
		}
		if from == 0 {
			changes = append(changes, account.Change{After: account.Of(account.Assignment{Account: account.ID(top), Role: "viewer", AlwaysOn: true})})
		}
		w.plant(changes...)
	}
	if err := w.CatchUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// poll asks again and again, from several goroutines, whether members open an account and others do not.
type poll struct {
	members int // of whom samples are asked about
	child   string
	never   []string // who must not be found to open it
	patient bool     // an answer that says to come back later is none, and is not held against the service
	asked   atomic.Int64
	stop    chan struct{}
	done    sync.WaitGroup
	found   chan string // what was not as it has to be
}

// begin starts to ask; the poll ends with end.
func (p *poll) begin(c caller) *poll {
	p.stop, p.found = make(chan struct{}), make(chan string, 1)
	for n := range 4 {
		p.done.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(n)))
			for {
				select {
				case <-p.stop:
					return
				default:
				}
				if problem := p.ask(c, random); problem != "" {
					select {
					case p.found <- problem:
					default:
					}
					return
				}
			}
		})
	}
	return p
}

// ask asks about a sample of members, and about all who must not be found.
func (p *poll) ask(c caller, random *rand.Rand) string {
	var items []obj
	item := func(user, permission string) {
		items = append(items, obj{"subject": "user:" + user, "permission": permission, "resource": "account:" + p.child})
	}
	const sample = 20
	for range sample {
		item(largeMember(random.IntN(p.members)), []string{"access", readSubAccounts}[random.IntN(2)])
	}
	for _, user := range p.never {
		item(user, "access")
	}
	a, err := c.try("POST", "/v1/check/bulk", obj{"items": items})
	if err != nil {
		return err.Error()
	}
	if a.status == 503 && p.patient {
		return ""
	}
	if a.status != 200 {
		return fmt.Sprintf("%d %s", a.status, a.raw)
	}
	for i, got := range a.body["items"].([]any) {
		if got.(map[string]any)["allowed"] != (i < sample) {
			return fmt.Sprintf("after %d rounds, %v: %v", p.asked.Load(), items[i], got)
		}
	}
	p.asked.Add(1)
	return ""
}

// end stops asking and says what was found.
func (p *poll) end(t *testing.T) {
	t.Helper()
	close(p.stop)
	p.done.Wait()
	select {
	case problem := <-p.found:
		t.Error(problem)
	default:
	}
	t.Logf("asked %d times meanwhile", p.asked.Load())
	if p.asked.Load() == 0 {
		t.Error("nothing was asked meanwhile")
	}
}

// stations notes when the relay comes to each of its steps with a version.
type stations struct {
	mu   sync.Mutex
	from account.Version
	at   map[relay.Step]time.Time
	mid  chan struct{} // closed in the middle of a version that takes several calls, from that version on
	once sync.Once
}

func (s *stations) note(step relay.Step, version account.Version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.from == 0 || version < s.from {
		return
	}
	if _, noted := s.at[step]; !noted {
		s.at[step] = time.Now()
	}
	if step == relay.MidWrite {
		s.once.Do(func() { close(s.mid) })
	}
}

// watch begins to take note, from the version after v.
func (s *stations) watch(v account.Version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from, s.at = v+1, map[relay.Step]time.Time{}
}

// TestS4_LargeAccountLeavesAlwaysOn: 50,000 members have all the time what they had, and nobody else has it.
// The end of always_on is one entry; its beginning is one relationship.
func TestS4_LargeAccountLeavesAlwaysOn(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			seen := &stations{mid: make(chan struct{})}
			cfg := s.make(t)
			cfg.OnStep = seen.note
			// Who comes meanwhile waits for all of it, which on a busy machine may take long.
			cfg.ApplyWait, cfg.FreshWait, cfg.RequestTimeout = 50*time.Second, 50*time.Second, 55*time.Second
			w := furnished(t, cfg)
			top, child := w.branch(always)
			w.crowd(top, largeMembers)
			outsider := w.newUser("initech")
			later := account.UserID(w.newUser("initech"))

			before := w.head("prod")
			seen.watch(before)
			p := (&poll{members: largeMembers, child: child, never: []string{outsider, string(later)}}).begin(w.op)
			joined := make(chan answer, 1)
			go func() { // somebody comes while the entry comes into force
				<-seen.mid
				a, err := w.op.try("PUT", "/v1/accounts/"+top+"/members/"+string(later), obj{"roles": []string{"viewer"}})
				if err != nil {
					t.Error(err)
				}
				joined <- a
			}()
			began := time.Now()
			a := w.op.must("PATCH", "/v1/accounts/"+top, obj{"sub_account_access": off})
			answered := time.Now()
			if a.status != 200 || w.head("prod") > before+2 {
				t.Errorf("the change: %d %s, with %d entries", a.status, a.raw, w.head("prod")-before)
			}
			t.Logf("written after %s, in force after %s, answered after %s",
				seen.at[relay.BeforeWrite].Sub(began), seen.at[relay.AfterSave].Sub(began), answered.Sub(began))
			if a := <-joined; a.status != 200 || a.body["sub_account_access"] != false {
				t.Errorf("who came meanwhile: %d %s", a.status, a.raw)
			}
			p.end(t)
			w.opens(t, string(later), child, false)
			w.opens(t, string(later), top, true)
			w.opens(t, largeMember(0), child, true)

			began = time.Now()
			w.mode(top, always)
			t.Logf("back to always_on in %s", time.Since(began))
			w.opens(t, string(later), child, true)
			if n := (&cast{world: w, top: top}).grants(t, "viewer"); n != largeMembers+1 {
				t.Errorf("%d relationships, want one for each who has kept it and one for all", n)
			}
		})
	}
}
