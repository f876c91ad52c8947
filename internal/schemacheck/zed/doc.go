// Package zed compiles SpiceDB schemas and says of every definition, relation and branch of an expression where it was written.
//
// SpiceDB's compiler decides what is a schema; this package asks it for all that
// is wrong, not for the first mistake alone, and turns what it compiles into a
// tree that lints, coverage and comparisons read.
package zed
