package ndjson_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/schema"
)

// TestDemoFeatures: plans at several levels, one taking the place of another, and switches of both kinds.
func TestDemoFeatures(t *testing.T) {
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	d := readDemo(t)["production"]
	for _, f := range d.features {
		if _, ok := catalogue.Lookup(string(f.Permission)); f.Permission != "" && !ok {
			t.Errorf("feature %s asks for %s, which is not in the catalogue", f.Key, f.Permission)
		}
	}
	given := map[account.ID]account.PlanKey{}
	for _, a := range d.accounts {
		if a.Plan != "" {
			given[a.ID] = a.Plan
		}
	}
	want := map[account.ID]account.PlanKey{"globex": "business", "globex-north-acme": "enterprise", "kestrel": "starter", "solstice": "business"}
	if diff := cmp.Diff(want, given); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
	switches := []account.FeatureSwitch{
		{Account: "acme-logistics-oslo", Feature: "forecasts", On: true},
		{Account: "globex-south", Feature: "reports", Branch: true},
		{Account: "globex-south-umbra", Feature: "reports", Branch: true, On: true},
	}
	if diff := cmp.Diff(switches, d.switches); diff != "" {
		t.Errorf("switches (-want +got):\n%s", diff)
	}
	if len(d.features) != 4 || len(d.plans) != 3 {
		t.Errorf("%d features in %d plans", len(d.features), len(d.plans))
	}
}
