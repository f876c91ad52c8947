// Package generate invents an environment of any size, in the load format, for trials and benchmarks; equal seeds give equal bytes.
//
// The accounts are one tree below the account acc-0: every other account joins a
// random account that the limits still allow to have one more child. The user root
// is a member of acc-0, with the role admin and sub-account access, and so may open
// every account. Everybody else has one to three memberships anywhere in the tree.
package generate
