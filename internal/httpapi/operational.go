package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/fault"
)

// Health is the answer of the probes.
type Health struct {
	Status string `json:"status" example:"ok"`
}

// registerOperational adds what needs no credential: probes, metrics, and the document.
func (s *server) registerOperational(metrics http.Handler) {
	s.router.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { s.healthy(w) })
	s.router.Get("/readyz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.readiness.get(r.Context(), 0); err != nil {
			s.fail(w, r, err)
			return
		}
		s.healthy(w)
	})
	s.document("/healthz", "healthz", "Does the process live?", "application/json", s.schemaOf(Health{}), false)
	s.document("/readyz", "readyz", "Can it serve? If not, the problem has the code of what is missing.", "application/json", s.schemaOf(Health{}), true)
	if metrics != nil {
		s.router.Method(http.MethodGet, "/metrics", metrics)
		s.document("/metrics", "metrics", "Metrics, in Prometheus's format.", "text/plain", &huma.Schema{Type: huma.TypeString}, false)
	}
	s.document("/openapi.json", "openapiJSON", "This document.", "application/json", &huma.Schema{Type: huma.TypeObject}, false)
	s.document("/openapi.yaml", "openapiYAML", "This document, as YAML.", "application/yaml", &huma.Schema{Type: huma.TypeString}, false)
	s.router.Get("/openapi.json", s.serve("application/json", sync.OnceValues(func() ([]byte, error) { return renderJSON(s.api) })))
	s.router.Get("/openapi.yaml", s.serve("application/yaml", sync.OnceValues(s.api.OpenAPI().YAML)))
}

// readyFor is how long it is remembered whether the server is ready: probes have no
// rate, and anybody can ask, so that what they cost must not grow with how many they are.
const readyFor = time.Second

// codeNotReady is the code of what /readyz says if something is missing.
const codeNotReady = "not_ready"

func (s *server) newReadiness() *remembered[struct{}] {
	return &remembered[struct{}]{lasts: readyFor, most: s.cfg.Timeout, find: func(ctx context.Context) (struct{}, error) {
		err := s.ready(ctx)
		if err == nil {
			return struct{}{}, nil
		}
		f := fault.From(err)
		s.log.Log(ctx, max(levelOf(f), slog.LevelWarn), "not ready", "code", f.Code, "error", err)
		// anybody may ask, so only the code is told: texts name environments
		return struct{}{}, fault.New(fault.Unavailable, codeNotReady, "not ready: %s; the log says more", f.Code)
	}}
}

func (s *server) healthy(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(Health{Status: "ok"}); err != nil {
		s.log.Debug("the probe's answer could not be sent", "error", err)
	}
}

// serve answers with text that is made at the first request. Who does not read it keeps nobody else from it.
func (s *server) serve(mediaType string, text func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := text()
		if err != nil {
			s.fail(w, r, err)
			return
		}
		release, err := s.guards.places.document(infoFrom(r.Context()).party())
		if err != nil {
			s.metrics.refused.WithLabelValues(refusedBusy).Inc()
			s.fail(w, r, err)
			return
		}
		defer release()
		w.Header().Set("Content-Type", mediaType)
		if _, err := s.patient(w).Write(body); err != nil {
			s.log.Debug("the document could not be sent", "error", err)
		}
	}
}
