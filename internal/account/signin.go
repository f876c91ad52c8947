package account

import "time"

// Operator is a person of the vendor's, who signs in at an OpenID provider and
// holds portal roles in the environment (E4). Its id is no client's as well: to
// the engine both are operators.
type Operator struct {
	ID        ClientID     `json:"id"`
	Email     string       `json:"email"`
	Name      string       `json:"name,omitempty"`
	Roles     []PortalRole `json:"roles"`
	Issuer    string       `json:"issuer,omitempty"`  // address of the provider where they sign in; "" until they did once
	Subject   string       `json:"subject,omitempty"` // who they are there
	CreatedAt time.Time    `json:"created_at"`
}

// Purpose says whom an OpenID provider vouches for.
type Purpose string

// The purposes of an OpenID provider.
const (
	ForUsers     Purpose = "users"     // the vendor's customers
	ForOperators Purpose = "operators" // the vendor's own people (E4)
)

// Issuer is an OpenID provider whose tokens an environment accepts.
type Issuer struct {
	ID           IssuerID  `json:"id"`
	Name         string    `json:"name"`
	URL          string    `json:"url"`       // the tokens' iss; discovery starts here
	Audiences    []string  `json:"audiences"` // a token has to be for one of these; at least one
	Purpose      Purpose   `json:"purpose"`
	LinkByEmail  bool      `json:"link_by_email,omitempty"` // a subject who is not known becomes the user or operator with its verified address
	EmailDomains []string  `json:"email_domains,omitempty"` // for whose addresses its word is taken; none is for all
	CreatedAt    time.Time `json:"created_at"`
}

// Identity says which subject of an OpenID provider a user is. It names the
// provider by its address: what iss and sub say stays true when the provider is
// taken away and trusted again.
type Identity struct {
	ID        IdentityID `json:"id"`
	Issuer    string     `json:"issuer"`
	Subject   string     `json:"subject"`
	User      UserID     `json:"user"`
	CreatedAt time.Time  `json:"created_at"`
}
