// Package cover tells which parts of a schema its assertions put to the test, and which of the two outcomes each part was seen to have.
//
// What counts as a part, as reached and as possible is told in docs/coverage.md.
package cover
