package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests by route pattern, so that the number of series does not grow with the number of accounts.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	refused  *prometheus.CounterVec
}

// The reasons for which a request is refused unread, as the metric has them.
const (
	refusedAddress  = "address_rate"
	refusedCaller   = "credential_rate"
	refusedFailures = "failed_authentications"
	refusedBusy     = "busy"
)

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenantry_http_requests_total", Help: "HTTP requests answered, by method, route and status.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tenantry_http_request_seconds", Help: "How long HTTP requests took, by method and route.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenantry_http_refused_total", Help: "HTTP requests refused for how much is asked, by reason.",
		}, []string{"reason"}),
	}
	if registry != nil {
		m.requests = registered(registry, m.requests)
		m.duration = registered(registry, m.duration)
		m.refused = registered(registry, m.refused)
	}
	for _, reason := range []string{refusedAddress, refusedCaller, refusedFailures, refusedBusy} {
		m.refused.WithLabelValues(reason) // so that they are there, at 0
	}
	return m
}

// registered returns the collector, or the one that the registry has under its
// name already: a second API on one registry counts into the same metrics.
func registered[C prometheus.Collector](registry prometheus.Registerer, c C) C {
	var present prometheus.AlreadyRegisteredError
	if err := registry.Register(c); errors.As(err, &present) {
		if known, ok := present.ExistingCollector.(C); ok {
			return known
		}
	}
	return c
}

var knownMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

func (m *metrics) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		wrapped := watched(w, r)
		defer func() {
			route, method, status := "unmatched", r.Method, wrapped.Status()
			if status == 0 {
				status = http.StatusOK
			}
			if pattern := chi.RouteContext(r.Context()).RoutePattern(); pattern != "" && status != http.StatusMethodNotAllowed {
				route = pattern
			}
			if !slices.Contains(knownMethods, method) {
				method = "other"
			}
			m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
			m.duration.WithLabelValues(method, route).Observe(time.Since(start).Seconds())
		}()
		next.ServeHTTP(wrapped, r)
	})
}
