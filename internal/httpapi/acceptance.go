package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// Acceptance accepts an invitation.
type Acceptance struct {
	Token  string          `json:"token" doc:"What the link carries: tenantry_invitation_…"`
	Name   string          `json:"name,omitempty" doc:"Of the user, if there is none with the address yet; the invitation's if absent. At most 200 characters."`
	UserID *account.UserID `json:"user_id,omitempty" doc:"The id of the user, if there is none with the address yet; generated if absent. Needs the token of a client with edit_backoffice in Authorization."`
}

// Accepted is what an invitation has led to.
type Accepted struct {
	User       User       `json:"user"`
	Membership Membership `json:"membership"`
	NewUser    bool       `json:"new_user" doc:"There was no user with the address."`
	NewMember  bool       `json:"new_member" doc:"false: the user was a member already, and the membership is as it was."`
	Applied
}

// OpenToken is the token of an invitation.
type OpenToken struct {
	Token string `json:"token" doc:"What the link carries: tenantry_invitation_…"`
}

// Offer is what an invitation offers.
type Offer struct {
	Environment string     `json:"environment" doc:"The environment's name." example:"Production"`
	Account     account.ID `json:"account" example:"globex"`
	AccountName string     `json:"account_name" example:"Globex"`
	InviterName string     `json:"inviter_name" doc:"Empty if who invites has none."`
	Email       string     `json:"email" doc:"The address that is invited."`
	Name        string     `json:"name" doc:"As who invites wrote it; empty if they did not."`
	ExpiresAt   time.Time  `json:"expires_at" doc:"Until when it can be accepted."`
}

type acceptInput struct {
	Authorization string `header:"Authorization" doc:"Not needed. With Tenantry-Environment: the token of an OpenID provider that the environment trusts; the user is linked to its subject. With user_id: the token of a client. A provider's without Tenantry-Environment is refused (environment_required), so that nobody accepts without being linked by mistake; others are not looked at."`
	Environment   string `header:"Tenantry-Environment" doc:"The invitation's environment: the token in Authorization is an OpenID provider's."`
	ActForUser    string `header:"Act-For-User" doc:"Looked at with user_id; users do not choose ids."`
	WithBody[Acceptance]
}

type previewInput struct {
	WithBody[OpenToken]
}

func (s *server) registerOpenInvitations() {
	registerOpen(s, huma.Operation{
		OperationID: "acceptInvitation", Method: http.MethodPost, Path: "/v1/invitations/accept", Tags: []string{tagInvitations},
		Summary:     "Accept an invitation",
		Description: "The token in the body is the credential. Makes the user with the address, or a new one, a member; the token opens nothing from then on. Who sent the invitation must still have the rights for it (409 invitation_void). With the token of an OpenID provider the user signs in as its subject from then on; if that is another user's, or the user has signed in as another, nothing happens (409 identity_conflict).",
		Errors:      []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.acceptInvitation)
	registerOpen(s, huma.Operation{
		OperationID: "previewInvitation", Method: http.MethodPost, Path: "/v1/invitations/preview", Tags: []string{tagInvitations},
		Summary: "See what an invitation offers", Description: "For the page at which it is accepted. The token in the body is the credential.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, req directory.Request, in *previewInput) (*Plain[Offer], error) {
		o, err := s.directory.PreviewInvitation(ctx, req.Actor, in.body().Token)
		if err != nil {
			return nil, err
		}
		return &Plain[Offer]{Offer{
			Environment: o.Environment, Account: o.Account, AccountName: o.AccountName, InviterName: o.InviterName,
			Email: o.Email, Name: o.Name, ExpiresAt: o.ExpiresAt.UTC(),
		}}, nil
	})
}

func (s *server) acceptInvitation(ctx context.Context, req directory.Request, in *acceptInput) (*Written[Accepted], error) {
	b := in.body()
	id, err := idOrNone("user_id", b.UserID)
	if err != nil {
		return nil, err
	}
	acceptance := directory.Acceptance{Name: b.Name, User: id}
	presented := identity.Presented{Authorization: in.Authorization, ActForUser: in.ActForUser, Environment: in.Environment}
	switch {
	case id != "":
		caller, err := s.caller(ctx, presented)
		if err != nil {
			return nil, err
		}
		if err := checkScope(caller.Scopes, account.ScopeWrite); err != nil {
			return nil, err
		}
		req.Actor = caller.Actor
	case in.Environment != "" || in.Authorization != "":
		env, vouched, err := s.auth.Vouched(ctx, presented)
		if in.Environment == "" && !fault.HasCode(err, "environment_required") {
			break // a credential of another kind, with which nobody signs in
		}
		if err != nil {
			return nil, err
		}
		req.Actor.Environment, acceptance.Identity = env, &vouched
	}
	r, err := s.directory.AcceptInvitation(ctx, req, b.Token, acceptance)
	if err != nil {
		return nil, err
	}
	req.Actor.Environment = r.Value.Environment
	w := written(req, r, http.StatusOK, Accepted{
		User: userOf(r.Value.User, 0), Membership: membershipOf(r.Value.Membership, 0),
		NewUser: r.Value.NewUser, NewMember: r.Value.NewMember, Applied: applied(r),
	})
	w.ETag = "" // of two things
	return w, nil
}
