package tree

import (
	"math/bits"
	"math/rand/v2"
)

// dice are seeded numbers from the bits of PCG alone, which its definition fixes: a new Go release does not change the content.
type dice struct{ pcg *rand.PCG }

func roll(seed, part uint64) dice { return dice{rand.NewPCG(seed, part)} }

// below returns a number from 0 up to n, n not included.
func (d dice) below(n int) int {
	high, _ := bits.Mul64(d.pcg.Uint64(), uint64(n)) //nolint:gosec // n is positive
	return int(high)                                 //nolint:gosec // less than n
}

func pick(d dice, words []string) string { return words[d.below(len(words))] }

// SearchWord is a word that about one name in twenty has, in the middle, and no id.
const SearchWord = "bristol"

// name invents an account's name: house, place and trade, so that names come again but not often.
func name(d dice) string {
	return pick(d, houses()) + " " + pick(d, places()) + " " + pick(d, trades())
}

func houses() []string {
	return []string{
		"Alder", "Amberline", "Basalt", "Birchfield", "Bluewater", "Brightholm", "Cedar", "Cobalt", "Copperleaf", "Dovetail",
		"Eastgate", "Everfield", "Fernhill", "Flint", "Foxglove", "Granary", "Greystone", "Harbour", "Hazelwood", "Ironbridge",
		"Juniper", "Kingfisher", "Lanternside", "Larkspur", "Marlow", "Meridian", "Millrace", "Northwind", "Oakhaven", "Orchard",
		"Pinecrest", "Quarry", "Redwood", "Riverbend", "Saltmarsh", "Silverbirch", "Stonebridge", "Thornbury", "Underhill", "Vale",
	}
}

func places() []string {
	return []string{
		"Antwerp", "Bilbao", "Bologna", "Bristol", "Cork", "Durban", "Fukuoka", "Gdansk", "Ghent", "Graz",
		"Hamburg", "Izmir", "Leeds", "Lyon", "Montreal", "Oslo", "Porto", "Riga", "Turin", "Zagreb",
	}
}

func trades() []string {
	return []string{
		"Clinics", "Energy", "Foods", "Hotels", "Insurance", "Logistics", "Networks", "Retail", "Robotics", "Software", "Textiles", "Works",
	}
}
