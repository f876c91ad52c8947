package generate

import (
	"math/bits"
	"math/rand/v2"
)

// dice are seeded random numbers. Only the bits of the PCG generator, which are fixed
// by its definition, go into them, so that a new Go release does not change the output.
type dice struct{ pcg *rand.PCG }

// The parts of the output that roll dice.
const (
	forTree uint64 = iota + 1
	forAccounts
	forUsers
	forMemberships
)

func roll(seed, part uint64) dice { return dice{rand.NewPCG(seed, part)} }

// below returns a number from 0 up to n, n not included.
func (d dice) below(n int) int {
	hi, _ := bits.Mul64(d.pcg.Uint64(), uint64(n)) //nolint:gosec // n is positive
	return int(hi)                                 //nolint:gosec // less than n
}

// in100 is true in the given number of cases of a hundred.
func (d dice) in100(cases int) bool { return d.below(100) < cases }

func pick[T any](d dice, from []T) T { return from[d.below(len(from))] }
