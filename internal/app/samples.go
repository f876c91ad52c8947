package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/account"
)

// samples counts comparisons of index and engine.
type samples struct{ results *prometheus.CounterVec }

func newSamples(to prometheus.Registerer) *samples {
	s := &samples{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tenantry_index_samples_total",
		Help: "Comparisons of index and engine, by result: same, different (the index is out of service then), or none, if there was nothing to compare or it did not rest.",
	}, []string{"environment", "result"})}
	to.MustRegister(s.results)
	return s
}

func (s *samples) note(env account.EnvironmentID, result string) {
	s.results.WithLabelValues(string(env), result).Inc()
}
