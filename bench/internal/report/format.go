package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tenantry/tenantry/bench/internal/figures"
)

// Time writes microseconds with three digits and the unit that suits them.
func Time(us float64) string {
	switch {
	case math.IsNaN(us):
		return "–"
	case us < 1:
		return digits(us*1000) + " ns"
	case us < 1000:
		return digits(us) + " µs"
	case us < 1_000_000:
		return digits(us/1000) + " ms"
	default:
		return digits(us/1_000_000) + " s"
	}
}

// Rate writes operations a second.
func Rate(perSecond float64) string { return digits(perSecond) + "/s" }

// Times writes a ratio.
func Times(ratio float64) string { return "× " + digits(ratio) }

// digits writes about three digits.
func digits(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case v >= 1000:
		return figures.Thousands(int(math.Round(v)))
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= .1 || v == 0:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
}

// Range writes the median of values with the least and the greatest; – if there are none.
func Range(all []float64, format func(float64) string) string {
	switch len(all) {
	case 0:
		return "–"
	case 1:
		return format(all[0])
	default:
		return fmt.Sprintf("%s (%s – %s)", format(figures.Median(all)), format(slices.Min(all)), format(slices.Max(all)))
	}
}
