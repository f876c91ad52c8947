package directory_test

import (
	"fmt"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// TestS3_ALoadLeavesAccessAsItIs: a line that does not speak of sub-account access agrees with whatever a present member has.
func TestS3_ALoadLeavesAccessAsItIs(t *testing.T) {
	h := newHouse(t)
	top := tenant("top", "")
	top.Account.AccessMode = account.DefaultOn
	none, granted := member("top", "none", "r"), member("top", "granted", "r")
	no := false
	none.Membership.SubAccountAccess = &no
	_, err := h.load(directory.LoadOptions{}, role("r", ""), top, person("none"), person("granted"), none, granted)
	h.must(err)
	loaded, err := h.load(directory.LoadOptions{}, member("top", "none", "r"), member("top", "granted", "r"))
	if err != nil || loaded.Unchanged != 2 || loaded.Created != 0 {
		t.Errorf("%+v, %v", loaded, err)
	}
	yes := true
	none.Membership.SubAccountAccess = &yes
	_, err = h.load(directory.LoadOptions{}, none)
	code(t, err, "differs")
}

// TestLoadsCheckAgainWhatOthersChanged while they were going on.
func TestLoadsCheckAgainWhatOthersChanged(t *testing.T) {
	off := false
	tests := []struct {
		name   string
		change func(*house) error
		asIs   bool
		code   string
	}{
		{"a name", func(h *house) error {
			name := "Renamed"
			_, err := h.UpdateAccount(h.ctx, h.system, "top", directory.AccountPatch{Name: &name})
			return err
		}, false, ""},
		{"A3", func(h *house) error {
			_, err := h.UpdateAccount(h.ctx, h.system, "top", directory.AccountPatch{SubAccountManagement: &off})
			return err
		}, false, "load_overtaken"},
		{"A3, as it is", func(h *house) error {
			_, err := h.UpdateAccount(h.ctx, h.system, "top", directory.AccountPatch{SubAccountManagement: &off})
			return err
		}, true, ""},
		{"E2", func(h *house) error {
			_, err := h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{SubAccountsEnabled: &off})
			return err
		}, false, "load_overtaken"},
		{"depth", func(h *house) error {
			depth := 1
			_, err := h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{MaxDepth: &depth})
			return err
		}, true, "load_overtaken"},
		{"the role", func(h *house) error {
			_, err := h.DeleteRole(h.ctx, h.system, "r")
			return err
		}, false, "load_overtaken"},
		{"the user", func(h *house) error {
			_, err := h.DeleteUser(h.ctx, h.system, "old")
			return err
		}, false, "load_overtaken"},
		{"an address", func(h *house) error {
			_, err := h.CreateUser(h.ctx, h.system, directory.NewUser{Email: "new@example.com", Memberships: []directory.Grant{{Account: "top", Roles: []account.RoleKey{"s"}}}})
			return err
		}, false, "load_overtaken"},
		{"the account", func(h *house) error {
			_, err := h.CreateAccount(h.ctx, h.system, directory.NewAccount{ID: "a299", Name: "Mine"})
			return err
		}, false, "load_overtaken"},
		{"the mode", func(h *house) error {
			mode := account.DefaultOn
			_, err := h.UpdateAccount(h.ctx, h.system, "top", directory.AccountPatch{AccessMode: &mode})
			return err
		}, false, "load_overtaken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			_, err := h.load(directory.LoadOptions{}, role("r", ""), role("s", ""), tenant("top", ""), tenant("else", ""), person("old"), member("else", "old", "s"))
			h.must(err)
			records := []directory.Record{person("new"), member("top", "new", "r"), member("top", "old", "r")}
			for i := range 300 { // more than go into one entry
				records = append(records, tenant(account.ID(fmt.Sprintf("a%d", i)), "top"))
			}
			changed := false
			opts := directory.LoadOptions{AsIs: tt.asIs, Progress: func(int, int) {
				if !changed {
					changed = true
					h.must(tt.change(h))
				}
			}}
			loaded, err := h.load(opts, records...)
			switch {
			case tt.code != "":
				code(t, err, tt.code)
				if loaded.Created == 0 || loaded.Created >= len(records) {
					t.Errorf("%d records were written", loaded.Created)
				}
			case err != nil || loaded.Created != len(records):
				t.Errorf("%+v, %v", loaded, err)
			}
		})
	}
}
