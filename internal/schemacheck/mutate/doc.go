// Package mutate makes faulty copies of a schema, to see whether anything that is asserted notices.
//
// A mutant is a copy with one fault. An assertion kills it if it holds for the
// schema and not for the mutant; a validation file kills it too if it has a
// relationship that the mutant refuses. A mutant that nothing kills shows what could go wrong
// unnoticed, or that the schema says something twice.
//
// Verdicts are those of package eval. Only the assertions that reach what is
// faulty in a mutant are decided again.
package mutate
