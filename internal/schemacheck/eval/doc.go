// Package eval decides checks by the letter of a schema, branch by branch, and tells of each branch what it came to.
//
// It is not the authority on what a schema means: SpiceDB is, and the tests of
// this package hold it to SpiceDB's verdicts. It exists because SpiceDB stops as
// soon as it knows the verdict, which leaves open what the other branches would
// have said, and because it is some thousand times faster where many variants of
// a schema are asked the same questions.
package eval
