package account

// Actor is who a request is made by: a client of the environment, an operator
// who signed in, a user who did or for whom a client acts, a machine member of an account, or whoever holds the link
// of an invitation. The zero Actor is nobody and may do nothing.
type Actor struct {
	Environment   EnvironmentID   `json:"-"`
	Client        ClientID        `json:"client,omitempty"`        // the operator whose credential was used; "" on the command line
	Person        bool            `json:"person,omitempty"`        // Client is a person who signed in, not a machine; not said in an impersonation, which says it itself
	User          UserID          `json:"user,omitempty"`          // set when the request is made in a user's name
	Account       ID              `json:"account,omitempty"`       // the one account that the user's token opens (W2); "" for any
	APIToken      APITokenID      `json:"api_token,omitempty"`     // the account's API token that the request came with (C1)
	Impersonation ImpersonationID `json:"impersonation,omitempty"` // the session in which Client acts as User (E4)
	Invitation    InvitationID    `json:"invitation,omitempty"`    // accepted by who has its link (I1)
	System        bool            `json:"system,omitempty"`        // the operator at the machine's own command line
	Operator      bool            `json:"operator,omitempty"`      // some operator; who, is not told: see Masked
	From          string          `json:"-"`                       // the address that the request comes from; "" if it is not known (E3)
}

// IsUser reports whether the request is made in a user's name and judged by that user's rights.
func (a Actor) IsUser() bool { return a.User != "" }

// IsMember reports whether the request is judged by the rights of memberships, a
// user's or an API token's, rather than by an operator's.
func (a Actor) IsMember() bool { return a.User != "" || a.APIToken != "" }

// IsAtHand reports whether a member's own machine sends the request, rather than a
// client that acts for the user, or an operator who impersonates: From is then
// where the member is, and the allow lists of accounts hold for it (E3).
//
// A token for one account is made for the user's own machine, also if a client got it.
func (a Actor) IsAtHand() bool {
	return a.IsMember() && (a.Client == "" || a.Account != "" && a.Impersonation == "")
}

// Name returns the actor as type:id, for logs and the journal's readers.
func (a Actor) Name() string {
	switch {
	case a.User != "":
		return "user:" + string(a.User)
	case a.APIToken != "":
		return "api_token:" + string(a.APIToken)
	case a.Invitation != "":
		return "invitation:" + string(a.Invitation)
	case a.Client != "":
		return "operator:" + string(a.Client)
	case a.System:
		return "system"
	case a.Operator:
		return "operator"
	default:
		return "nobody"
	}
}

// IsOperator reports whether it was an operator at work: by a client's rights, at
// the command line, or as a user in an impersonation (E4).
func (a Actor) IsOperator() bool { return !a.IsMember() && a.Invitation == "" || a.Impersonation != "" }

// Masked is the actor as the people of an account are shown it: which operator it
// was, and through which client a user came, is the vendor's business.
func (a Actor) Masked() Actor {
	if a.IsMember() || a.Invitation != "" {
		return Actor{User: a.User, Account: a.Account, APIToken: a.APIToken, Invitation: a.Invitation, Impersonation: a.Impersonation}
	}
	return Actor{Operator: true}
}
