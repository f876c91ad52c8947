package directory_test

import (
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// TestU5_NoTokenIsMadeAfterABlock: who is blocked, or deleted, between the decision
// and the writing makes no API token that would outlive it.
func TestU5_NoTokenIsMadeAfterABlock(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(h *house) error
		code      string
	}{
		"blocked": {func(h *house) error {
			_, err := h.BlockUser(h.ctx, h.system, "ada", true)
			return err
		}, "user_blocked"},
		"deleted": {func(h *house) error {
			_, err := h.DeleteUser(h.ctx, h.system, "ada")
			return err
		}, "unauthenticated"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			_, err := h.load(directory.LoadOptions{}, tenant("globex", ""), directory.Record{Role: &account.Role{Key: "agent"}},
				directory.Record{User: &account.User{ID: "ada", Email: "ada@example.com"}},
				directory.Record{Membership: &directory.Grant{Account: "globex", User: "ada", Roles: []account.RoleKey{"agent"}}})
			h.must(err)
			h.engine.meanwhile = func() { h.must(c.meanwhile(h)) }
			req := directory.Request{Actor: account.Actor{Environment: "prod", Client: "shop", User: "ada"}}
			_, _, err = h.CreateAPIToken(h.ctx, req, directory.NewAPIToken{Account: "globex", Name: "Robot", Roles: []account.RoleKey{"agent"}})
			if !fault.HasCode(err, c.code) {
				t.Errorf("want %s, got %v", c.code, err)
			}
			page, err := h.ListAPITokens(h.ctx, h.system.Actor, directory.AccountItems{Account: "globex"})
			if err != nil || page.Total != 0 {
				t.Errorf("%d tokens are there, %v", page.Total, err)
			}
		})
	}
}

// TestC1_AccountsHaveSoManyAPITokens: the one beyond is refused, in that account alone, until one is revoked.
func TestC1_AccountsHaveSoManyAPITokens(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, tenant("globex", ""), tenant("initech", ""), directory.Record{Role: &account.Role{Key: "agent"}})
	h.must(err)
	create := func(id account.ID) (account.APITokenID, error) {
		made, _, err := h.CreateAPIToken(h.ctx, h.system, directory.NewAPIToken{Account: id, Name: "Robot", Roles: []account.RoleKey{"agent"}})
		return made.Value.ID, err
	}
	var last account.APITokenID
	for range directory.MaxAPITokens {
		last, err = create("globex")
		h.must(err)
	}
	if _, err := create("globex"); !fault.HasCode(err, "too_many_api_tokens") {
		t.Errorf("one more: %v", err)
	}
	_, err = create("initech")
	h.must(err)
	_, err = h.RevokeAPIToken(h.ctx, h.system, "globex", last)
	h.must(err)
	_, err = create("globex")
	h.must(err)
}
