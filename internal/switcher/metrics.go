package switcher

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/account"
)

type metrics struct {
	version, behind, accounts, memberships, inService, took *prometheus.GaugeVec
	drops                                                   *prometheus.CounterVec
}

func newMetrics(to prometheus.Registerer) *metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tenantry_index_" + name, Help: help}, []string{"environment"})
	}
	m := &metrics{
		version:     gauge("version", "The version of the environment's journal that the index has reached."),
		behind:      gauge("behind_entries", "Entries that the journal is known to have and the index has not."),
		accounts:    gauge("accounts", "The accounts in the index."),
		memberships: gauge("memberships", "The memberships, of users and of API tokens, in the index."),
		inService:   gauge("in_service", "1 while the index answers for the environment: it is loaded, proved by the schema, and not withdrawn."),
		took:        gauge("load_seconds", "How long the index took to load the last time."),
		drops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenantry_index_drops_total", Help: "How often the index was dropped, to be loaded anew, because the journal did not follow on what it held.",
		}, []string{"environment"}),
	}
	if to != nil {
		to.MustRegister(m.version, m.behind, m.accounts, m.memberships, m.inService, m.took, m.drops)
	}
	return m
}

// observe notes the version that an environment has now; nil is none.
func (m *metrics) observe(env account.EnvironmentID, s *state) {
	if s == nil {
		return
	}
	m.version.WithLabelValues(string(env)).Set(float64(s.version))
	m.accounts.WithLabelValues(string(env)).Set(float64(s.accounts.byID.Len()))
	m.memberships.WithLabelValues(string(env)).Set(float64(s.memberships.byPair.Len()))
}

func (m *metrics) serving(env account.EnvironmentID, is bool) {
	value := 0.0
	if is {
		value = 1
	}
	m.inService.WithLabelValues(string(env)).Set(value)
}

func (m *metrics) lag(env account.EnvironmentID, entries account.Version) {
	m.behind.WithLabelValues(string(env)).Set(float64(entries))
}

func (m *metrics) loaded(env account.EnvironmentID, took time.Duration) {
	m.took.WithLabelValues(string(env)).Set(took.Seconds())
}

func (m *metrics) dropped(env account.EnvironmentID) {
	m.drops.WithLabelValues(string(env)).Inc()
}
