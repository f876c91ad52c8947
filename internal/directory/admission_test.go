package directory_test

import (
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// fenced is a house with accounts globex ─ globex-eu ─ globex-eu-fr and initech, of which globex has a list.
func fenced(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, role("r", ""), tenant("globex", ""), tenant("globex-eu", "globex"), tenant("globex-eu-fr", "globex-eu"),
		tenant("initech", ""), person("ada"), member("globex", "ada", "r"))
	h.must(err)
	h.limit("globex", "192.0.2.0/24", "2001:db8::/32")
	return h
}

// limit gives an account a list, as an operator.
func (h *house) limit(id account.ID, networks ...string) {
	h.t.Helper()
	_, err := h.UpdateAccount(h.ctx, h.system, id, directory.AccountPatch{IPAllowList: &networks})
	h.must(err)
}

// from is the user ada at an address.
func from(address string) account.Actor {
	return account.Actor{Environment: "prod", User: "ada", From: address}
}

func (h *house) open(actor account.Actor, id account.ID) error {
	_, err := h.GetAccount(h.ctx, actor, id)
	return err
}

// TestE3_AUserOpensAnAccountFromItsNetworksOnly: the list of the nearest account that has one holds, of both protocols.
func TestE3_AUserOpensAnAccountFromItsNetworksOnly(t *testing.T) {
	h := fenced(t)
	for _, id := range []account.ID{"globex", "globex-eu", "globex-eu-fr"} {
		for _, address := range []string{"192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"} {
			h.must(h.open(from(address), id))
		}
		for _, address := range []string{"192.0.3.7", "::ffff:192.0.3.7", "2001:db9::1", "fe80::1%eth0", "", "unknown"} {
			code(t, h.open(from(address), id), "ip_not_allowed")
		}
	}
	h.must(h.open(from(""), "initech"))

	// an account's own list stands in place of its parent's
	h.limit("globex-eu", "198.51.100.7")
	code(t, h.open(from("192.0.2.7"), "globex-eu"), "ip_not_allowed")
	code(t, h.open(from("192.0.2.7"), "globex-eu-fr"), "ip_not_allowed")
	h.must(h.open(from("198.51.100.7"), "globex-eu-fr"))
	code(t, h.open(from("198.51.100.7"), "globex"), "ip_not_allowed")

	// what was moved has the lists of where it is, from the next request on
	_, err := h.MoveAccount(h.ctx, h.system, "globex-eu-fr", "initech")
	h.must(err)
	h.must(h.open(from(""), "globex-eu-fr"))
	h.limit("globex-eu")
	h.must(h.open(from("192.0.2.7"), "globex-eu"))
	h.limit("globex")
	h.must(h.open(from(""), "globex"))
}

// TestE3_OnlyWhoIsAtHandIsBarred: what others send comes from the vendor.
func TestE3_OnlyWhoIsAtHandIsBarred(t *testing.T) {
	h := fenced(t)
	away := "203.0.113.9"
	for name, actor := range map[string]account.Actor{
		"a client for a user": {Client: "portal", User: "ada"},
		"an impersonation":    {Client: "support", User: "ada", Impersonation: "i"},
		"a client":            {Client: "shop"},
		"an operator":         {Client: "mara", Person: true},
		"the system":          {System: true},
	} {
		actor.Environment, actor.From = "prod", away
		if err := h.open(actor, "globex"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	code(t, h.open(account.Actor{Environment: "prod", APIToken: "robot", From: away}, "globex"), "ip_not_allowed")
	code(t, h.open(account.Actor{Environment: "prod", User: "ada", Account: "globex", From: away}, "globex"), "ip_not_allowed")
}

// TestE3_WhoHasNoRightsIsNotToldOfLists: the refusal is the same as everywhere.
func TestE3_WhoHasNoRightsIsNotToldOfLists(t *testing.T) {
	h := fenced(t)
	h.engine.deny = true
	for _, id := range []account.ID{"globex", "no-such"} {
		code(t, h.open(from("203.0.113.9"), id), "permission_denied")
	}
}

// TestE3_NothingIsWrittenFromElsewhere: neither in the account, nor below it, nor into it.
func TestE3_NothingIsWrittenFromElsewhere(t *testing.T) {
	h := fenced(t)
	before, err := h.Newest(h.ctx, "prod")
	h.must(err)
	req := directory.Request{Actor: from("203.0.113.9")}
	name := "Other"
	_, err = h.UpdateAccount(h.ctx, req, "globex-eu", directory.AccountPatch{Name: &name})
	code(t, err, "ip_not_allowed")
	_, err = h.CreateAccount(h.ctx, req, directory.NewAccount{Name: "New", Parent: "globex-eu"})
	code(t, err, "ip_not_allowed")
	_, err = h.MoveAccount(h.ctx, req, "initech", "globex")
	code(t, err, "ip_not_allowed")
	_, err = h.DeleteAccount(h.ctx, req, "globex-eu-fr", false)
	code(t, err, "ip_not_allowed")
	_, err = h.ListAccounts(h.ctx, req.Actor, directory.AccountFilter{Under: "globex"})
	code(t, err, "ip_not_allowed")
	if after, err := h.Newest(h.ctx, "prod"); err != nil || after != before {
		t.Errorf("version %d, was %d (%v)", after, before, err)
	}
}

// TestE3_NobodyShutsThemselvesOut by mistake; the command line, and whoever is not bound by a list, may set any.
func TestE3_NobodyShutsThemselvesOut(t *testing.T) {
	h := fenced(t)
	set := func(actor account.Actor, id account.ID, networks ...string) error {
		_, err := h.UpdateAccount(h.ctx, directory.Request{Actor: actor}, id, directory.AccountPatch{IPAllowList: &networks})
		return err
	}
	code(t, set(from("192.0.2.7"), "globex", "198.51.100.0/24"), "ip_allow_list_excludes_you")
	h.must(set(from("192.0.2.7"), "globex", "198.51.100.0/24", "::ffff:192.0.2.7"))
	h.must(set(from("192.0.2.7"), "globex-eu", "192.0.2.7", "203.0.113.9"))
	// without a list of its own, the account has that from above
	code(t, set(from("203.0.113.9"), "globex-eu"), "ip_allow_list_excludes_you")
	h.must(set(from("192.0.2.7"), "globex-eu"))
	h.must(set(account.Actor{Environment: "prod", Client: "mara", From: "203.0.113.9"}, "globex", "192.0.2.7"))
	code(t, set(from("192.0.2.7"), "globex", "everywhere"), "invalid_network")

	environment := func(actor account.Actor, networks ...string) error {
		actor.Environment = "prod"
		_, err := h.UpdateEnvironment(h.ctx, directory.Request{Actor: actor}, directory.EnvironmentPatch{IPAllowList: &networks})
		return err
	}
	for _, actor := range []account.Actor{{Client: "shop", From: "203.0.113.9"}, {Client: "mara", Person: true, From: "2001:db9::1"}, {Client: "shop"}} {
		code(t, environment(actor, "192.0.2.7", "2001:db8::/32"), "ip_allow_list_excludes_you")
	}
	h.must(environment(account.Actor{Client: "shop", From: "203.0.113.9"}, "203.0.113.0/24"))
	h.must(environment(account.Actor{System: true}, "192.0.2.7"))
	found, err := h.GetEnvironment(h.ctx, h.system.Actor)
	h.must(err)
	if list := found.Value.IPAllowList.List(); !slices.Equal(list, []string{"192.0.2.7/32"}) {
		t.Errorf("the list is %v", list)
	}
	code(t, h.Admit(h.ctx, account.Actor{Environment: "prod", Client: "shop", From: "203.0.113.9"}), "ip_not_allowed")
	h.must(environment(account.Actor{System: true}))
	h.must(h.Admit(h.ctx, account.Actor{Environment: "prod", Client: "shop"}))
}

// TestE3_AdmitAsksForTheCredentialsAccountToo, of who is at hand.
func TestE3_AdmitAsksForTheCredentialsAccountToo(t *testing.T) {
	h := fenced(t)
	robot := account.Actor{Environment: "prod", APIToken: "robot", From: "203.0.113.9"}
	h.must(h.Admit(h.ctx, robot))
	h.must(h.Admit(h.ctx, robot, "initech"))
	code(t, h.Admit(h.ctx, robot, "globex-eu"), "ip_not_allowed")
	code(t, h.Admit(h.ctx, robot, "initech", "globex-eu"), "ip_not_allowed")
	h.must(h.Admit(h.ctx, account.Actor{Environment: "prod", Client: "portal", User: "ada", From: robot.From}, "globex"))
	robot.From = "192.0.2.1"
	h.must(h.Admit(h.ctx, robot, "initech", "globex-eu"))
	code(t, h.Admit(h.ctx, account.Actor{Environment: "nowhere", Client: "shop"}), "environment_not_found")
}

// TestE3_AListIsToldToWhoMayChangeIt, and to operators.
func TestE3_AListIsToldToWhoMayChangeIt(t *testing.T) {
	h := fenced(t)
	found, err := h.GetAccount(h.ctx, h.system.Actor, "globex")
	h.must(err)
	told, err := h.SeesAllowList(h.ctx, from("192.0.2.7"), found.Value)
	if err != nil || !told {
		t.Errorf("who may: %t, %v", told, err)
	}
	h.engine.deny = true
	if told, err = h.SeesAllowList(h.ctx, from("192.0.2.7"), found.Value); err != nil || told {
		t.Errorf("who may not: %t, %v", told, err)
	}
	found.Value.IPAllowList = ""
	if told, err = h.SeesAllowList(h.ctx, from("192.0.2.7"), found.Value); err != nil || !told {
		t.Errorf("that there is none: %t, %v", told, err)
	}
}
