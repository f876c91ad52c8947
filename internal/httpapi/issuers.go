package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// OpenIDIssuer is an OpenID provider whose tokens the environment accepts.
type OpenIDIssuer struct {
	ID           account.IssuerID `json:"id" example:"login"`
	Name         string           `json:"name" example:"Customers' login"`
	URL          string           `json:"url" doc:"What its tokens have in iss; discovery begins here." example:"https://login.example"`
	Audiences    []string         `json:"audiences" nullable:"false" doc:"A token has to be for one of these."`
	Purpose      account.Purpose  `json:"purpose" enum:"users,operators" doc:"Whom it vouches for: the environment's users, or its operators."`
	LinkByEmail  bool             `json:"link_by_email" doc:"Whether a subject who is not known becomes, with the first request, the user or operator with its verified address, unless that one has signed in as another."`
	EmailDomains []string         `json:"email_domains" nullable:"false" doc:"For the addresses of which domains its word is taken, or single addresses; empty for all."`
	CreatedAt    time.Time        `json:"created_at"`
	Version      account.Version  `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func issuerOf(i account.Issuer, version account.Version) OpenIDIssuer {
	return OpenIDIssuer{
		ID: i.ID, Name: i.Name, URL: i.URL, Audiences: account.Set(i.Audiences), Purpose: i.Purpose,
		LinkByEmail: i.LinkByEmail, EmailDomains: account.Set(i.EmailDomains), CreatedAt: i.CreatedAt.UTC(), Version: version,
	}
}

// Issuers is every OpenID provider of the environment, in the order of their ids.
type Issuers struct {
	Issuers []OpenIDIssuer `json:"issuers" nullable:"false"`
	PageInfo
}

// NewIssuer is an OpenID provider to be trusted.
type NewIssuer struct {
	ID           *account.IssuerID `json:"id,omitempty" doc:"1 to 64 of A-Z a-z 0-9 _ -, unique in the environment; generated if absent." example:"login"`
	Name         string            `json:"name,omitempty" doc:"At most 200 characters; the id if absent."`
	URL          string            `json:"url" doc:"What its tokens have in iss, to the letter: https, or http to this machine; no query." example:"https://login.example"`
	Audiences    []string          `json:"audiences" nullable:"false" doc:"1 to 10, each of at most 200 characters: a token has to be for one of them." example:"[\"shop\"]"`
	Purpose      account.Purpose   `json:"purpose" doc:"users or operators." example:"users"`
	LinkByEmail  bool              `json:"link_by_email,omitempty" doc:"Whether subjects who are not known are linked by their verified addresses. Only where the provider lets nobody have an address that is not theirs."`
	EmailDomains []string          `json:"email_domains,omitempty" doc:"At most 50 domains, or single addresses, for which its word is taken; empty for all. Operators are linked by address for those named only."`
}

// IssuerPatch changes what it names. A field that is null is as if absent.
type IssuerPatch struct {
	Name         *string   `json:"name,omitempty" doc:"1 to 200 characters."`
	Audiences    *[]string `json:"audiences,omitempty" nullable:"false" doc:"All that there are to be."`
	LinkByEmail  *bool     `json:"link_by_email,omitempty" doc:"Links that are there stay."`
	EmailDomains *[]string `json:"email_domains,omitempty" nullable:"false" doc:"All that there are to be."`
}

// WrittenIssuer is an OpenID provider after a change.
type WrittenIssuer struct {
	OpenIDIssuer
	Applied
}

// IssuerPath is embedded by inputs about one OpenID provider.
type IssuerPath struct {
	Issuer account.IssuerID `path:"issuer"`
}

type issuerInput struct {
	Caller
	IssuerPath
}

type createIssuerInput struct {
	Caller
	Idempotent
	WithBody[NewIssuer]
}

type updateIssuerInput struct {
	Caller
	Precondition
	IssuerPath
	WithBody[IssuerPatch]
}

type deleteIssuerInput struct {
	Caller
	Precondition
	IssuerPath
}

func (s *server) registerIssuers() {
	register(s, huma.Operation{
		OperationID: "listIssuers", Method: http.MethodGet, Path: "/v1/environment/issuers", Tags: []string{tagSignIn},
		Summary: "List the OpenID providers that the environment trusts", Description: "Needs manage_security. There are at most 20.",
	}, func(ctx context.Context, req directory.Request, _ *callerInput) (*Plain[Issuers], error) {
		all, err := s.directory.ListIssuers(ctx, req.Actor)
		if err != nil {
			return nil, err
		}
		return &Plain[Issuers]{Issuers{
			Issuers:  each(all, func(i account.Versioned[account.Issuer]) OpenIDIssuer { return issuerOf(i.Value, i.Version) }),
			PageInfo: PageInfo{Total: len(all)},
		}}, nil
	})
	register(s, huma.Operation{
		OperationID: "getIssuer", Method: http.MethodGet, Path: "/v1/environment/issuers/{issuer}", Tags: []string{tagSignIn},
		Summary: "See an OpenID provider", Description: "Needs manage_security.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *issuerInput) (*Tagged[OpenIDIssuer], error) {
		i, err := s.directory.GetIssuer(ctx, req.Actor, in.Issuer)
		if err != nil {
			return nil, err
		}
		return &Tagged[OpenIDIssuer]{ETag: etag(i.Version), Body: issuerOf(i.Value, i.Version)}, nil
	})
	register(s, huma.Operation{
		OperationID: "createIssuer", Method: http.MethodPost, Path: "/v1/environment/issuers", Tags: []string{tagSignIn}, DefaultStatus: http.StatusCreated,
		Summary: "Trust an OpenID provider", Description: "Its tokens, for one of the audiences, are accepted from then on. Needs manage_security.",
		Errors: []int{http.StatusConflict},
	}, s.createIssuer)
	register(s, huma.Operation{
		OperationID: "updateIssuer", Method: http.MethodPatch, Path: "/v1/environment/issuers/{issuer}", Tags: []string{tagSignIn},
		Summary: "Change an OpenID provider", Description: "Its address and purpose stay: another provider is another issuer. Needs manage_security.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *updateIssuerInput) (*Written[WrittenIssuer], error) {
		r, err := s.directory.UpdateIssuer(ctx, req, in.Issuer, directory.IssuerPatch(*in.body()))
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusOK, writtenIssuer(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "deleteIssuer", Method: http.MethodDelete, Path: "/v1/environment/issuers/{issuer}", Tags: []string{tagSignIn},
		Summary:     "Trust an OpenID provider no more",
		Description: "Its tokens open nothing from then on. Who was linked there stays linked, should it be trusted again; impersonations by who signed in there end. The last admin keeps their issuer (409 last_admin). Needs manage_security. Answers with the issuer as it was.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *deleteIssuerInput) (*Written[WrittenIssuer], error) {
		r, err := s.directory.DeleteIssuer(ctx, req, in.Issuer)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenIssuer(r)), nil
	})
}

func (s *server) createIssuer(ctx context.Context, req directory.Request, in *createIssuerInput) (*Written[WrittenIssuer], error) {
	b := in.body()
	id, err := idOrNone("id", b.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.directory.CreateIssuer(ctx, req, account.Issuer{
		ID: id, Name: b.Name, URL: b.URL, Audiences: b.Audiences, Purpose: b.Purpose, LinkByEmail: b.LinkByEmail, EmailDomains: b.EmailDomains,
	})
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusCreated, writtenIssuer(r)), nil
}

func writtenIssuer(r directory.Result[account.Issuer]) WrittenIssuer {
	return WrittenIssuer{issuerOf(r.Value, r.ETag), applied(r)}
}
