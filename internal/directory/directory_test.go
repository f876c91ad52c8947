package directory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// code sees that an error is a fault with a code.
func code(t testing.TB, err error, want string) {
	t.Helper()
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestU1_ThousandsOfMembersLeaveAtOnce: deleting an account takes as many queries for 5,000 members as for one.
func TestU1_ThousandsOfMembersLeaveAtOnce(t *testing.T) {
	const members = 5000
	h := newHouse(t)
	records := []directory.Record{role("r", ""), tenant("big", ""), tenant("other", "")}
	for i := range members {
		id := account.UserID(fmt.Sprintf("u%d", i))
		records = append(records, person(id), member("big", id, "r"))
	}
	records = append(records, member("other", "u0", "r"))
	_, err := h.load(directory.LoadOptions{}, records...)
	h.must(err)

	h.store.singles.Store(0)
	_, err = h.DeleteAccount(h.ctx, h.system, "big", false)
	code(t, err, "users_without_account")
	start := time.Now()
	_, err = h.DeleteAccount(h.ctx, h.system, "big", true)
	h.must(err)
	t.Logf("deleted in %s", time.Since(start))
	if n := h.store.singles.Load(); n > 20 {
		t.Errorf("%d queries about single members", n)
	}
	page, err := h.ListUsers(h.ctx, h.system.Actor, directory.UserFilter{})
	h.must(err)
	if page.Total != 1 || page.Items[0].Value.ID != "u0" {
		t.Errorf("%d users are left: %+v", page.Total, page.Items)
	}
}

// TestU2_AMoveAsksForRolesOnce, however many accounts the branch has.
func TestU2_AMoveAsksForRolesOnce(t *testing.T) {
	h := newHouse(t)
	records := []directory.Record{tenant("top", ""), tenant("else", ""), tenant("branch", "top"), role("own", "branch"), role("tops", "top"), person("u")}
	for i := range 300 {
		id := account.ID(fmt.Sprintf("a%d", i))
		records = append(records, tenant(id, "branch"), member(id, "u", "own"))
	}
	_, err := h.load(directory.LoadOptions{}, records...)
	h.must(err)
	h.store.singles.Store(0)
	_, err = h.MoveAccount(h.ctx, h.system, "branch", "else")
	h.must(err)
	_, err = h.MoveAccount(h.ctx, h.system, "branch", "top")
	h.must(err)
	if n := h.store.singles.Load(); n > 0 {
		t.Errorf("%d queries about single accounts", n)
	}
	_, err = h.load(directory.LoadOptions{}, tenant("free", "branch"), person("v"), member("free", "v", "tops"))
	h.must(err)
	_, err = h.MoveAccount(h.ctx, h.system, "branch", "else")
	code(t, err, "role_out_of_branch")
	_, err = h.MoveAccount(h.ctx, h.system, "branch", "")
	code(t, err, "role_out_of_branch")
	_, err = h.MoveAccount(h.ctx, h.system, "free", "top")
	h.must(err)
	_, err = h.MoveAccount(h.ctx, h.system, "a7", "top")
	code(t, err, "role_out_of_branch")
}

// TestReadsAreAuthorisedFirst: who may not read causes no reading.
func TestReadsAreAuthorisedFirst(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, tenant("globex", ""))
	h.must(err)
	h.engine.deny = true
	h.store.reads.Store(0)
	actor := account.Actor{Environment: "prod", Client: "c", User: "eve"}
	reads := map[string]func() error{
		"tree":    func() error { _, err := h.GetTree(h.ctx, actor, "globex"); return err },
		"summary": func() error { _, err := h.GetSummary(h.ctx, actor, "globex"); return err },
		"account": func() error { _, err := h.GetAccount(h.ctx, actor, "globex"); return err },
		"branch": func() error {
			_, err := h.ListAccounts(h.ctx, actor, directory.AccountFilter{Under: "globex"})
			return err
		},
		"accounts": func() error { _, err := h.ListAccounts(h.ctx, actor, directory.AccountFilter{}); return err },
		"members": func() error {
			_, err := h.ListMembers(h.ctx, actor, directory.MemberFilter{Account: "globex"})
			return err
		},
		"users":       func() error { _, err := h.ListUsers(h.ctx, actor, directory.UserFilter{}); return err },
		"user":        func() error { _, _, err := h.GetUser(h.ctx, actor, "ada"); return err },
		"roles":       func() error { _, err := h.ListRoles(h.ctx, actor, "globex"); return err },
		"clients":     func() error { _, err := h.ListClients(h.ctx, actor, directory.KeyPage{}); return err },
		"client":      func() error { _, err := h.GetClient(h.ctx, actor, "c"); return err },
		"secrets":     func() error { _, err := h.ListSecrets(h.ctx, actor, "c"); return err },
		"journal":     func() error { _, err := h.Log(h.ctx, actor, directory.LogFilter{}); return err },
		"environment": func() error { _, err := h.GetEnvironment(h.ctx, actor); return err },
		"export":      func() error { return h.Export(h.ctx, actor, nil) },
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) { code(t, read(), "permission_denied") })
	}
	if n := h.store.reads.Load(); n != 0 {
		t.Errorf("%d snapshots were read for who may read nothing", n)
	}
}

// TestDecisionsSeeAllThatIsRecorded: reads and writes are decided with the newest entry in force.
func TestDecisionsSeeAllThatIsRecorded(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, tenant("globex", ""))
	h.must(err)
	req := directory.Request{Actor: account.Actor{Environment: "prod", Client: "c"}}
	for i := range 3 {
		name := fmt.Sprintf("Globex %d", i)
		_, err := h.UpdateAccount(h.ctx, req, "globex", directory.AccountPatch{Name: &name})
		h.must(err)
		_, err = h.GetAccount(h.ctx, req.Actor, "globex")
		h.must(err)
	}
	want := []account.Version{2, 3, 3, 4, 4, 5} // each write adds a version, which the read after it sees
	if got := fmt.Sprint(h.engine.atLeast); got != fmt.Sprint(want) {
		t.Errorf("decided at %s, want %v", got, want)
	}
	req.AtLeast = 6
	name := "Later"
	_, err = h.UpdateAccount(h.ctx, req, "globex", directory.AccountPatch{Name: &name})
	code(t, err, "invalid_consistency_token")
}

// TestL1_JournalSaysWhetherThereIsMore also where a page ends for another reason than its limit.
func TestL1_JournalSaysWhetherThereIsMore(t *testing.T) {
	h := newHouse(t)
	for i := range 4 {
		_, err := h.load(directory.LoadOptions{}, tenant(account.ID(fmt.Sprintf("a%d", i)), ""))
		h.must(err)
	}
	for _, c := range []struct {
		after account.Version
		limit int
		n     int
		more  bool
	}{{0, 3, 3, true}, {0, 5, 5, false}, {2, 3, 3, false}, {4, 10, 1, false}, {5, 3, 0, false}, {9, 3, 0, false}} {
		page, err := h.Log(h.ctx, h.system.Actor, directory.LogFilter{After: c.after, Limit: c.limit})
		if err != nil || len(page.Entries) != c.n || page.More != c.more {
			t.Errorf("after %d, limit %d: %d entries, more %t, %v", c.after, c.limit, len(page.Entries), page.More, err)
		}
	}
}
