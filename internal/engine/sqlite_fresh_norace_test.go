//go:build !race

package engine_test

const freshWrites = 10_000
