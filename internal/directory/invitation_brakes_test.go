package directory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

// office is a house from which letters go, with a clock.
func office(t *testing.T) (*house, *directory.Directory, *time.Time) {
	t.Helper()
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, role("r", ""), tenant("globex", ""), tenant("initech", ""), person("eve"), member("globex", "eve", "r"))
	h.must(err)
	page := "https://app.example/{token}"
	_, err = h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{InvitationURL: &page})
	h.must(err)
	catalogue, err := schema.Parse()
	h.must(err)
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	d := directory.New(h.store, h.engine, h.engine, catalogue, directory.Config{Letters: func() {}, Now: func() time.Time { return now }})
	return h, d, &now
}

func offer(id account.ID, email string) directory.NewInvitation {
	return directory.NewInvitation{Account: id, Email: email, Roles: []account.RoleKey{"r"}}
}

// TestI1_LettersOfOneInvitationPause: a minute, whoever asks; links by hand reach nobody by themselves.
func TestI1_LettersOfOneInvitationPause(t *testing.T) {
	h, d, now := office(t)
	eve := directory.Request{Actor: account.Actor{Environment: "prod", Client: "portal", User: "eve"}}
	sent, err := d.Invite(h.ctx, eve, offer("globex", "ada@example.com"))
	h.must(err)
	again := func(req directory.Request, in directory.Sending) error {
		_, err := d.ResendInvitation(h.ctx, req, "globex", sent.Value.ID, in)
		return err
	}
	*now = now.Add(directory.ResendPause - time.Microsecond)
	for _, req := range []directory.Request{eve, h.system} {
		err = again(req, directory.Sending{})
		code(t, err, "resent_too_soon")
		if text := fault.From(err).Text; !strings.Contains(text, "2030-01-01T12:01:00Z") {
			t.Errorf("it does not say when: %s", text)
		}
	}
	h.engine.deny = true // who may not do it is not told
	code(t, again(eve, directory.Sending{}), "permission_denied")
	h.engine.deny = false
	*now = now.Add(time.Microsecond)
	h.must(again(eve, directory.Sending{}))
	code(t, again(eve, directory.Sending{}), "resent_too_soon") // the pause begins anew

	byHand := directory.Sending{Link: directory.ByHand}
	h.must(again(h.system, byHand))
	h.must(again(h.system, byHand))
	h.must(again(h.system, directory.Sending{}))
	code(t, again(h.system, directory.Sending{}), "resent_too_soon")
}

// TestI1_AnAccountsMembersInviteSoManyAtOnce: operators may go on, and what has expired or is withdrawn makes room.
func TestI1_AnAccountsMembersInviteSoManyAtOnce(t *testing.T) {
	h, d, now := office(t)
	member := directory.Request{Actor: account.Actor{Environment: "prod", Client: "portal", User: "eve"}}
	n := 0
	invite := func(req directory.Request, id account.ID) (directory.Result[directory.Invited], error) {
		n++
		return d.Invite(h.ctx, req, offer(id, fmt.Sprintf("guest-%d@example.com", n)))
	}
	first, err := invite(member, "globex")
	h.must(err)
	for range directory.MaxOpenInvitations - 1 {
		_, err := invite(h.system, "globex")
		h.must(err)
	}
	before, err := d.Newest(h.ctx, "prod")
	h.must(err)
	_, err = invite(member, "globex")
	code(t, err, "too_many_invitations")
	if after, err := d.Newest(h.ctx, "prod"); err != nil || after != before {
		t.Errorf("version %d, was %d (%v)", after, before, err)
	}
	robot := directory.Request{Actor: account.Actor{Environment: "prod", APIToken: "robot"}}
	_, err = invite(robot, "globex")
	code(t, err, "too_many_invitations")
	_, err = invite(member, "initech")
	h.must(err)

	_, err = d.WithdrawInvitation(h.ctx, member, "globex", first.Value.ID)
	h.must(err)
	_, err = invite(member, "globex")
	h.must(err)
	_, err = invite(h.system, "globex")
	h.must(err)
	_, err = invite(member, "globex")
	code(t, err, "too_many_invitations")
	*now = now.Add(account.DefaultInvitationHours * time.Hour)
	_, err = invite(member, "globex")
	h.must(err)
}
