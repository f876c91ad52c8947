package directory_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/ndjson"
)

func feature(key account.FeatureKey) directory.Record {
	return directory.Record{Feature: &account.Feature{Key: key}}
}

func planOf(key account.PlanKey, features ...account.FeatureKey) directory.Record {
	return directory.Record{Plan: &account.Plan{Key: key, Features: features}}
}

func onPlan(rec directory.Record, key account.PlanKey) directory.Record {
	a := *rec.Account
	a.Plan = key
	return directory.Record{Account: &a}
}

func switched(id account.ID, key account.FeatureKey, branch, on bool) directory.Record {
	return directory.Record{FeatureSwitch: &account.FeatureSwitch{Account: id, Feature: key, Branch: branch, On: on}}
}

// furnished has the account globex with plan pro (chat, reports), and east below it with a switch.
func furnished(t *testing.T) *house {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, switched("east", "chat", false, false), onPlan(tenant("globex", ""), "pro"),
		tenant("east", "globex"), planOf("pro", "reports", "chat"), feature("reports"), feature("chat"))
	h.must(err)
	return h
}

// TestFeatures_WhatIsInUseStays until nothing uses it.
func TestFeatures_WhatIsInUseStays(t *testing.T) {
	h := furnished(t)
	_, err := h.DeletePlan(h.ctx, h.system, "pro")
	code(t, err, "plan_in_use")
	_, err = h.DeleteFeature(h.ctx, h.system, "reports")
	code(t, err, "feature_in_use")
	none := []account.FeatureKey{}
	_, err = h.UpdatePlan(h.ctx, h.system, "pro", directory.PlanPatch{Features: &none})
	h.must(err)
	_, err = h.DeleteFeature(h.ctx, h.system, "reports")
	h.must(err)
	_, err = h.DeleteFeature(h.ctx, h.system, "chat") // still switched at east
	code(t, err, "feature_in_use")
	_, err = h.DeleteAccount(h.ctx, h.system, "east", false) // and its switch with it
	h.must(err)
	_, err = h.DeleteFeature(h.ctx, h.system, "chat")
	h.must(err)
	_, err = h.SetAccountPlan(h.ctx, h.system, "globex", "")
	h.must(err)
	_, err = h.DeletePlan(h.ctx, h.system, "pro")
	h.must(err)
}

func TestFeatures_BoundsOfAPlan(t *testing.T) {
	h := newHouse(t)
	var records []directory.Record
	var keys []account.FeatureKey
	for i := range account.MaxPlanFeatures + 1 {
		key := account.FeatureKey(fmt.Sprintf("f%03d", i))
		keys, records = append(keys, key), append(records, feature(key))
	}
	_, err := h.load(directory.LoadOptions{}, records...)
	h.must(err)
	_, err = h.CreatePlan(h.ctx, h.system, account.Plan{Key: "all", Features: keys})
	code(t, err, "too_many_features")
	made, err := h.CreatePlan(h.ctx, h.system, account.Plan{Key: "all", Features: append(keys[1:], keys[1])}) // a repeat does not count
	if err != nil || len(made.Value.Features) != account.MaxPlanFeatures {
		t.Errorf("%d features, %v", len(made.Value.Features), err)
	}
	page, err := h.ListFeatures(h.ctx, h.system.Actor, directory.KeyPage{After: "f447", Limit: 2})
	if err != nil || page.Total != len(keys) || !page.More || len(page.Items) != 2 || page.Items[0].Value.Key != "f448" {
		t.Errorf("%+v, %v", page, err)
	}
	page, err = h.ListFeatures(h.ctx, h.system.Actor, directory.KeyPage{After: "f448", Limit: 2})
	if err != nil || page.More || len(page.Items) != 2 {
		t.Errorf("%+v, %v", page, err)
	}
	_, err = h.ListPlans(h.ctx, h.system.Actor, directory.KeyPage{Limit: directory.MaxLimit + 1})
	code(t, err, "invalid_limit")
}

// TestFeatures_WhoMayNotLearnsNothing: a refusal is the same whether or not it could be done.
func TestFeatures_WhoMayNotLearnsNothing(t *testing.T) {
	h := furnished(t)
	h.engine.deny = true
	req := directory.Request{Actor: account.Actor{Environment: "prod", User: "eve"}}
	for _, id := range []account.ID{"globex", "nowhere"} {
		for _, key := range []account.FeatureKey{"chat", "none"} {
			_, err := h.SetFeatureSwitch(h.ctx, req, account.FeatureSwitch{Account: id, Feature: key})
			code(t, err, "permission_denied")
			_, err = h.RemoveFeatureSwitch(h.ctx, req, account.FeatureSwitch{Account: id, Feature: key})
			code(t, err, "permission_denied")
			_, err = h.CreateFeature(h.ctx, req, account.Feature{Key: key, Permission: "fly"})
			code(t, err, "permission_denied")
			_, err = h.DeleteFeature(h.ctx, req, key)
			code(t, err, "permission_denied")
			_, err = h.GetFeature(h.ctx, req.Actor, key)
			code(t, err, "permission_denied")
			_, err = h.CreatePlan(h.ctx, req, account.Plan{Key: "new", Features: []account.FeatureKey{key}})
			code(t, err, "permission_denied")
		}
		for _, key := range []account.PlanKey{"pro", "none", ""} {
			_, err := h.SetAccountPlan(h.ctx, req, id, key)
			code(t, err, "permission_denied")
		}
	}
}

// TestFeatures_LoadAndExport: what is loaded comes out as it went in, and loading that again changes nothing.
func TestFeatures_LoadAndExport(t *testing.T) {
	h := furnished(t)
	export := func(h *house) []byte {
		var out bytes.Buffer
		h.must(h.Export(h.ctx, h.system.Actor, ndjson.NewWriter(&out).Write))
		return out.Bytes()
	}
	text := export(h)
	load := func(h *house) directory.Loaded {
		var records []directory.Record
		h.must(ndjson.Read(bytes.NewReader(text), func(r directory.Record) error { records = append(records, r); return nil }))
		loaded, err := h.Load(h.ctx, h.system, records, directory.LoadOptions{})
		h.must(err)
		return loaded
	}
	if again := load(h); again.Created != 0 || again.Unchanged != 7 {
		t.Errorf("loaded again: %+v", again)
	}
	other := newHouse(t) // has the environment, with the same settings
	if fresh := load(other); fresh.Created != 6 || fresh.Unchanged != 1 {
		t.Errorf("loaded elsewhere: %+v", fresh)
	}
	if diff := cmp.Diff(string(text), string(export(other))); diff != "" {
		t.Errorf("exports (-first +copy):\n%s", diff)
	}
}

func TestFeatures_LoadsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		code    string
		records []directory.Record
	}{
		"a feature twice":           {"duplicate_line", []directory.Record{feature("new"), feature("new")}},
		"another feature":           {"differs", []directory.Record{{Feature: &account.Feature{Key: "chat", Name: "Chat"}}}},
		"the same permission":       {"", []directory.Record{{Feature: &account.Feature{Key: "chat"}}}},
		"an unknown permission":     {"unknown_permission", []directory.Record{{Feature: &account.Feature{Key: "x", Permission: "fly"}}}},
		"another plan":              {"differs", []directory.Record{planOf("pro", "chat")}},
		"a plan of nothing known":   {"unknown_feature", []directory.Record{planOf("new", "fly")}},
		"an account's unknown plan": {"unknown_plan", []directory.Record{onPlan(tenant("new", ""), "fly")}},
		"another plan of an account": {"differs", []directory.Record{
			planOf("new"), onPlan(tenant("globex", ""), "new"),
		}},
		"a switch nowhere":             {"unknown_account", []directory.Record{switched("nowhere", "chat", true, true)}},
		"a switch of nothing":          {"unknown_feature", []directory.Record{switched("globex", "fly", true, true)}},
		"another switch":               {"differs", []directory.Record{switched("east", "chat", false, true)}},
		"a switch twice":               {"duplicate_line", []directory.Record{switched("globex", "chat", true, true), switched("globex", "chat", true, false)}},
		"switches of both scopes":      {"", []directory.Record{switched("globex", "chat", true, true), switched("globex", "chat", false, false)}},
		"the same again":               {"", []directory.Record{switched("east", "chat", false, false), planOf("pro", "chat", "reports")}},
		"what refers to a later line":  {"", []directory.Record{switched("new", "fly", true, true), onPlan(tenant("new", ""), "new"), planOf("new", "fly"), feature("fly")}},
		"a description out of bounds":  {"invalid_description", []directory.Record{{Plan: &account.Plan{Key: "x", Description: "\x00"}}}},
		"a key that is not identifier": {"invalid_id", []directory.Record{feature("f f")}},
	} {
		t.Run(name, func(t *testing.T) {
			h := furnished(t)
			before, err := h.store.Head(h.ctx, "prod")
			h.must(err)
			_, err = h.load(directory.LoadOptions{}, c.records...)
			if c.code == "" {
				h.must(err)
				return
			}
			code(t, err, c.code)
			if after, err := h.store.Head(h.ctx, "prod"); err != nil || after != before {
				t.Errorf("something was written: %d after %d, %v", after, before, err)
			}
		})
	}
}

// TestFeatures_LoadsCheckAgainWhatOthersChanged while they were going on.
func TestFeatures_LoadsCheckAgainWhatOthersChanged(t *testing.T) {
	for name, c := range map[string]struct {
		code   string
		change func(*house) error
	}{
		"the switched feature is deleted": {"load_overtaken", func(h *house) error {
			_, err := h.DeleteFeature(h.ctx, h.system, "loose")
			return err
		}},
		"the plan of a new account is deleted": {"load_overtaken", func(h *house) error {
			_, err := h.DeletePlan(h.ctx, h.system, "loose")
			return err
		}},
		"the switch is made": {"load_overtaken", func(h *house) error {
			_, err := h.SetFeatureSwitch(h.ctx, h.system, account.FeatureSwitch{Account: "east", Feature: "loose", Branch: true})
			return err
		}},
		"another switch is made": {"", func(h *house) error {
			_, err := h.SetFeatureSwitch(h.ctx, h.system, account.FeatureSwitch{Account: "east", Feature: "loose"})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := furnished(t)
			_, err := h.load(directory.LoadOptions{}, feature("loose"), planOf("loose"))
			h.must(err)
			records := []directory.Record{switched("east", "loose", true, true), switched("a299", "chat", true, true)}
			for i := range 300 { // more than go into one entry
				records = append(records, onPlan(tenant(account.ID(fmt.Sprintf("a%d", i)), "globex"), "pro"))
			}
			records = append(records, onPlan(tenant("last", "globex"), "loose"))
			changed := false
			loaded, err := h.load(directory.LoadOptions{Progress: func(int, int) {
				if !changed {
					changed = true
					h.must(c.change(h))
				}
			}}, records...)
			switch {
			case c.code != "":
				code(t, err, c.code)
			case err != nil || loaded.Created != len(records):
				t.Errorf("%+v, %v", loaded, err)
			}
		})
	}
}
