package directory_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// withClient is a house with the client shop, an admin that may impersonate.
func withClient(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	_, _, err := h.CreateClient(h.ctx, h.system, account.Client{ID: "shop", Roles: []account.PortalRole{account.PortalAdmin, account.Impersonator}})
	h.must(err)
	return h
}

func (h *house) secrets(id account.ClientID) []account.ClientSecret {
	h.t.Helper()
	found, err := h.ListSecrets(h.ctx, h.system.Actor, id)
	h.must(err)
	var out []account.ClientSecret
	for _, s := range found {
		out = append(out, s.Value.ClientSecret)
	}
	slices.SortFunc(out, func(a, b account.ClientSecret) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out
}

func (h *house) addSecret(overlap time.Duration) account.ClientSecret {
	h.t.Helper()
	r, secret, err := h.AddSecret(h.ctx, h.system, "shop", overlap)
	h.must(err)
	if len(secret) != 43 || r.ETag != r.Version {
		h.t.Errorf("a secret of %d letters at %d, the entry is %d", len(secret), r.ETag, r.Version)
	}
	return r.Value
}

// TestC2_ANewSecretEndsTheOthers after the overlap, none later than it would have ended.
func TestC2_ANewSecretEndsTheOthers(t *testing.T) {
	h := withClient(t)
	second := h.addSecret(time.Hour)
	got := h.secrets("shop")
	if len(got) != 2 || got[0].ExpiresAt == nil || !got[0].ExpiresAt.Equal(second.CreatedAt.Add(time.Hour)) || got[1].ExpiresAt != nil {
		t.Fatalf("with an overlap of an hour: %+v", got)
	}
	firstEnds := *got[0].ExpiresAt
	third := h.addSecret(directory.MaxOverlap)
	got = h.secrets("shop")
	if len(got) != 3 || !got[0].ExpiresAt.Equal(firstEnds) || got[1].ExpiresAt == nil || !got[1].ExpiresAt.Equal(third.CreatedAt.Add(directory.MaxOverlap)) {
		t.Fatalf("with the longest overlap: %+v", got)
	}
	fourth := h.addSecret(0)
	if diff := cmp.Diff([]account.ClientSecret{fourth}, h.secrets("shop")); diff != "" {
		t.Errorf("without an overlap: %s", diff)
	}
	for _, overlap := range []time.Duration{-1, directory.MaxOverlap + 1} {
		_, _, err := h.AddSecret(h.ctx, h.system, "shop", overlap)
		code(t, err, "invalid_overlap")
	}
	_, _, err := h.AddSecret(h.ctx, h.system, "shed", 0)
	code(t, err, "client_not_found")
	_, err = h.ListSecrets(h.ctx, h.system.Actor, "shed")
	code(t, err, "client_not_found")
}

// TestC2_SecretsAreFew: five at most, of which those that have expired are tidied away.
func TestC2_SecretsAreFew(t *testing.T) {
	h := withClient(t)
	for range directory.MaxSecrets - 2 {
		h.addSecret(time.Hour)
	}
	h.addSecret(time.Microsecond) // the four before have ended when the clock has moved on
	if got := h.secrets("shop"); len(got) != directory.MaxSecrets {
		t.Fatalf("%d secrets", len(got))
	}
	h.addSecret(time.Hour)
	if got := h.secrets("shop"); len(got) != 2 {
		t.Fatalf("%d secrets after those that had expired were tidied away: %+v", len(got), got)
	}
	for range directory.MaxSecrets - 2 {
		h.addSecret(time.Hour)
	}
	_, _, err := h.AddSecret(h.ctx, h.system, "shop", time.Hour)
	code(t, err, "too_many_secrets")
	h.addSecret(0)
	if got := h.secrets("shop"); len(got) != 1 {
		t.Errorf("%d secrets", len(got))
	}
}

// TestC2_EverySecretCanBeRevoked, the last one too, each as the caller has seen it, and none by the name of another client.
func TestC2_EverySecretCanBeRevoked(t *testing.T) {
	h := withClient(t)
	_, _, err := h.CreateClient(h.ctx, h.system, account.Client{ID: "shed", Roles: []account.PortalRole{account.BackofficeViewer}})
	h.must(err)
	only := h.secrets("shop")[0].ID
	for _, c := range []struct {
		client account.ClientID
		secret account.SecretID
		match  account.Version
		code   string
	}{
		{"shed", only, 0, "secret_not_found"},
		{"none", only, 0, "client_not_found"},
		{"shop", "sec_x", 0, "secret_not_found"},
		{"shop", "../x", 0, "invalid_id"},
		{"../x", only, 0, "invalid_id"},
		{"shop", only, 1, "stale"},
	} {
		req := h.system
		req.IfMatch = c.match
		_, err := h.RevokeSecret(h.ctx, req, c.client, c.secret)
		code(t, err, c.code)
	}
	_, err = h.RevokeSecret(h.ctx, h.system, "shop", only)
	h.must(err)
	if got := h.secrets("shop"); len(got) != 0 {
		t.Errorf("still there: %+v", got)
	}
	h.addSecret(0)
	if got := h.secrets("shop"); len(got) != 1 {
		t.Errorf("%d secrets", len(got))
	}
	page, err := h.Log(h.ctx, h.system.Actor, directory.LogFilter{Kinds: []string{"client.*"}})
	h.must(err)
	var kinds []account.Kind
	for _, e := range page.Entries {
		kinds = append(kinds, e.Kind)
	}
	want := []account.Kind{account.ClientCreated, account.ClientCreated, account.SecretRevoked, account.SecretAdded}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}

// TestC1_ClientsCanBeChanged: what is named, and nothing is half done.
func TestC1_ClientsCanBeChanged(t *testing.T) {
	h := withClient(t)
	was, err := h.GetClient(h.ctx, h.system.Actor, "shop")
	h.must(err)
	for _, c := range []struct {
		patch directory.ClientPatch
		code  string
	}{
		{directory.ClientPatch{Name: new("")}, "missing_name"},
		{directory.ClientPatch{Roles: &[]account.PortalRole{}}, "missing_role"},
		{directory.ClientPatch{Roles: &[]account.PortalRole{"king"}}, "unknown_portal_role"},
		{directory.ClientPatch{Roles: &[]account.PortalRole{account.Impersonator}}, "impersonator_alone"},
		{directory.ClientPatch{Name: new("New"), Scopes: new(account.Scopes("check everything"))}, "unknown_scope"},
	} {
		_, err := h.UpdateClient(h.ctx, h.system, "shop", c.patch)
		code(t, err, c.code)
	}
	_, err = h.UpdateClient(h.ctx, h.system, "shed", directory.ClientPatch{})
	code(t, err, "client_not_found")
	same := directory.ClientPatch{
		Name: &was.Value.Name, Roles: &[]account.PortalRole{account.Impersonator, account.PortalAdmin, account.PortalAdmin},
		ActForUsers: new(false), Scopes: new(account.Scopes("write read check admin")),
	}
	r, err := h.UpdateClient(h.ctx, h.system, "shop", same)
	h.must(err)
	if now, err := h.GetClient(h.ctx, h.system.Actor, "shop"); err != nil || r.ETag != was.Version || !cmp.Equal(now, was) {
		t.Errorf("a change to what it was is one: %+v, %+v, %v", r, now, err)
	}
	req := h.system
	req.IfMatch = was.Version + 1
	_, err = h.UpdateClient(h.ctx, req, "shop", directory.ClientPatch{Name: new("New")})
	code(t, err, "stale")
	req.IfMatch = was.Version
	r, err = h.UpdateClient(h.ctx, req, "shop", directory.ClientPatch{Name: new("New"), ActForUsers: new(true), Scopes: new(account.Scopes("read check read"))})
	h.must(err)
	want := was.Value.Client
	want.Name, want.ActForUsers, want.Scopes = "New", true, "check read"
	if now, err := h.GetClient(h.ctx, h.system.Actor, "shop"); err != nil || now.Version != r.Version || !cmp.Equal(now.Value.Client, want) {
		t.Errorf("%+v, %v", now, err)
	}
}

// TestE4_WhoMayNotImpersonateAnyMore has no session that goes on; who still may has.
func TestE4_WhoMayNotImpersonateAnyMore(t *testing.T) {
	h := withClient(t)
	_, err := h.load(directory.LoadOptions{}, tenant("globex", ""), role("r", ""), person("ada"), member("globex", "ada", "r"))
	h.must(err)
	req := directory.Request{Actor: account.Actor{Environment: "prod", Client: "shop"}}
	_, err = h.BeginImpersonation(h.ctx, req, directory.NewImpersonation{User: "ada", Reason: "Ticket"})
	h.must(err)
	sessions := func() int {
		t.Helper()
		page, err := h.ListImpersonations(h.ctx, h.system.Actor, "", 0)
		h.must(err)
		return page.Total
	}
	change := func(roles ...account.PortalRole) {
		t.Helper()
		_, err := h.UpdateClient(h.ctx, h.system, "shop", directory.ClientPatch{Roles: &roles})
		h.must(err)
	}
	change(account.BackofficeViewer, account.Impersonator)
	if n := sessions(); n != 1 {
		t.Errorf("%d sessions of who may still", n)
	}
	change(account.BackofficeViewer)
	if n := sessions(); n != 0 {
		t.Errorf("%d sessions of who may not any more", n)
	}
	change(account.BackofficeViewer, account.Impersonator)
	if n := sessions(); n != 0 {
		t.Errorf("%d sessions that had ended go on", n)
	}
}

// TestC1_ClientsAreListedInPages, each with when it was used last.
func TestC1_ClientsAreListedInPages(t *testing.T) {
	h := withClient(t)
	for _, id := range []account.ClientID{"a", "b", "c"} {
		_, _, err := h.CreateClient(h.ctx, h.system, account.Client{ID: id, Roles: []account.PortalRole{account.BackofficeViewer}})
		h.must(err)
	}
	at := time.Now().UTC().Truncate(time.Microsecond)
	h.must(h.db.NoteSecretUses(h.ctx, "prod", map[account.SecretID]time.Time{h.secrets("b")[0].ID: at}))
	var ids []account.ClientID
	for after, more := "", true; more; {
		page, err := h.ListClients(h.ctx, h.system.Actor, directory.KeyPage{After: after, Limit: 3})
		h.must(err)
		for _, c := range page.Items {
			ids, after = append(ids, c.Value.ID), string(c.Value.ID)
			if used := c.Value.LastUsed; (used != nil) != (c.Value.ID == "b") || used != nil && !used.Equal(at) {
				t.Errorf("%s was used %v", c.Value.ID, used)
			}
		}
		if more = page.More; page.Total != 4 {
			t.Errorf("total %d", page.Total)
		}
	}
	if diff := cmp.Diff([]account.ClientID{"a", "b", "c", "shop"}, ids); diff != "" {
		t.Error(diff)
	}
	found, err := h.ListSecrets(h.ctx, h.system.Actor, "b")
	if err != nil || len(found) != 1 || found[0].Value.LastUsed == nil || !found[0].Value.LastUsed.Equal(at) {
		t.Errorf("the secret: %+v, %v", found, err)
	}
}

// TestE3_AnEnvironmentsSettingsAreWhatAnotherLoadSays, also when its keys were
// replaced meanwhile, of which the load format says nothing.
func TestE3_AnEnvironmentsSettingsAreWhatAnotherLoadSays(t *testing.T) {
	h := newHouse(t)
	_, err := h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{ExchangeOnly: new(true)})
	h.must(err)
	found, err := h.GetEnvironment(h.ctx, h.system.Actor)
	h.must(err)
	said := found.Value
	_, err = h.load(directory.LoadOptions{}, directory.Record{NewEnvironment: &said})
	h.must(err)
	rotated := said
	rotated.KeysRotatedAt = new(time.Now().UTC().Truncate(time.Microsecond))
	h.must(h.db.Write(h.ctx, "prod", func(tx directory.Tx) error {
		_, err := tx.Append(h.ctx, account.Entry{
			Environment: "prod", At: *rotated.KeysRotatedAt, Actor: h.system.Actor, Kind: account.KeysRotated,
			Changes: []account.Change{{Before: account.Of(said), After: account.Of(rotated)}},
		})
		return err
	}))
	_, err = h.load(directory.LoadOptions{}, directory.Record{NewEnvironment: &said})
	h.must(err)
	said.ExchangeOnly = false
	_, err = h.load(directory.LoadOptions{}, directory.Record{NewEnvironment: &said})
	if !errors.Is(err, fault.Conflict) && !errors.Is(err, fault.Exists) {
		t.Errorf("other settings: %v", err)
	}
}
