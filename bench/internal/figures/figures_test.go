package figures

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/bench/internal/wire"
)

func TestStats(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"median of four", Median(values), 2.5},
		{"median of three", Median(values[:3]), 3},
		{"p50", Percentile(values, .5), 2},
		{"p99", Percentile(values, .99), 4},
		{"p0", Percentile(values, 0), 1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %g, not %g", c.name, c.got, c.want)
		}
	}
	if !math.IsNaN(Median(nil)) || !math.IsNaN(Percentile(nil, .5)) {
		t.Error("nothing has a median")
	}
	if diff := cmp.Diff([]float64{4, 1, 3, 2}, values); diff != "" {
		t.Errorf("the values were moved: %s", diff)
	}
}

func TestTable(t *testing.T) {
	table := NewTable([]wire.Kind{wire.SQLite, wire.Postgres, wire.Memory})
	speed, rate := Metric{"time", Millisecond}, Metric{"rate", PerSecond}
	for round, v := range []float64{1, 2, 4} {
		table.Add(speed, wire.SQLite, round, v)
		table.Add(speed, wire.Postgres, round, 3*v)
		table.Add(rate, wire.SQLite, round, 12000*v)
		table.Add(rate, wire.Postgres, round, 1000)
	}
	table.Add(rate, wire.Memory, 9, 5) // a round that SQLite did not take part in
	table.Note(speed, wire.Memory, "too slow")
	var out bytes.Buffer
	table.Markdown(&out, func(k wire.Kind) string { return string(k) })
	want := `|  | sqlite | postgres | memory | SQLite against postgres | SQLite against memory |
| --- | --- | --- | --- | --- | --- |
| time | 2.00 ms (1.00–4.00) | 6.00 ms (3.00–12.0) | too slow | × 3.00 (3.00–3.00) | – |
| rate | 24,000 /s (12,000–48,000) | 1,000 /s (1,000–1,000) | 5.00 /s | × 24.0 (12.0–48.0) | – |
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
