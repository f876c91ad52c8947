package access

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	checks, lists *prometheus.CounterVec
}

func newMetrics(to prometheus.Registerer) *metrics {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenantry_access_" + name, Help: help}, []string{"by"})
	}
	m := &metrics{
		checks: counter("checks_total", "Questions answered about permissions, by who answered: index or engine."),
		lists:  counter("lists_total", "Lists of the accounts that somebody may open, by who made them: index or engine."),
	}
	if to != nil {
		to.MustRegister(m.checks, m.lists)
	}
	return m
}
