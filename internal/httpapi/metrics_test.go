package httpapi

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	deps := Deps{Registry: registry, Directory: newDirectory(t, broken{}, granting{})}
	a := serve(t, deps, Config{})
	serve(t, deps, Config{}).do("GET", "/healthz", "") // a second API on the registry counts into the same
	a.do("GET", "/v1/accounts/globex", "")
	a.do("GET", "/v1/accounts/other", "")
	a.do("GET", "/v1/accounts/other", "", "Authorization", "-")
	a.do("GET", "/nowhere/one", "")
	a.do("GET", "/nowhere/two", "")
	a.do("BREW", "/healthz", "")

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, pair := range m.GetLabel() { // sorted by name
				labels = append(labels, pair.GetValue())
			}
			if family.GetName() == "tenantry_http_requests_total" {
				got[fmt.Sprint(labels)] = m.GetCounter().GetValue()
			}
		}
	}
	want := map[string]float64{ // method, route, status
		"[GET /healthz 200]":               1,
		"[GET /v1/accounts/{account} 401]": 1,
		"[GET /v1/accounts/{account} 500]": 2,
		"[GET unmatched 404]":              2,
		"[other unmatched 405]":            1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
