package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// Identity says which subject of an OpenID provider a user is.
type Identity struct {
	ID        account.IdentityID `json:"id" example:"idn_k3vqm2xw7c5hj4d6zt2a"`
	User      account.UserID     `json:"user" example:"ada"`
	Issuer    string             `json:"issuer" doc:"The provider's address." example:"https://login.example"`
	Subject   string             `json:"subject" doc:"sub in the provider's tokens." example:"auth0|5f7c"`
	CreatedAt time.Time          `json:"created_at"`
	Version   account.Version    `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func identityOf(i account.Identity, version account.Version) Identity {
	return Identity{ID: i.ID, User: i.User, Issuer: i.Issuer, Subject: i.Subject, CreatedAt: i.CreatedAt.UTC(), Version: version}
}

// Identities is every identity of a user, in the order of their ids.
type Identities struct {
	Identities []Identity `json:"identities" nullable:"false"`
	PageInfo
}

// NewIdentity is a subject that a user is to be linked to.
type NewIdentity struct {
	Issuer  string `json:"issuer" doc:"The address of one of the environment's issuers for users." example:"https://login.example"`
	Subject string `json:"subject" doc:"sub in the provider's tokens, to the letter; 1 to 255 bytes." example:"auth0|5f7c"`
}

// WrittenIdentity is an identity after a change.
type WrittenIdentity struct {
	Identity
	Applied
}

type linkIdentityInput struct {
	Caller
	Idempotent
	UserPath
	WithBody[NewIdentity]
}

type unlinkIdentityInput struct {
	Caller
	Precondition
	UserPath
	Identity account.IdentityID `path:"identity"`
}

func (s *server) registerIdentities() {
	register(s, huma.Operation{
		OperationID: "listIdentities", Method: http.MethodGet, Path: "/v1/users/{user}/identities", Tags: []string{tagSignIn},
		Summary: "List who a user is at OpenID providers", Description: "Users may see their own; others need view_backoffice. There are at most 20.",
		Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *userInput) (*Plain[Identities], error) {
		return s.identities(ctx, req, in.User)
	})
	register(s, huma.Operation{
		OperationID: "listMyIdentities", Method: http.MethodGet, Path: "/v1/me/identities", Tags: []string{tagSignIn},
		Summary: "List who the calling user is at OpenID providers", Description: "For a user, or a client that calls in a user's name.",
	}, func(ctx context.Context, req directory.Request, _ *callerInput) (*Plain[Identities], error) {
		if !req.Actor.IsUser() {
			return nil, fault.New(fault.Invalid, "no_acting_user", "name the user in the header Act-For-User, or ask for /v1/users/{user}/identities").In("Act-For-User")
		}
		return s.identities(ctx, req, req.Actor.User)
	})
	register(s, huma.Operation{
		OperationID: "linkIdentity", Method: http.MethodPost, Path: "/v1/users/{user}/identities", Tags: []string{tagSignIn}, DefaultStatus: http.StatusCreated,
		Summary:     "Link a user to a subject of an OpenID provider",
		Description: "Whoever signs in there as that subject is the user from then on. Needs manage_security.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, req directory.Request, in *linkIdentityInput) (*Written[WrittenIdentity], error) {
		r, err := s.directory.LinkIdentity(ctx, req, in.User, directory.NewIdentity(*in.body()))
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusCreated, writtenIdentity(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "unlinkIdentity", Method: http.MethodDelete, Path: "/v1/users/{user}/identities/{identity}", Tags: []string{tagSignIn},
		Summary:     "Take a user's link to a subject away",
		Description: "The subject is nobody from then on, and its address does not link it again; linkIdentity does, or the acceptance of an invitation. Needs manage_security. Answers with the identity as it was.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *unlinkIdentityInput) (*Written[WrittenIdentity], error) {
		r, err := s.directory.UnlinkIdentity(ctx, req, in.User, in.Identity)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenIdentity(r)), nil
	})
}

func (s *server) identities(ctx context.Context, req directory.Request, user account.UserID) (*Plain[Identities], error) {
	all, err := s.directory.ListIdentities(ctx, req.Actor, user)
	if err != nil {
		return nil, err
	}
	return &Plain[Identities]{Identities{
		Identities: each(all, func(i account.Versioned[account.Identity]) Identity { return identityOf(i.Value, i.Version) }),
		PageInfo:   PageInfo{Total: len(all)},
	}}, nil
}

func writtenIdentity(r directory.Result[account.Identity]) WrittenIdentity {
	return WrittenIdentity{identityOf(r.Value, r.ETag), applied(r)}
}
