package sqlite

import (
	"fmt"
	"math"
	"strconv"

	"github.com/authzed/spicedb/pkg/datastore"
)

// Revision is the number of a transaction: the state of the store once it was committed. The
// first is 1, the empty store. Numbers strictly increase, and are not used twice.
type Revision int64

// forever is the end of what has not ended.
const forever = math.MaxInt64

var _ datastore.Revision = Revision(0)

// String is the number in decimal.
func (r Revision) String() string { return strconv.FormatInt(int64(r), 10) }

// ByteSortable is false: 10 sorts before 9.
func (Revision) ByteSortable() bool { return false }

// Equal reports whether both are the same transaction.
func (r Revision) Equal(other datastore.Revision) bool {
	o, ok := other.(Revision)
	return ok && r == o
}

// GreaterThan reports whether r is later; every revision is later than none.
func (r Revision) GreaterThan(other datastore.Revision) bool {
	o, ok := other.(Revision)
	return other == datastore.NoRevision || ok && r > o
}

// LessThan reports whether r is earlier.
func (r Revision) LessThan(other datastore.Revision) bool {
	o, ok := other.(Revision)
	return ok && r < o
}

// parseRevision reads what String writes.
func parseRevision(s string) (Revision, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || s != strconv.FormatInt(n, 10) {
		return 0, fmt.Errorf("%q is no revision of this datastore", s)
	}
	return Revision(n), nil
}

func stale(r datastore.Revision) error {
	return datastore.NewInvalidRevisionErr(r, datastore.RevisionStale)
}

func unknown(r datastore.Revision) error {
	return datastore.NewInvalidRevisionErr(r, datastore.CouldNotDetermineRevision)
}
