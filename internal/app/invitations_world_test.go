package app_test

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/testmail"
)

// clock is a service's clock, which a test can put forward.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// mailServer is a mail server that takes letters encrypted, and from one user only.
func mailServer(t testing.TB) *testmail.Server {
	t.Helper()
	return testmail.Start(t, testmail.User("tenantry", "mail-password"))
}

// through are the settings for mail through a server.
func through(s *testmail.Server) mail.Config {
	return mail.Config{Address: s.Address, CAFile: s.CAFile, User: "tenantry", Password: "mail-password", From: "Globex App <no-reply@app.example>"}
}

// mailing is a shape that sends mail, and whose clock can be put forward.
func (s shape) mailing(server *testmail.Server, c *clock) shape {
	plain := s.make
	s.make = func(t testing.TB) app.Config {
		cfg := plain(t)
		if server != nil {
			cfg.Mail = through(server)
		}
		cfg.Now = c.now
		return cfg
	}
	return s
}

// inviting is a world from which invitations can be sent.
type inviting struct {
	*world
	clock *clock
	mail  *testmail.Server
}

func newInviting(t testing.TB, s shape) *inviting {
	t.Helper()
	i := &inviting{clock: &clock{}, mail: mailServer(t)}
	i.world = newWorld(t, s.mailing(i.mail, i.clock))
	i.setPages()
	return i
}

const acceptPage = "https://app.example/invitations?from=mail&token={token}"

// setPages names the pages at which invitations are accepted.
func (w *world) setPages() {
	w.t.Helper()
	for _, c := range []caller{w.op, w.dev} {
		c.must("PATCH", "/v1/environment", obj{"invitation_url": acceptPage})
	}
}

func invitations(id string) string { return "/v1/accounts/" + id + "/invitations" }

// offer is an invitation's body.
func offer(email string, roles ...string) obj {
	if len(roles) == 0 {
		roles = []string{"viewer"}
	}
	return obj{"email": email, "roles": roles}
}

// byHand adds to a body that the link is to be in the answer.
func byHand(body obj) obj {
	body["delivery"] = "link"
	return body
}

// invite makes an invitation as the operator, and returns its path and token.
func (w *world) invite(id string, body obj) (path, token string) {
	w.t.Helper()
	a := w.op.must("POST", invitations(id), byHand(body))
	return invitations(id) + "/" + a.text("id"), a.text("token")
}

// invitedBy makes an invitation in a user's name, and returns its path and the token from the letter.
func (i *inviting) invitedBy(user, id string, body obj) (path, token string) {
	i.t.Helper()
	before := len(i.mail.Letters())
	a := i.as(user).must("POST", invitations(id), body)
	return invitations(id) + "/" + a.text("id"), tokenIn(i.t, i.mail.Await(before + 1)[before])
}

var tokens = regexp.MustCompile(`https://app\.example/invitations\?from=mail&token=(\S+)`)

// tokenIn is the token of the link in a letter: the same in both of its parts.
func tokenIn(t testing.TB, l testmail.Letter) string {
	t.Helper()
	found := tokens.FindStringSubmatch(l.Text)
	if found == nil {
		t.Fatalf("there is no link in:\n%s", l.Text)
	}
	token, err := url.QueryUnescape(found[1])
	if err != nil || !strings.Contains(l.HTML, token) {
		t.Fatalf("the link %q is not in both parts (%v)", token, err)
	}
	return token
}

// nobody is a caller without a credential.
func (w *world) nobody() caller { return caller{s: w.service} }

func (w *world) accept(token string) answer {
	w.t.Helper()
	return w.nobody().must("POST", "/v1/invitations/accept", obj{"token": token})
}

// void tries to accept, is refused with a code, and sees that nothing has changed.
func (w *world) void(t testing.TB, code, token string) {
	t.Helper()
	before := w.head("prod")
	w.nobody().in(t).refuse(code, "POST", "/v1/invitations/accept", obj{"token": token})
	if after := w.head("prod"); after != before {
		t.Errorf("an invitation was refused with %s, and something was written", code)
	}
}

// within is the world in a subtest, which its failures end.
func (w *world) within(t *testing.T) *world {
	t.Helper()
	inner := *w
	inner.op, inner.delegate, inner.dev = w.op.in(t), w.delegate.in(t), w.dev.in(t)
	inner.service = inner.op.s
	t.Cleanup(func() { w.made = inner.made })
	return &inner
}

// text is a string of an answer.
func (a answer) text(name string) string {
	s, _ := a.body[name].(string)
	return s
}

// part is an object of an answer.
func (a answer) part(name string) obj {
	m, _ := a.body[name].(map[string]any)
	return m
}

// delivery waits until the letter of an invitation is in a state.
func (w *world) delivery(path, state string) obj {
	w.t.Helper()
	var found obj
	eventually(w.t, "a letter that is "+state, func() bool {
		found = w.op.must("GET", path, nil).part("delivery")
		return found["state"] == state
	})
	return found
}
