//go:build race

package engine_test

// freshWrites is fewer under the race detector, which makes each some ten times as slow.
const freshWrites = 1_000
