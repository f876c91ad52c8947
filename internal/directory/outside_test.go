package directory_test

import (
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// TestW2_TheDirectoryHoldsTheAccountOfAToken, even if whoever decides says yes to everything.
func TestW2_TheDirectoryHoldsTheAccountOfAToken(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, tenant("globex", ""), tenant("east", "globex"), tenant("initech", ""), role("agent", ""), role("own", "initech"),
		person("ada"), member("globex", "ada", "agent"), person("bob"), member("initech", "bob", "agent"))
	h.must(err)
	req := directory.Request{Actor: account.Actor{Environment: "prod", User: "ada", Account: "globex"}}
	ctx, yes := h.ctx, true
	for name, tt := range map[string]struct {
		do   func() error
		code string
	}{
		"its account": {func() error { _, err := h.GetAccount(ctx, req.Actor, "globex"); return err }, ""},
		"a sub-account of it": {func() error {
			_, err := h.CreateAccount(ctx, req, directory.NewAccount{Name: "West", Parent: "globex"})
			return err
		}, ""},
		"its tree":           {func() error { _, err := h.GetTree(ctx, req.Actor, "globex"); return err }, ""},
		"another account":    {func() error { _, err := h.GetAccount(ctx, req.Actor, "initech"); return err }, "outside_account"},
		"one below":          {func() error { _, err := h.GetAccount(ctx, req.Actor, "east"); return err }, "outside_account"},
		"none that is there": {func() error { _, err := h.GetAccount(ctx, req.Actor, "nowhere"); return err }, "outside_account"},
		"themselves":         {func() error { _, _, err := h.GetUser(ctx, req.Actor, "ada"); return err }, "outside_account"},
		"all accounts":       {func() error { _, err := h.ListAccounts(ctx, req.Actor, directory.AccountFilter{}); return err }, "outside_account"},
		"the log of all":     {func() error { _, err := h.Log(ctx, req.Actor, directory.LogFilter{}); return err }, "outside_account"},
		"a move out":         {func() error { _, err := h.MoveAccount(ctx, req, "globex", "initech"); return err }, "outside_account"},
		"a move in":          {func() error { _, err := h.MoveAccount(ctx, req, "initech", "globex"); return err }, "outside_account"},
		"a member elsewhere": {func() error {
			_, err := h.SetMembership(ctx, req, directory.Grant{Account: "initech", User: "ada", Roles: []account.RoleKey{"agent"}, SubAccountAccess: &yes})
			return err
		}, "outside_account"},
		"whom they do not know here": {func() error {
			_, err := h.SetMembership(ctx, req, directory.Grant{Account: "globex", User: "bob", Roles: []account.RoleKey{"agent"}})
			return err
		}, "user_not_found"},
		// whose a role is, is not told
		"a role of another account": {func() error { _, err := h.DeleteRole(ctx, req, "own"); return err }, "permission_denied"},
		"a role of the environment": {func() error { _, err := h.DeleteRole(ctx, req, "agent"); return err }, "permission_denied"},
		"a role that there is not":  {func() error { _, err := h.DeleteRole(ctx, req, "none"); return err }, "permission_denied"},
		"everything there is":       {func() error { return h.Export(ctx, req.Actor, func(account.Entity) error { return nil }) }, "outside_account"},
		"an impersonation":          {func() error { _, err := h.EndImpersonation(ctx, req, "imp_1"); return err }, "outside_account"},
	} {
		if err := tt.do(); tt.code == "" && err != nil || tt.code != "" && !fault.HasCode(err, tt.code) {
			t.Errorf("%s: want %q, got %v", name, tt.code, err)
		}
	}
}
