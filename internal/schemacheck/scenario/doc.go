// Package scenario runs scenario files: a tree of accounts with its members, and what must follow from them, said in the words of accounts rather than of relationships.
//
// # What is run
//
// A scenario's state and its steps are carried out by the directory's own use
// cases, over an SQLite file of the scenario's own, which is thrown away. The
// entries that they leave in the journal go through package relation into a
// SpiceDB in this process, in order, as the relay does it; every expectation is a
// check there. So nothing is decided here: neither which relationships a
// membership means nor who may do what. A copy of the rules in this package would
// be quicker by some milliseconds a scenario, and would pass where the product fails.
//
// A step that is taken in somebody's name is authorised by the same checks as a
// request of theirs. All others are the vendor's, who may do anything that the
// rules of the tree allow.
package scenario
