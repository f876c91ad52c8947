package httpapi

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Entry is what one request changed (L1).
type Entry struct {
	Version   account.Version `json:"version"`
	At        time.Time       `json:"at"`
	Actor     Actor           `json:"actor"`
	RequestID string          `json:"request_id,omitempty"`
	From      string          `json:"from,omitempty" doc:"The address that the request came from."`
	Kind      account.Kind    `json:"kind" doc:"What was done." example:"account.created"`
	Changes   []Change        `json:"changes" nullable:"false"`

	ChangesTotal int `json:"changes_total" doc:"How many changes the entry has. A list holds the first 100 of each entry; where there are more, readJournalEntry has the others."`
}

// Actor is who made a request.
type Actor struct {
	Name   string           `json:"name" doc:"user:id, api_token:id, invitation:id, operator:id, or system. To users and API tokens, operators and the system are just operator." example:"user:ada"`
	Client account.ClientID `json:"client,omitempty" doc:"The client whose token it was, or the operator who signed in. Not shown to users and API tokens."`
	Person bool             `json:"person,omitempty" doc:"It was an operator who signed in, a person, and not a client."`
	User   account.UserID   `json:"user,omitempty" doc:"The user in whose name it was."`

	Account account.ID `json:"account,omitempty" doc:"The one account that the user's token was for."`

	APIToken      account.APITokenID      `json:"api_token,omitempty" doc:"The API token that it came with."`
	Impersonation account.ImpersonationID `json:"impersonation,omitempty" doc:"The session in which an operator acted as the user."`
	Invitation    account.InvitationID    `json:"invitation,omitempty" doc:"The invitation that was accepted."`
}

func actorOf(a account.Actor) Actor {
	return Actor{
		Name: a.Name(), Client: a.Client, Person: a.Person, User: a.User, Account: a.Account,
		APIToken: a.APIToken, Impersonation: a.Impersonation, Invitation: a.Invitation,
	}
}

// Change is one thing before and after.
type Change struct {
	Before *Thing `json:"before,omitempty" doc:"Absent for a creation."`
	After  *Thing `json:"after,omitempty" doc:"Absent for a deletion."`
}

// Thing is one state of something; exactly one field is there.
type Thing struct {
	Environment *Environment `json:"environment,omitempty"`
	Client      *Client      `json:"client,omitempty"`
	Account     *Account     `json:"account,omitempty"`
	User        *User        `json:"user,omitempty"`
	Role        *Role        `json:"role,omitempty"`
	Membership  *Membership  `json:"membership,omitempty"`
	Assignment  *Assignment  `json:"assignment,omitempty"`

	Feature       *Feature       `json:"feature,omitempty"`
	Plan          *Plan          `json:"plan,omitempty"`
	FeatureSwitch *FeatureSwitch `json:"feature_switch,omitempty"`
	APIToken      *APIToken      `json:"api_token,omitempty"`
	Impersonation *Impersonation `json:"impersonation,omitempty"`
	Invitation    *Invitation    `json:"invitation,omitempty"`
	ClientSecret  *ClientSecret  `json:"client_secret,omitempty"`
	Operator      *Operator      `json:"operator,omitempty"`
	Issuer        *OpenIDIssuer  `json:"issuer,omitempty"`
	Identity      *Identity      `json:"identity,omitempty"`
}

// Assignment is the use of a role in an account.
type Assignment struct {
	Account  account.ID      `json:"account"`
	Role     account.RoleKey `json:"role"`
	AlwaysOn bool            `json:"always_on" doc:"The account's mode is always_on."`
}

// LogEntryOf is an entry of the log as it is sent.
func LogEntryOf(e directory.LogEntry) Entry {
	return Entry{
		Version: e.Version, At: e.At.UTC(), RequestID: e.RequestID, From: e.From, Kind: e.Kind,
		Actor: actorOf(e.Actor), ChangesTotal: e.Total,
		Changes: each(e.Changes, func(c account.Change) Change {
			return Change{Before: thingOf(c.Before), After: thingOf(c.After)}
		}),
	}
}

func thingOf(e *account.Entity) *Thing {
	if e == nil {
		return nil
	}
	var t Thing
	switch {
	case e.Environment != nil:
		t.Environment = new(environmentOf(*e.Environment, 0))
	case e.Client != nil:
		t.Client = new(clientOf(directory.UsedClient{Client: *e.Client}, 0))
	case e.Account != nil:
		t.Account = new(accountOf(*e.Account, 0).withList(*e.Account))
	case e.User != nil:
		t.User = new(userOf(*e.User, 0))
	case e.Role != nil:
		t.Role = new(roleOf(*e.Role, 0))
	case e.Membership != nil:
		t.Membership = new(membershipOf(*e.Membership, 0))
	case e.Assignment != nil:
		t.Assignment = &Assignment{Account: e.Assignment.Account, Role: e.Assignment.Role, AlwaysOn: e.Assignment.AlwaysOn}
	case e.Feature != nil:
		t.Feature = new(featureOf(*e.Feature, 0))
	case e.Plan != nil:
		t.Plan = new(planOf(*e.Plan, 0))
	case e.FeatureSwitch != nil:
		t.FeatureSwitch = new(switchOf(*e.FeatureSwitch, 0))
	case e.APIToken != nil:
		t.APIToken = new(apiTokenOf(directory.UsedAPIToken{APIToken: *e.APIToken}, 0))
	case e.Impersonation != nil:
		t.Impersonation = new(impersonationOf(*e.Impersonation))
	case e.Invitation != nil:
		t.Invitation = new(invitationOf(*e.Invitation, 0))
	case e.ClientSecret != nil:
		t.ClientSecret = new(clientSecretOf(directory.UsedSecret{ClientSecret: *e.ClientSecret}, 0))
	case e.Operator != nil:
		t.Operator = new(operatorOf(*e.Operator, 0))
	case e.Issuer != nil:
		t.Issuer = new(issuerOf(*e.Issuer, 0))
	case e.Identity != nil:
		t.Identity = new(identityOf(*e.Identity, 0))
	}
	return &t
}
