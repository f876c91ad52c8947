// Package switcher remembers in memory what the journal implies about who may open which accounts, so that an account switcher and checks of accounts are answered at once.
//
// # What it holds
//
// Of each environment: the tree, in the order in which it is shown (a sequence of
// chunks, in which every branch is one interval) and by name; the memberships of users and API tokens,
// by subject and by account; roles with their permissions; who is blocked; portal roles. All of
// it lies in arrays without pointers, of which every version stays as it was
// while the next is made (package paged): a [View] is one version at one time, and reading it takes no lock.
//
// # What it costs
//
// A check climbs from the account to its root: one look into a table for each
// account on the way. What a subject may open is a few intervals of the tree, one for each
// membership. A page takes its accounts out of these, in
// order, without looking at the others; the total is the intervals' lengths. Only a search
// looks at every account inside, as its total has to: at a few bits of each, and at the names of those that have
// the bits of the text.
//
// # What it may answer
//
// The engine's schema is the definition of access; the index remembers what it
// implies. It is fed from the journal alone, in order, and says how far it has come. Who asks decides whether that
// is far enough, and whether the schema is the one that the index implements.
package switcher
