package store

import (
	"database/sql"
	"strconv"
	"strings"
)

// dialect is what differs between the databases.
//
// Statements are written with ? for parameters and with these words, which the
// dialect replaces:
//
//	@rows(?)     a table with one column, value: the elements of a JSON array, as JSON
//	@texts(?)    the same for an array of strings, as text
//	@position    the function that finds a string in another one: (in, what), from 1, 0 if absent
type dialect struct {
	words    *strings.Replacer
	numbered bool // parameters are $1, $2, …

	rowNumber  string         // the column that numbers the rows of a table as they lie in it; "" if there is none
	lock       string         // ends the SELECT that locks an environment's row
	skipLocked string         // ends a SELECT that locks its rows and passes over those that others have locked
	reading    *sql.TxOptions // of a transaction that reads a snapshot
	classify   func(error) failure
}

// failure is what an error of the database means.
type failure int

const (
	otherFailure failure = iota
	lostRace             // the transaction was rolled back for another's sake: run it again
	away                 // the database cannot be reached or is busy: later may be better
	takenKey             // a row with this primary key exists
	takenValue           // a row with this value in another unique constraint exists
)

// sql returns the statement as the database understands it.
func (d *dialect) sql(statement string) string {
	statement = d.words.Replace(statement)
	if !d.numbered {
		return statement
	}
	var out strings.Builder
	out.Grow(len(statement) + 16)
	for n := 1; ; n++ {
		before, after, found := strings.Cut(statement, "?")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteByte('$')
		out.WriteString(strconv.Itoa(n))
		statement = after
	}
}
