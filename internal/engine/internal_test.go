package engine

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/tenantry/tenantry/internal/fault"
)

// These two need the inside: from outside, SpiceDB neither stops by itself nor warns on demand.

func TestEmbedded_RunTellsOfAnUnexpectedEnd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	e, err := Embedded(ctx, EmbeddedConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- e.Run(ctx) }()
	e.server.stop()
	err = <-ran
	if !errors.Is(err, fault.Internal) || !errors.Is(err, &fault.Error{Code: CodeStopped}) {
		t.Errorf("Run says %v, want the fault %s", err, CodeStopped)
	}
	if err := e.Ready(ctx); err == nil {
		t.Error("an engine without its SpiceDB calls itself ready")
	}
}

func TestWithLog_PassesWarningsOn(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	from := zerolog.Ctx(withLog(t.Context(), log))
	from.Info().Msg("unheard")
	from.Warn().Str("table", "x").Int("rows", 3).Msg("slow")
	from.Error().Err(errors.New("torn")).Msg("broken")
	for _, want := range []string{
		`level=WARN msg="spicedb: slow" rows=3 table=x`,
		`level=ERROR msg="spicedb: broken" error=torn`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log does not hold %s:\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "unheard") {
		t.Errorf("the log holds what is below a warning:\n%s", text.String())
	}
}
