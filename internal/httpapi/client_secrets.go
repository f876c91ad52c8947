package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

// ClientSecret is what is known of a secret of a client; the secret itself is not kept (C2).
type ClientSecret struct {
	ID         account.SecretID `json:"id" example:"sec_k3vqm2xw7c5hj4d6zt2a"`
	Client     account.ClientID `json:"client" example:"shop"`
	CreatedAt  time.Time        `json:"created_at"`
	ExpiresAt  *time.Time       `json:"expires_at" doc:"From then on it opens nothing; null is never."`
	LastUsedAt *time.Time       `json:"last_used_at,omitempty" doc:"When it was used last, to the minute or so. Absent if it never was, in the journal, and in answers to changes."`
	Version    account.Version  `json:"version,omitempty" doc:"The number of its last change, for If-Match. Not in the journal."`
}

func clientSecretOf(s directory.UsedSecret, version account.Version) ClientSecret {
	return ClientSecret{
		ID: s.ID, Client: s.Client, CreatedAt: s.CreatedAt.UTC(), ExpiresAt: inUTC(s.ExpiresAt), LastUsedAt: inUTC(s.LastUsed), Version: version,
	}
}

// ClientSecrets is all secrets of a client, in the order of their ids.
type ClientSecrets struct {
	Secrets []ClientSecret `json:"secrets" nullable:"false" doc:"All there are, at most 5. Those that have expired are here until a new one is made."`
	Total   int            `json:"total"`
}

// NewClientSecret says what becomes of the secrets that a new one takes the place of.
type NewClientSecret struct {
	OverlapHours *int `json:"overlap_hours,omitempty" doc:"For how long the secrets before go on, 0 to 720; 24 if absent, 0 ends them at once. One that ends earlier is not prolonged."`
}

// WrittenClientSecret is a secret after a change.
type WrittenClientSecret struct {
	ClientSecret
	Applied
}

// CreatedClientSecret is a new secret.
type CreatedClientSecret struct {
	WrittenClientSecret
	Token string `json:"token" doc:"The secret: what the client sends as its bearer token, or as client_secret to /oauth2/token. Shown here and never again."`
}

type createSecretInput struct {
	Caller
	ClientPath
	MayHaveBody[NewClientSecret]
}

type revokeSecretInput struct {
	Caller
	Precondition
	ClientPath
	Secret account.SecretID `path:"secret"`
}

func (s *server) registerClientSecrets() {
	register(s, huma.Operation{
		OperationID: "listClientSecrets", Method: http.MethodGet, Path: "/v1/environment/clients/{client}/secrets", Tags: []string{tagEnvironment},
		Summary: "List the secrets of a client", Description: "Needs manage_security. Tells when they end and were used; they themselves are not kept.",
		Errors: []int{http.StatusNotFound},
	}, s.listClientSecrets)
	register(s, huma.Operation{
		OperationID: "createClientSecret", Method: http.MethodPost, Path: "/v1/environment/clients/{client}/secrets", Tags: []string{tagEnvironment}, DefaultStatus: http.StatusCreated,
		Summary:     "Make a new secret of a client and show it, once",
		Description: "Needs manage_security. The secrets before go on for a while, so that the client can be given the new one without a pause; those that have expired are tidied away. A client has at most 5 (409 too_many_secrets). Takes no Idempotency-Key, since the secret is not kept to be shown again.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, s.createClientSecret)
	register(s, huma.Operation{
		OperationID: "revokeClientSecret", Method: http.MethodDelete, Path: "/v1/environment/clients/{client}/secrets/{secret}", Tags: []string{tagEnvironment},
		Summary:     "Revoke a secret of a client",
		Description: "It opens nothing from then on, nor do access tokens that were got with it, and impersonations that it began end. The last one may go as well, unless it is the last admin's (409 last_admin): the client opens nothing then until it gets another. Needs manage_security. Answers with what was known of it.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *revokeSecretInput) (*Written[WrittenClientSecret], error) {
		r, err := s.directory.RevokeSecret(ctx, req, in.Client, in.Secret)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenSecret(r)), nil
	})
}

func writtenSecret(r directory.Result[account.ClientSecret]) WrittenClientSecret {
	return WrittenClientSecret{clientSecretOf(directory.UsedSecret{ClientSecret: r.Value}, r.ETag), applied(r)}
}

func (s *server) listClientSecrets(ctx context.Context, req directory.Request, in *clientInput) (*Plain[ClientSecrets], error) {
	all, err := s.directory.ListSecrets(ctx, req.Actor, in.Client)
	if err != nil {
		return nil, err
	}
	return &Plain[ClientSecrets]{ClientSecrets{
		Secrets: each(all, func(s account.Versioned[directory.UsedSecret]) ClientSecret {
			return clientSecretOf(s.Value, s.Version)
		}),
		Total: len(all),
	}}, nil
}

func (s *server) createClientSecret(ctx context.Context, req directory.Request, in *createSecretInput) (*Written[CreatedClientSecret], error) {
	r, secret, err := s.directory.AddSecret(ctx, req, in.Client, overlapOf(in.body().OverlapHours))
	if err != nil {
		return nil, err
	}
	token := identity.FormatToken(req.Actor.Environment, in.Client, secret)
	return written(req, r, http.StatusCreated, CreatedClientSecret{writtenSecret(r), token}), nil
}

// overlapOf is a number of hours as a time. What is out of bounds stays so, and does not overflow.
func overlapOf(hours *int) time.Duration {
	if hours == nil {
		return directory.DefaultOverlap
	}
	const most = int(directory.MaxOverlap / time.Hour)
	return time.Duration(min(max(*hours, -1), most+1)) * time.Hour
}
