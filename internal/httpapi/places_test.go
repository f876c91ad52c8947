package httpapi

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// taker takes places, and requires that they are there or not.
type taker struct {
	t        *testing.T
	places   *places
	releases []func()
}

func (k *taker) take(by party, want bool) {
	k.t.Helper()
	k.note(by, want, k.places.take)
}

func (k *taker) note(by party, want bool, take func(party) (func(), error)) {
	k.t.Helper()
	release, err := take(by)
	if (err == nil) != want || err != nil && !fault.HasCode(err, "too_busy") {
		k.t.Fatalf("%+v: %v", by, err)
	}
	if err == nil {
		k.releases = append(k.releases, release)
	}
}

// fill takes all that 32 strangers may have together, each as many as one may.
func (k *taker) fill(each int, take func(party) (func(), error)) {
	k.t.Helper()
	for i := range 32 {
		for range each {
			k.note(party{name: fmt.Sprint("address ", i)}, true, take)
		}
		if i == 0 {
			k.note(party{name: "address 0"}, false, take)
		}
	}
	k.note(party{name: "address 99"}, false, take)
}

func (k *taker) release() {
	k.t.Helper()
	for _, release := range k.releases {
		release()
	}
	if k.releases = nil; len(k.places.taken.by) != 0 {
		k.t.Errorf("%v is remembered", k.places.taken.by)
	}
}

func client(environment, id string) party {
	return party{name: environment + "/client:" + id, environment: environment}
}

func machine(environment, account string) party {
	return party{name: environment + "/account:" + account, environment: environment, member: true}
}

func TestPlaces(t *testing.T) {
	k := &taker{t: t, places: newPlaces(64, 8)}
	for range 8 {
		k.take(client("prod", "shop"), true)
	}
	k.take(client("prod", "shop"), false) // as many as one caller may
	for i := range 24 {
		k.take(client("prod", fmt.Sprint(i)), true)
	}
	k.take(client("prod", "late"), false) // as many as an environment may
	for i := range 32 {
		k.take(client("dev", fmt.Sprint(i)), true)
	}
	k.take(client("qa", "ci"), false) // as many as there are
	k.release()
}

// TestPlacesByDefaultAreEnoughForOneClient: in the most usual deployment, of one environment and one client.
func TestPlacesByDefaultAreEnoughForOneClient(t *testing.T) {
	l := Limits{}.withDefaults()
	k := &taker{t: t, places: newPlaces(l.Most, l.Each)}
	for range l.Each {
		k.take(client("prod", "shop"), true)
	}
	k.take(client("prod", "shop"), false)
	k.release()
}

// TestMembersOfAnEnvironmentLeavePlacesToItsClients: whatever tokens customers make.
func TestMembersOfAnEnvironmentLeavePlacesToItsClients(t *testing.T) {
	k := &taker{t: t, places: newPlaces(64, 8)}
	for i := range 16 {
		k.take(machine("prod", fmt.Sprint("sub-account ", i)), true)
	}
	k.take(machine("prod", "another"), false)
	k.take(client("prod", "shop"), true)
	for i := range 16 {
		k.take(machine("dev", fmt.Sprint(i)), true)
	}
	k.take(machine("qa", "another"), false) // all members together
	k.take(client("qa", "ci"), true)
	k.release()
}

// TestStrangersLeavePlacesToEachOther: one address has few, and all together a quarter.
func TestStrangersLeavePlacesToEachOther(t *testing.T) {
	k := &taker{t: t, places: newPlaces(2048, 256)}
	k.fill(16, k.places.take)
	k.note(party{name: "address 99"}, true, k.places.document) // those are no part of it
	k.take(client("prod", "shop"), true)
	k.release()
}

// TestUnreadDocumentsLeavePlacesToOthers: who does not read a document keeps few others from documents, and nobody from anything else.
func TestUnreadDocumentsLeavePlacesToOthers(t *testing.T) {
	k := &taker{t: t, places: newPlaces(2048, 256)}
	k.fill(8, k.places.document)
	k.take(party{name: "address 99"}, true)
	k.release()
}

// TestDocumentsAreRefusedToWhoDoesNotReadThem end to end: the ninth from one address.
func TestDocumentsAreRefusedToWhoDoesNotReadThem(t *testing.T) {
	a := serve(t, Deps{}, Config{})
	get := func() *http.Request {
		return httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", nil)
	}
	taken := takeNothing(a, 8, get)
	a.send(get()).refused(503, "too_busy", "")
	other := get()
	other.RemoteAddr = "198.51.100.7:1"
	a.send(other).ok(200)
	taken()
	a.send(get()).ok(200)
}

// TestSlowBodiesOfStrangersHoldNoPlace: an invitation is accepted by who sends all of it.
func TestSlowBodiesOfStrangersHoldNoPlace(t *testing.T) {
	d, _ := onSQLite(t, granting{})
	server := onPort(t, serve(t, Deps{Directory: d}, Config{BodyTimeout: time.Minute, Limits: Limits{Most: 4, Each: 1}}))
	preview := func(more string) net.Conn {
		return raw(t, server, "POST /v1/invitations/preview HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 13\r\n"+more)
	}
	for range 4 {
		slow := preview("Expect: 100-continue\r\n\r\n")
		if _, err := io.ReadFull(slow, make([]byte, len("HTTP/1.1 100"))); err != nil { // it is being read
			t.Fatal(err)
		}
	}
	if status, all := answered(t, preview("\r\n{\"token\":\"x\"}")); status != 404 {
		t.Errorf("answered %d %s", status, all)
	}
}

// TestExportsLeaveRoomToOthers: to other actors, and to other environments, whoever they are.
func TestExportsLeaveRoomToOthers(t *testing.T) {
	exports := build(Deps{Authenticator: known{}}, Config{}).exports
	take := func(environment account.EnvironmentID, by account.Actor, share string, want bool) {
		t.Helper()
		by.Environment = environment
		if _, err := exports.take(by, share); (err == nil) != want {
			t.Fatalf("%s of %s: %v", by.Name(), environment, err)
		}
	}
	viewer, other, late := account.Actor{Client: "viewer"}, account.Actor{Client: "other"}, account.Actor{Client: "late"}
	take("dev", viewer, "", true)
	take("dev", viewer, "", true)
	take("dev", viewer, "", false) // as many as one may
	take("dev", other, "", true)
	take("dev", other, "", true)
	take("dev", late, "", false) // as many as an environment may
	take("prod", account.Actor{APIToken: "one"}, "prod/account:initech", true)
	take("prod", account.Actor{APIToken: "two"}, "prod/account:initech", false) // as many as one account may
	take("prod", account.Actor{APIToken: "three"}, "prod/account:globex", true)
	take("prod", account.Actor{Client: "auditor"}, "", true)
}

// TestStreamsOfOneEnvironmentLeaveRoomToOthers: ten clients do not take all of them.
func TestStreamsOfOneEnvironmentLeaveRoomToOthers(t *testing.T) {
	streams := build(Deps{Authenticator: known{}}, Config{}).streams
	taken := 0
	for i := range 20 {
		for range 10 {
			if _, err := streams.take(account.Actor{Environment: "dev", Client: account.ClientID(fmt.Sprint("c", i))}, ""); err == nil {
				taken++
			}
		}
	}
	if taken != 50 {
		t.Errorf("dev has %d streams", taken)
	}
	if _, err := streams.take(account.Actor{Environment: "prod", Client: "auditor"}, ""); err != nil {
		t.Error(err)
	}
}
