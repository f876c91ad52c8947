package process

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/tenantry/tenantry/bench/internal/wire"
)

// TestMain makes the test binary a worker where it is started as one.
func TestMain(m *testing.M) {
	Worker()
	os.Exit(m.Run())
}

func TestFailuresOfAWorkerComeBack(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := Start(os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []wire.Request{{Do: wire.Checks}, {Do: wire.Open, Kind: "oracle"}, {Do: wire.Open, Kind: wire.SQLite, At: "/nowhere/at/all"}} {
		if _, err := p.Do(ctx, r); err == nil {
			t.Errorf("%+v goes well", r)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.Do(ctx, wire.Request{Do: wire.Usage}); err == nil {
		t.Error("a worker that has ended answers")
	}
}

func TestTheEndOfAContextEndsTheWorker(t *testing.T) {
	p, err := Start(os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Do(t.Context(), wire.Request{Do: wire.Open, Kind: wire.Memory}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Do(ctx, wire.Request{Do: wire.Writes, Writers: 1, Limit: time.Hour}); err == nil {
		t.Error("an hour of writing was done at once")
	}
	if err := p.Close(); err == nil {
		t.Error("a killed worker ended well")
	}
}
