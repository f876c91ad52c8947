package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Environment is the vendor's isolated space with its settings (E1, E3).
type Environment struct {
	ID                 account.EnvironmentID `json:"id" example:"production"`
	Name               string                `json:"name" example:"Production"`
	SubAccountsEnabled bool                  `json:"sub_accounts_enabled" doc:"Whether accounts may have sub-accounts at all."`
	DefaultAccessMode  account.AccessMode    `json:"default_access_mode" enum:"default_off,default_on,always_on" doc:"The sub_account_access of accounts created without one."`
	MaxDepth           int                   `json:"max_depth" doc:"The most levels of accounts, a root account being the first."`
	InvitationURL      string                `json:"invitation_url" doc:"The vendor's page that accepts invitations, with {token} where the link's token goes. Empty: no mail can be sent." example:"https://app.example/invitations?token={token}"`
	InvitationHours    int                   `json:"invitation_hours" doc:"How long an invitation can be accepted."`
	TokenMinutes       int                   `json:"token_minutes" doc:"The longest lifetime of tokens that Tenantry issues."`
	KeysRotatedAt      *time.Time            `json:"keys_rotated_at,omitempty" doc:"When another signing key was asked for last; absent if never."`
	KeysRevokedAt      *time.Time            `json:"keys_revoked_at,omitempty" doc:"Tokens that were issued before are not accepted; absent if none were revoked."`
	ExchangeOnly       bool                  `json:"exchange_only" doc:"Whether secrets of clients are taken at /oauth2/token alone, and not as bearer tokens."`
	IPAllowList        []string              `json:"ip_allow_list" nullable:"false" doc:"The networks that requests may come from; empty: from anywhere." example:"[\"192.0.2.0/24\"]"`
	CreatedAt          time.Time             `json:"created_at"`
	Version            account.Version       `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func environmentOf(e account.Environment, version account.Version) Environment {
	return Environment{
		ID: e.ID, Name: e.Name, SubAccountsEnabled: e.SubAccountsEnabled, DefaultAccessMode: e.DefaultAccessMode,
		MaxDepth: e.MaxDepth, InvitationURL: e.InvitationURL, InvitationHours: e.InvitationHours, TokenMinutes: e.TokenMinutes,
		KeysRotatedAt: e.KeysRotatedAt, KeysRevokedAt: e.KeysRevokedAt, ExchangeOnly: e.ExchangeOnly, IPAllowList: networksOf(e.IPAllowList), CreatedAt: e.CreatedAt.UTC(), Version: version,
	}
}

// EnvironmentPatch changes what it names. A field that is null is as if absent.
type EnvironmentPatch struct {
	Name               *string             `json:"name,omitempty" doc:"1 to 200 characters."`
	SubAccountsEnabled *bool               `json:"sub_accounts_enabled,omitempty" doc:"Whether accounts may have sub-accounts at all."`
	DefaultAccessMode  *account.AccessMode `json:"default_access_mode,omitempty" doc:"default_off, default_on or always_on."`
	MaxDepth           *int                `json:"max_depth,omitempty" doc:"1 to 40. Accounts that are deeper already stay."`
	InvitationURL      *string             `json:"invitation_url,omitempty" doc:"An http or https address with {token} in it; empty for none."`
	InvitationHours    *int                `json:"invitation_hours,omitempty" doc:"1 to 2160."`
	TokenMinutes       *int                `json:"token_minutes,omitempty" doc:"1 to 1440."`
	ExchangeOnly       *bool               `json:"exchange_only,omitempty" doc:"Whether secrets of clients are taken at /oauth2/token alone, and not as bearer tokens."`
	IPAllowList        *[]string           `json:"ip_allow_list,omitempty" nullable:"false" doc:"At most 100 addresses and networks, of IPv4 and IPv6; empty for anywhere. It has to hold the address that this request comes from."`
}

// WrittenEnvironment is the environment after a change.
type WrittenEnvironment struct {
	Environment
	Applied
}

type updateEnvironmentInput struct {
	Caller
	Precondition
	WithBody[EnvironmentPatch]
}

func (s *server) registerEnvironment() {
	register(s, huma.Operation{
		OperationID: "getEnvironment", Method: http.MethodGet, Path: "/v1/environment", Tags: []string{tagEnvironment},
		Summary: "See the environment with its settings", Description: "Needs view_backoffice.",
	}, func(ctx context.Context, req directory.Request, _ *callerInput) (*Tagged[Environment], error) {
		e, err := s.directory.GetEnvironment(ctx, req.Actor)
		if err != nil {
			return nil, err
		}
		return &Tagged[Environment]{ETag: etag(e.Version), Body: environmentOf(e.Value, e.Version)}, nil
	})
	register(s, huma.Operation{
		OperationID: "updateEnvironment", Method: http.MethodPatch, Path: "/v1/environment", Tags: []string{tagEnvironment},
		Summary: "Change the settings of the environment", Description: "Needs manage_security.",
		Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
	}, s.updateEnvironment)
}

func (s *server) updateEnvironment(ctx context.Context, req directory.Request, in *updateEnvironmentInput) (*Written[WrittenEnvironment], error) {
	r, err := s.directory.UpdateEnvironment(ctx, req, directory.EnvironmentPatch(*in.body()))
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusOK, WrittenEnvironment{environmentOf(r.Value, r.ETag), applied(r)}), nil
}
