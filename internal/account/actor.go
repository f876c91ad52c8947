package account

// Actor is who a request is made by: a client of the environment, or a user for whom a client acts.
// The zero Actor is nobody and may do nothing.
type Actor struct {
	Environment EnvironmentID `json:"-"`
	Client      ClientID      `json:"client,omitempty"` // the credential used; "" on the command line
	User        UserID        `json:"user,omitempty"`   // set when the request is made in a user's name
	System      bool          `json:"system,omitempty"` // the operator at the machine's own command line
}

// IsUser reports whether the request is made in a user's name and judged by that user's rights.
func (a Actor) IsUser() bool { return a.User != "" }

// Name returns the actor as type:id, for logs and the journal's readers.
func (a Actor) Name() string {
	switch {
	case a.User != "":
		return "user:" + string(a.User)
	case a.Client != "":
		return "operator:" + string(a.Client)
	case a.System:
		return "system"
	default:
		return "nobody"
	}
}
