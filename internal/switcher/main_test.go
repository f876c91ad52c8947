package switcher

import (
	"os"
	"testing"
)

// TestMain has chunks so small that random histories split and join them all the time.
func TestMain(m *testing.M) {
	chunkMost, chunkFull, manyMemberships = 4, 3, 2
	os.Exit(m.Run())
}
