package scenario

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	api "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/relay"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

const rich = `
roles: {admin: everything, viewer: read_users, western: {permissions: [invite_users], account: west}}
features: [reports, messages]
plans: {small: messages}
accounts:
  globex:
    plan: small
    sub_account_access: default_on
    sub_accounts:
      west: {sub_account_management: off, features: {reports: on for the branch}}
      east: {sub_account_access: always_on, sub_accounts: [shop]}
members:
  ada: {globex: admin, shop: {role: viewer, expires: 9000-01-01}}
  bob: {east: [viewer, admin], globex: {role: viewer, sub_account_access: off}}
  wes: {west: western}
blocked: wes
operators: {desk: [impersonator, backoffice_viewer]}
steps:
  - when:
      - set sub_account_access of east to default_off
      - set sub_account_management of west to on
      - move shop below west
      - add cem to east as viewer
      - remove bob from globex
      - block ada
      - unblock wes
      - switch reports off in shop
      - remove invite_users from role western
`

// TestProjectionIsTheRealOne: a scenario puts into its SpiceDB what the relay puts
// into the engine, when the same requests are sent to a directory.
func TestProjectionIsTheRealOne(t *testing.T) {
	ctx := t.Context()
	model, err := NewModel(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &document{Source: finding.NewSource("rich.yaml", rich)}
	all := d.scenarios(model)
	if len(all) != 1 || len(d.findings) > 0 {
		t.Fatalf("%d scenarios, %v", len(all), d.findings)
	}
	s, dir := all[0], t.TempDir()
	empty, err := template(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	w, refused, err := newWorld(ctx, model, s.state, empty, dir)
	if err != nil || w == nil {
		t.Fatal(refused, err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	if ok, err := s.furnish(ctx, w); !ok || err != nil {
		t.Fatal(d.findings, err)
	}
	begin := held(t, w.conn)
	for _, st := range s.phases[1].steps {
		if ok, err := s.take(ctx, w, st); !ok || err != nil {
			t.Fatal(d.findings, err)
		}
	}
	got := held(t, w.conn)
	want := requested(t)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-the relay +the scenario):\n%s", diff)
	}
	if len(got) < 30 || cmp.Equal(begin, got) {
		t.Errorf("%d relationships at the beginning, %d after the steps: too little to compare", len(begin), len(got))
	}
}

// yes is an authorizer that nobody asks: all requests are the system's.
type yes struct{ t *testing.T }

func (y yes) Decide(context.Context, account.Actor, account.Version, []directory.Question) ([]bool, error) {
	y.t.Error("a right was asked for")
	return nil, errors.New("nobody is asked")
}

// requested is what the relay makes of the requests that rich stands for.
func requested(t *testing.T) relation.Set {
	t.Helper()
	ctx := t.Context()
	catalogue, err := schema.Default()
	must(t, err)
	db, err := store.Open(ctx, filepath.Join(t.TempDir(), "directory.db"), store.Config{})
	must(t, err)
	e, err := engine.Embedded(ctx, engine.EmbeddedConfig{})
	must(t, err)
	_, err = engine.ApplySchema(ctx, e.Conn(), schema.Built(), engine.Refuse)
	must(t, err)
	r := relay.New(db, e, relation.NewProjector(catalogue), relay.Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- r.Run(running) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, e.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	vendor := directory.New(db, yes{t}, r, catalogue, directory.Config{ApplyWait: time.Minute})
	req := directory.Request{Actor: account.Actor{Environment: "prod", System: true}}
	yesPlease, no := true, false
	at := func(id account.ID, user account.UserID, roles ...account.RoleKey) directory.Grant {
		return directory.Grant{Account: id, User: user, Roles: roles}
	}

	must(t, ignoring(vendor.CreateEnvironment(ctx, req, account.Environment{ID: "prod", SubAccountsEnabled: true})))
	everything := make([]account.PermissionKey, len(catalogue.Permissions))
	for i, p := range catalogue.Permissions {
		everything[i] = p.Key
	}
	must(t, ignoring(vendor.CreateRole(ctx, req, account.Role{Key: "admin", Permissions: everything})))
	must(t, ignoring(vendor.CreateRole(ctx, req, account.Role{Key: "viewer", Permissions: []account.PermissionKey{"fe.secure.read.users"}})))
	must(t, ignoring(vendor.CreateFeature(ctx, req, account.Feature{Key: "reports"})))
	must(t, ignoring(vendor.CreateFeature(ctx, req, account.Feature{Key: "messages"})))
	must(t, ignoring(vendor.CreatePlan(ctx, req, account.Plan{Key: "small", Features: []account.FeatureKey{"messages"}})))
	for _, a := range []directory.NewAccount{
		{ID: "globex", Name: "globex", SubAccountManagement: true, AccessMode: account.DefaultOn},
		{ID: "west", Name: "west", Parent: "globex"},
		{ID: "east", Name: "east", Parent: "globex", SubAccountManagement: true, AccessMode: account.AlwaysOn},
		{ID: "shop", Name: "shop", Parent: "east", SubAccountManagement: true},
	} {
		must(t, ignoring(vendor.CreateAccount(ctx, req, a)))
	}
	must(t, ignoring(vendor.SetAccountPlan(ctx, req, "globex", "small")))
	must(t, ignoring(vendor.SetFeatureSwitch(ctx, req, account.FeatureSwitch{Account: "west", Feature: "reports", Branch: true, On: true})))
	must(t, ignoring(vendor.CreateRole(ctx, req, account.Role{Key: "western", Account: "west", Permissions: []account.PermissionKey{"fe.secure.invite.users"}})))
	ends := time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
	shop, globex := at("shop", "ada", "viewer"), at("globex", "bob", "viewer")
	shop.ExpiresAt, globex.SubAccountAccess = &ends, &no
	for _, u := range []directory.NewUser{
		{ID: "ada", Memberships: []directory.Grant{at("globex", "ada", "admin"), shop}},
		{ID: "bob", Memberships: []directory.Grant{at("east", "bob", "viewer", "admin"), globex}},
		{ID: "wes", Memberships: []directory.Grant{at("west", "wes", "western")}},
	} {
		u.Email = string(u.ID) + "@example.com"
		must(t, ignoring(vendor.CreateUser(ctx, req, u)))
	}
	must(t, ignoring(vendor.BlockUser(ctx, req, "wes", false)))
	client, _, err := vendor.CreateClient(ctx, req, account.Client{ID: "desk", Roles: []account.PortalRole{account.Impersonator, account.BackofficeViewer}})
	must(t, ignoring(client, err))

	off := account.DefaultOff
	must(t, ignoring(vendor.UpdateAccount(ctx, req, "east", directory.AccountPatch{AccessMode: &off})))
	must(t, ignoring(vendor.UpdateAccount(ctx, req, "west", directory.AccountPatch{SubAccountManagement: &yesPlease})))
	must(t, ignoring(vendor.MoveAccount(ctx, req, "shop", "west")))
	must(t, ignoring(vendor.CreateUser(ctx, req, directory.NewUser{ID: "cem", Email: "cem@example.com", Memberships: []directory.Grant{at("east", "cem", "viewer")}})))
	must(t, ignoring(vendor.RemoveMembership(ctx, req, "globex", "bob", false)))
	must(t, ignoring(vendor.BlockUser(ctx, req, "ada", false)))
	must(t, ignoring(vendor.UnblockUser(ctx, req, "wes")))
	must(t, ignoring(vendor.SetFeatureSwitch(ctx, req, account.FeatureSwitch{Account: "shop", Feature: "reports"})))
	last, err := vendor.UpdateRole(ctx, req, "western", directory.RolePatch{Permissions: &[]account.PermissionKey{}})
	must(t, err)
	if !last.Applied {
		t.Fatal("the last request is not in force")
	}
	return held(t, e.Conn())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// held is what an engine holds, but for the mark of how far the journal was applied.
func held(t *testing.T, conn grpc.ClientConnInterface) relation.Set {
	t.Helper()
	all := relation.Set{}
	for _, kind := range []string{relation.TypeEnvironment, relation.TypeRole, relation.TypeAssignment, relation.TypeAccount, relation.TypePlan} {
		stream, err := api.NewPermissionsServiceClient(conn).ReadRelationships(t.Context(), &api.ReadRelationshipsRequest{
			Consistency:        &api.Consistency{Requirement: &api.Consistency_FullyConsistent{FullyConsistent: true}},
			RelationshipFilter: &api.RelationshipFilter{ResourceType: kind},
		})
		must(t, err)
		for {
			got, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			if r := relation.FromProto(got.GetRelationship()); r.Relation != "applied" {
				all.Add(r)
			}
		}
	}
	return all
}
