package figures

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/bench/internal/wire"
)

// Metric is one row of the comparison.
type Metric struct {
	Name string
	Unit Unit
}

// Unit is what a metric counts in.
type Unit string

// The units: of times less is better, of rates more.
const (
	Millisecond Unit = "ms"
	PerSecond   Unit = "/s"
)

// Table holds the values of each metric, store and round.
type Table struct {
	Stores  []wire.Kind
	metrics []Metric
	values  map[Metric]map[wire.Kind]map[int]float64
	notes   map[Metric]map[wire.Kind]string
}

// NewTable returns an empty table of the stores.
func NewTable(stores []wire.Kind) *Table {
	return &Table{
		Stores: stores,
		values: map[Metric]map[wire.Kind]map[int]float64{},
		notes:  map[Metric]map[wire.Kind]string{},
	}
}

// Add puts in what a store did in a round.
func (t *Table) Add(m Metric, store wire.Kind, round int, value float64) {
	t.row(m)
	if t.values[m][store] == nil {
		t.values[m][store] = map[int]float64{}
	}
	t.values[m][store][round] = value
}

// Note puts a text into a cell instead of values.
func (t *Table) Note(m Metric, store wire.Kind, text string) {
	t.row(m)
	t.notes[m][store] = text
}

func (t *Table) row(m Metric) {
	if t.values[m] == nil {
		t.metrics = append(t.metrics, m)
		t.values[m], t.notes[m] = map[wire.Kind]map[int]float64{}, map[wire.Kind]string{}
	}
}

// Markdown prints the table: the median of the rounds with the least and the greatest, and how many
// times as fast SQLite was as each other store, reckoned within each round.
func (t *Table) Markdown(out io.Writer, title func(wire.Kind) string) {
	others := slices.DeleteFunc(slices.Clone(t.Stores), func(k wire.Kind) bool { return k == wire.SQLite })
	if !slices.Contains(t.Stores, wire.SQLite) {
		others = nil
	}
	head := []string{""}
	for _, k := range t.Stores {
		head = append(head, title(k))
	}
	for _, k := range others {
		head = append(head, "SQLite against "+string(k))
	}
	line(out, head)
	line(out, slices.Repeat([]string{"---"}, len(head)))
	for _, m := range t.metrics {
		cells := []string{m.Name}
		for _, k := range t.Stores {
			cells = append(cells, t.cell(m, k))
		}
		for _, k := range others {
			cells = append(cells, t.ratio(m, k))
		}
		line(out, cells)
	}
}

func (t *Table) cell(m Metric, store wire.Kind) string {
	if note := t.notes[m][store]; note != "" {
		return note
	}
	all := rounds(t.values[m][store])
	if len(all) == 0 {
		return "–"
	}
	return spread(all, number, " "+string(m.Unit))
}

// ratio tells how many times as fast SQLite was: × 2 is half the time, or twice the rate.
func (t *Table) ratio(m Metric, other wire.Kind) string {
	var all []float64
	for round, theirs := range t.values[m][other] {
		ours, both := t.values[m][wire.SQLite][round]
		switch {
		case !both || t.notes[m][other] != "":
		case m.Unit == PerSecond:
			all = append(all, ours/theirs)
		default:
			all = append(all, theirs/ours)
		}
	}
	if len(all) == 0 {
		return "–"
	}
	return "× " + spread(all, number, "")
}

func rounds(values map[int]float64) []float64 {
	var all []float64
	for _, v := range values {
		all = append(all, v)
	}
	return all
}

func spread(all []float64, format func(float64) string, unit string) string {
	middle := format(Median(all)) + unit
	if len(all) == 1 {
		return middle
	}
	return fmt.Sprintf("%s (%s–%s)", middle, format(slices.Min(all)), format(slices.Max(all)))
}

// number writes about three digits.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v >= 1000:
		return Thousands(int(math.Round(v)))
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// Thousands writes a whole number with commas.
func Thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func line(out io.Writer, cells []string) {
	fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
}
