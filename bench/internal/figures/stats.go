// Package figures sums up what was measured, and prints it as Markdown.
package figures

import (
	"math"
	"slices"
	"time"
)

// Percentile returns the value that the share p of the values does not exceed; NaN if there are none.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
}

// Median returns the middle value, or the mean of the two in the middle; NaN if there are none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Milliseconds turns durations into numbers.
func Milliseconds(times []time.Duration) []float64 {
	out := make([]float64, len(times))
	for i, t := range times {
		out[i] = float64(t) / float64(time.Millisecond)
	}
	return out
}
