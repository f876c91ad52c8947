// Package diff says what became of access between two schemas: what was added and removed, and which permissions let more or fewer subjects through.
//
// A permission is compared as a formula. Its leaves are the relations and arrows
// that it is made of; permissions of the same definition that it refers to are
// put in their place. What a leaf leads to may itself have changed, so first every
// relation and permission of both schemas gets a verdict, by going round until
// nothing changes any more; then a leaf whose target may only have lost is one
// that may be true before and false after, and so on.
//
// The verdicts err on one side: what is called equal or widened takes no access
// from anybody whose relationships the new schema still allows; what is called narrowed may in rare cases,
// where leaves exclude each other in a way that the schema does not show, take none either.
package diff
