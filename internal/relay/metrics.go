package relay

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/account"
)

type metrics struct {
	version *prometheus.GaugeVec
	lag     *prometheus.GaugeVec
	stopped *prometheus.GaugeVec
	entries *prometheus.CounterVec
	delay   prometheus.Histogram
}

func newMetrics(registry prometheus.Registerer) *metrics {
	byEnvironment := []string{"environment"}
	m := &metrics{
		version: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tenantry_relay_version", Help: "Version of the environment's journal that is in force."}, byEnvironment),
		lag:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tenantry_relay_lag_entries", Help: "Journal entries recorded but not yet in force."}, byEnvironment),
		stopped: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tenantry_relay_stopped", Help: "1 while an entry of the environment's journal cannot be applied."}, byEnvironment),
		entries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenantry_relay_entries_applied_total", Help: "Journal entries applied by this process."}, byEnvironment),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tenantry_relay_delay_seconds", Help: "Time from the recording of an entry until it was in force.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}),
	}
	if registry != nil {
		registry.MustRegister(m.version, m.lag, m.stopped, m.entries, m.delay)
	}
	return m
}

func (m *metrics) observe(s Status) {
	env := string(s.Environment)
	m.version.WithLabelValues(env).Set(float64(s.Position.Version))
	m.lag.WithLabelValues(env).Set(float64(max(0, s.Head-s.Position.Version)))
	stopped := 0.0
	if s.Stopped {
		stopped = 1
	}
	m.stopped.WithLabelValues(env).Set(stopped)
}

func (m *metrics) applied(env account.EnvironmentID, after time.Duration) {
	m.entries.WithLabelValues(string(env)).Inc()
	m.delay.Observe(after.Seconds())
}
