package storetest

import (
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

func switched(id account.ID, key account.FeatureKey, branch, on bool) account.FeatureSwitch {
	return account.FeatureSwitch{Account: id, Feature: key, Branch: branch, On: on}
}

// testEntitlements creates, changes, reads and deletes features, plans and switches.
func testEntitlements(w *world) {
	t := w.T
	chat := account.Feature{Key: "chat", Name: "Chat", Description: "Two\nlines", Permission: "app.read"}
	zip, up := account.Feature{Key: "zip"}, account.Feature{Key: "UP"}
	pro := account.Plan{Key: "pro", Name: "Pro", Description: "All", Features: []account.FeatureKey{"chat", "zip"}}
	none := account.Plan{Key: "none", Features: []account.FeatureKey{}}
	acme, east := tenant("acme", ""), tenant("east", "acme")
	acme.Plan = "pro"
	all := []account.FeatureSwitch{
		switched("acme", "chat", false, true), switched("acme", "chat", true, false), switched("acme", "zip", true, true), switched("east", "chat", false, false),
	}
	changes := []account.Change{create(acme), create(east), create(chat), create(zip), create(up), create(pro), create(none)}
	for _, s := range all {
		changes = append(changes, create(s))
	}
	w.write(changes...)
	w.found("other")
	elsewhere := *w
	elsewhere.env = "other"
	elsewhere.write(create(tenant("acme", "")), create(chat), create(switched("acme", "chat", false, true)), create(none))

	w.read(func(r directory.Reader) {
		f, err := r.Feature(w.ctx, "chat")
		want(t, "feature", f, err, account.Versioned[account.Feature]{Value: chat, Version: 2})
		features, err := values(r.Features(w.ctx))
		want(t, "features, in the order of their bytes", features, err, []account.Feature{up, chat, zip})
		features, err = values(r.FeaturesByKey(w.ctx, []account.FeatureKey{"zip", "nothing", "UP", "zip"}))
		want(t, "features by key", features, err, []account.Feature{up, zip})
		features, err = values(r.FeaturesByKey(w.ctx, nil))
		want(t, "no features", len(features), err, 0)
		keys, totals := walk(t, func(after string) ([]string, int, error) {
			page, total, err := r.FeaturePage(w.ctx, directory.KeyPage{After: after, Limit: 2})
			return idsOf(page, func(f account.Feature) string { return string(f.Key) }), total, err
		})
		want(t, "pages of features", strings.Join(keys, " "), nil, "UP chat zip")
		want(t, "totals", slices.Max(totals)*10+slices.Min(totals), nil, 33)

		p, err := r.Plan(w.ctx, "pro")
		want(t, "plan", p, err, account.Versioned[account.Plan]{Value: pro, Version: 2})
		p, err = r.Plan(w.ctx, "none")
		want(t, "plan without features", len(p.Value.Features), err, 0)
		plans, total, err := r.PlanPage(w.ctx, directory.KeyPage{After: "none", Limit: 5})
		want(t, "plans", plans, err, []account.Versioned[account.Plan]{{Value: pro, Version: 2}})
		want(t, "total of plans", total, nil, 2)
		uses, err := r.PlanUses(w.ctx, "pro")
		want(t, "uses of a plan", uses, err, 1)
		uses, err = r.PlanUses(w.ctx, "")
		want(t, "uses of no plan", uses, err, 0)
		inPlans, inSwitches, err := r.FeatureUses(w.ctx, "chat")
		want(t, "uses of a feature", inPlans*10+inSwitches, err, 13)

		got, err := values(r.FeatureSwitches(w.ctx, "acme"))
		want(t, "switches of an account", got, err, all[:3])
		got, err = values(r.SwitchesAt(w.ctx, []account.ID{"east", "nowhere", "acme"}, []account.FeatureKey{"chat", "nothing"}))
		want(t, "switches of a feature", got, err, []account.FeatureSwitch{all[0], all[1], all[3]})
		got, err = values(r.SwitchesAt(w.ctx, []account.ID{"acme"}, []account.FeatureKey{"zip", "UP"}))
		want(t, "switches of features", got, err, all[2:3])
		got, err = values(r.SwitchesAt(w.ctx, nil, []account.FeatureKey{"zip"}))
		want(t, "switches nowhere", len(got), err, 0)
		got, err = values(r.SwitchesAt(w.ctx, []account.ID{"acme"}, nil))
		want(t, "switches of nothing", len(got), err, 0)

		_, err = r.Feature(w.ctx, "x")
		wantFault(t, "feature", err, fault.NotFound, "feature_not_found")
		_, err = r.Plan(w.ctx, "x")
		wantFault(t, "plan", err, fault.NotFound, "plan_not_found")
	})

	basic, louder, off := pro, chat, all[0]
	basic.Name, basic.Features = "", []account.FeatureKey{"UP", "chat"}
	louder.Name, louder.Description, louder.Permission = "", "", ""
	off.On = false
	freed := acme
	freed.Plan = ""
	w.write(update(pro, basic), update(chat, louder), update(all[0], off), update(acme, freed))
	w.read(func(r directory.Reader) {
		p, err := r.Plan(w.ctx, "pro")
		want(t, "changed plan", p, err, account.Versioned[account.Plan]{Value: basic, Version: 3})
		f, err := r.Feature(w.ctx, "chat")
		want(t, "changed feature", f, err, account.Versioned[account.Feature]{Value: louder, Version: 3})
		got, err := r.FeatureSwitches(w.ctx, "acme")
		want(t, "changed switch", got[0], err, account.Versioned[account.FeatureSwitch]{Value: off, Version: 3})
		want(t, "the other switch", got[1].Version, nil, 2)
		a, err := r.Account(w.ctx, "acme")
		want(t, "account without a plan", a.Value, err, freed)
	})
	for code, change := range map[string]account.Change{"feature_exists": create(zip), "plan_exists": create(none)} {
		_, err := w.try(change)
		wantFault(t, code, err, fault.Exists, code)
	}
	for what, change := range map[string]account.Change{
		"a feature in a plan": remove(louder), "a switch of no feature": create(switched("acme", "x", true, true)), "a switch nowhere": create(switched("x", "chat", true, true)),
	} {
		_, err := w.try(change)
		wantInternal(t, what, err)
	}
	w.write(remove(off), remove(all[1]), remove(all[2]), remove(all[3]), remove(basic), remove(louder), remove(zip))
	w.read(func(r directory.Reader) {
		features, err := values(r.Features(w.ctx))
		want(t, "what is left", features, err, []account.Feature{up})
	})
}
