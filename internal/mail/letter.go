package mail

import "time"

// Kind names what a letter is about, and its templates: KIND.txt and KIND.html.
type Kind string

// Invitation is the kind of letter that carries the link of an invitation (I1).
const Invitation Kind = "invitation"

// kinds are all that there are.
var kinds = []Kind{Invitation}

// Letter is what the templates are filled with. Nothing in it may depend on
// whether the directory knows the address: names are those that the sender gave.
type Letter struct {
	Kind        Kind
	To          string    // the address
	ToName      string    // as the inviter wrote it, or ""
	Environment string    // the environment's name
	AccountName string    // what the recipient is invited to
	InviterName string    // who invites, or ""
	Link        string    // an http or https address, with its secret
	ExpiresAt   time.Time // when the link stops working
}
