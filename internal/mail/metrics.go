package mail

import "github.com/prometheus/client_golang/prometheus"

// metrics of a courier.
type metrics struct {
	sent    prometheus.Counter
	failed  prometheus.Counter
	givenUp prometheus.Counter
	waiting prometheus.Gauge
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		sent:    prometheus.NewCounter(prometheus.CounterOpts{Name: "tenantry_mail_sent_total", Help: "Letters that the mail server has taken from this process."}),
		failed:  prometheus.NewCounter(prometheus.CounterOpts{Name: "tenantry_mail_failed_total", Help: "Attempts to send a letter that failed and will be made again."}),
		givenUp: prometheus.NewCounter(prometheus.CounterOpts{Name: "tenantry_mail_given_up_total", Help: "Letters that will not be sent: refused for good, or tried for too long."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tenantry_mail_waiting", Help: "Letters in the queue, of all processes, when this one last looked."}),
	}
	if registry != nil {
		registry.MustRegister(m.sent, m.failed, m.givenUp, m.waiting)
	}
	return m
}
