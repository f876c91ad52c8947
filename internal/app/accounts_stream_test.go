package app_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
)

// news is the data of an event of a stream of accounts.
type news struct {
	Event      string          `json:"-"`
	Gained     []reached       `json:"gained"`
	Lost       []string        `json:"lost"`
	Renamed    []reached       `json:"renamed"`
	Moved      []reached       `json:"moved"`
	Version    account.Version `json:"version"`
	Token      string          `json:"consistency_token"`
	AnsweredBy string          `json:"answered_by"`
}

// reached is an account as an event has it.
type reached struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Parent *string `json:"parent"`
	Depth  int     `json:"depth"`
}

// switching is a stream of the accounts that a caller may open.
type switching struct {
	*listener
	who caller
}

const listStream = "/v1/me/accounts/stream"

// switcher opens a stream that the index answers.
func (c caller) switcher(headers ...string) *switching {
	c.s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for c.must("GET", "/v1/me/accounts?limit=1", nil).body["answered_by"] != "index" {
		if time.Now().After(deadline) {
			c.s.t.Fatal("the index does not answer")
		}
	}
	return c.switcherBy("index", headers...)
}

// switcherBy opens a stream and sees who answers.
func (c caller) switcherBy(teller string, headers ...string) *switching {
	c.s.t.Helper()
	l, opened := c.listen(listStream, headers...)
	var n news
	if err := json.Unmarshal([]byte(opened), &n); err != nil || n.AnsweredBy != teller || n.Version == 0 || n.Token == "" {
		c.s.t.Fatalf("opened with %s", opened)
	}
	return &switching{l, c}
}

func (s *switching) news() news {
	s.t.Helper()
	name, data := s.next()
	n := news{Event: name}
	if err := json.Unmarshal([]byte(data), &n); err != nil || name != "changed" && name != "reload" || n.Version == 0 {
		s.t.Fatalf("got %s %s", name, data)
	}
	return n
}

// ids are those of accounts, sorted.
func ids(all []reached) []string {
	var out []string
	for _, a := range all {
		out = append(out, a.ID)
	}
	slices.Sort(out)
	return out
}

// heard is what one event says, by ids.
type heard struct{ Gained, Lost, Renamed, Moved []string }

// tells sees that the next event is a change, and which. What it says is in the list as of its consistency token.
func (s *switching) tells(want heard) news {
	s.t.Helper()
	n := s.changed(want)
	list := s.who.must("GET", "/v1/me/accounts?limit=1000", nil, "Consistency-Token", n.Token).list("accounts", "id")
	for _, id := range slices.Concat(want.Gained, want.Renamed, want.Moved) {
		if !slices.Contains(list, id) {
			s.t.Errorf("%s is told of, and not in the list %v", id, list)
		}
	}
	for _, id := range want.Lost {
		if slices.Contains(list, id) {
			s.t.Errorf("%s is lost, and in the list %v", id, list)
		}
	}
	return n
}

// changed is tells for who may not ask for the list any more.
func (s *switching) changed(want heard) news {
	s.t.Helper()
	n := s.news()
	slices.Sort(n.Lost)
	if len(n.Lost) == 0 {
		n.Lost = nil
	}
	got := heard{ids(n.Gained), n.Lost, ids(n.Renamed), ids(n.Moved)}
	if diff := cmp.Diff(want, got); diff != "" || n.Event != "changed" || n.AnsweredBy != "index" {
		s.t.Fatalf("%s by %s: (-want +got)\n%s", n.Event, n.AnsweredBy, diff)
	}
	return n
}

// TestW1_AnOpenSwitcherIsToldWhatChanges: each kind of change that concerns a user, at once and once; what
// does not concern them comes in between, and is not told.
func TestW1_AnOpenSwitcherIsToldWhatChanges(t *testing.T) {
	w := newWorld(t, oneMachine)
	user := w.newUser("initech")
	elsewhere := func() { // the event after this one would be another otherwise
		t.Helper()
		w.newUser("lobby")
		w.op.must("PATCH", "/v1/accounts/lobby", obj{"name": w.fresh("Lobby")})
		w.newAccount("initech") // they are a member above, without sub-account access
	}
	child := w.newAccount("initech")
	s := w.as(user).switcher()

	elsewhere()
	w.grant("globex-eu", user, obj{"roles": []string{"viewer"}})
	if n := s.tells(heard{Gained: []string{"globex-eu"}}); n.Gained[0].Name != "GLOBEX-EU" || *n.Gained[0].Parent != "globex" || n.Gained[0].Depth != 1 {
		t.Errorf("gained: %+v", n.Gained)
	}
	w.grant("globex-eu", user, obj{"roles": []string{"manager"}}) // the same accounts, with another role

	elsewhere()
	w.op.must("PATCH", "/v1/accounts/globex-eu", obj{"name": "Europe"})
	if n := s.tells(heard{Renamed: []string{"globex-eu"}}); n.Renamed[0].Name != "Europe" || n.Version > w.head("prod") {
		t.Errorf("renamed: %+v", n)
	}
	w.op.must("PATCH", "/v1/accounts/globex", obj{"name": "Above"}) // above what they may open

	w.op.must("POST", "/v1/accounts/globex-eu/move", obj{"parent": "lobby"})
	if n := s.tells(heard{Moved: []string{"globex-eu"}}); *n.Moved[0].Parent != "lobby" {
		t.Errorf("moved: %+v", n.Moved)
	}

	made := w.newAccount("")
	w.grant(made, user, obj{"roles": []string{"viewer"}})
	s.tells(heard{Gained: []string{made}})
	w.op.must("DELETE", "/v1/accounts/"+made, nil)
	s.tells(heard{Lost: []string{made}})

	w.op.must("DELETE", "/v1/accounts/globex-eu/members/"+user, nil)
	s.tells(heard{Lost: []string{"globex-eu"}})
	w.mode("initech", always) // with what elsewhere has made below it
	all := s.news()
	if got := ids(all.Gained); !slices.Contains(got, child) || len(got) != 3 || len(all.Lost)+len(all.Renamed)+len(all.Moved) != 0 {
		t.Errorf("always_on: %+v", all)
	}
	w.mode("initech", off) // is kept
	w.op.must("POST", "/v1/users/"+user+"/block", nil)
	s.changed(heard{Lost: slices.Sorted(slices.Values(append(ids(all.Gained), "initech")))})
	s.ended("user_blocked")
}

// TestU6_AnOpenSwitcherIsToldOfTheEnd of a membership, which nothing is written about.
func TestU6_AnOpenSwitcherIsToldOfTheEnd(t *testing.T) {
	w, clock := timed(t)
	user := w.newUser("initech")
	s := w.as(user).switcher()
	w.grant("globex", user, obj{"roles": []string{"viewer"}, "sub_account_access": true, "expires_at": clock.now().Add(time.Minute)})
	w.grant("lobby", user, obj{"roles": []string{"viewer"}, "expires_at": clock.now().Add(time.Hour)})
	got := ids(s.news().Gained)
	for len(got) < 4 { // told in one event, or in two
		got = append(got, ids(s.news().Gained)...)
	}
	clock.move(time.Minute)
	first := s.tells(heard{Lost: everywhere})
	clock.move(time.Hour)
	if last := s.tells(heard{Lost: []string{"lobby"}}); last.Version != first.Version {
		t.Errorf("an end is no entry: %d, %d", first.Version, last.Version)
	}
}

// TestW1_ASwitcherOfWhoIsGone ends as a request would.
func TestW1_ASwitcherOfWhoIsGone(t *testing.T) {
	w := newWorld(t, oneMachine)
	user := w.newUser("initech")
	s := w.as(user).switcher()
	w.op.must("DELETE", "/v1/users/"+user, nil)
	s.changed(heard{Lost: []string{"initech"}})
	s.ended("user_not_found")

	made := w.op.must("POST", "/v1/accounts/initech/api-tokens", obj{"name": "Robot", "roles": []string{"viewer"}}).body
	robot := caller{s: w.service, token: made["token"].(string)}
	s = robot.switcher()
	w.op.must("PATCH", "/v1/accounts/initech", obj{"name": "Initech Ltd"})
	s.tells(heard{Renamed: []string{"initech"}})
	w.op.must("DELETE", "/v1/accounts/initech/api-tokens/"+made["id"].(string), nil)
	s.changed(heard{Lost: []string{"initech"}})
	s.ended("unauthenticated")

	helper := w.client("prod", "helper", true, account.BackofficeViewer)
	s = helper.as("viewer").switcher()
	w.op.must("DELETE", "/v1/environment/clients/helper", nil)
	w.grant("lobby", "viewer", obj{"roles": []string{"viewer"}}) // is for others to know
	s.ended("unauthenticated")
}

// TestW1_ASwitcherThatComesAgain loads the list anew if anything was written meanwhile.
func TestW1_ASwitcherThatComesAgain(t *testing.T) {
	w := newWorld(t, oneMachine)
	me := w.as("viewer")
	s := me.switcher()
	w.grant("lobby", "viewer", obj{"roles": []string{"viewer"}})
	s.tells(heard{Gained: []string{"lobby"}})
	s.close()
	again := me.switcher("Last-Event-ID", s.last) // nothing was written
	w.op.must("PATCH", "/v1/accounts/lobby", obj{"name": "Hall"})
	again.tells(heard{Renamed: []string{"lobby"}})
	late := me.switcher("Last-Event-ID", s.last)
	if n := late.news(); n.Event != "reload" || n.AnsweredBy != "index" {
		t.Errorf("after what it missed: %+v", n)
	}
	w.op.must("PATCH", "/v1/accounts/lobby", obj{"name": "Lobby"})
	late.tells(heard{Renamed: []string{"lobby"}})

	me.refuse("invalid_request", "GET", listStream+"?after=1000000", nil)
	me.refuse("invalid_request", "GET", listStream+"?after=x", nil)
	me.refuse("invalid_limit", "GET", listStream+"?limit=-1", nil)
	w.opened(w.as("owner"), "globex-eu").refuse("outside_account", "GET", listStream, nil)
	if a := me.do("GET", listStream+"?after=0&limit=1", nil); a.status != http.StatusOK {
		t.Errorf("with an end: %d %s", a.status, a.raw)
	}
}

// TestW1_ASwitcherOfVeryManyChanges is loaded anew rather than mended.
func TestW1_ASwitcherOfVeryManyChanges(t *testing.T) {
	w := newWorld(t, oneMachine)
	user := w.newUser("initech")
	s := w.as(user).switcher()
	top := w.newAccount("")
	for range 101 {
		w.newAccount(top)
	}
	w.grant(top, user, obj{"roles": []string{"viewer"}, "sub_account_access": true})
	n := s.news()
	if list := s.who.must("GET", "/v1/me/accounts?limit=1000", nil, "Consistency-Token", n.Token); n.Event != "reload" || list.body["total"] != 103.0 {
		t.Errorf("%+v, then a list of %v", n, list.body["total"])
	}
	w.op.must("PATCH", "/v1/accounts/"+top, obj{"name": "Top"})
	s.tells(heard{Renamed: []string{top}})
}

// TestW1_ASwitcherWithoutTheIndex is loaded anew when anything was written, whomever it is about.
func TestW1_ASwitcherWithoutTheIndex(t *testing.T) {
	w := furnished(t, app.Config{DataDir: t.TempDir(), WithoutIndex: true})
	s := w.as("viewer").switcherBy("engine")
	w.grant("lobby", "viewer", obj{"roles": []string{"viewer"}})
	n := s.news()
	list := s.who.must("GET", "/v1/me/accounts", nil, "Consistency-Token", n.Token).list("accounts", "id")
	if n.Event != "reload" || n.AnsweredBy != "engine" || !slices.Contains(list, "lobby") {
		t.Errorf("%+v, then the list %v", n, list)
	}
	w.op.must("POST", "/v1/users/viewer/block", nil)
	if n := s.news(); n.Event != "reload" {
		t.Errorf("blocked: %+v", n)
	}
	s.ended("user_blocked")
}
