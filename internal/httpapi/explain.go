package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Explanation is a decision with what it comes from (S5).
type Explanation struct {
	Decision
	Sources []Reason         `json:"sources" nullable:"false" doc:"What gives the permission, the nearest first. There may be some although it is not allowed: then because says what stands in the way."`
	Because []access.Because `json:"because" nullable:"false" doc:"Why it is not allowed; empty if it is." example:"expired"`
}

// Reason is one way by which a subject comes by a permission (S5).
type Reason struct {
	Via       access.Via  `json:"via" enum:"direct,grant,kept,always_on,operator_role" doc:"direct: member of the account itself. grant, kept, always_on: sub-account access at an account above: granted there, kept from an ended always_on, or by always_on. operator_role: a portal role in the environment."`
	Account   *account.ID `json:"account" doc:"Where the membership is; null for an operator's role."`
	Roles     []string    `json:"roles" nullable:"false" doc:"The roles that give it; of an operator, the portal roles."`
	ExpiresAt *time.Time  `json:"expires_at" doc:"When it ends; null is never."`
}

func reasonOf(s access.Source) Reason {
	out := Reason{Via: s.Via, Account: orNull(s.At), ExpiresAt: utc(s.ExpiresAt), Roles: each(s.Roles, func(r account.RoleKey) string { return string(r) })}
	for _, r := range s.Portal {
		out.Roles = append(out.Roles, string(r))
	}
	return out
}

// utc is a time in UTC; nil for nil.
func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC()
	return &at
}

func (s *server) registerExplain() {
	register(s, huma.Operation{
		OperationID: "explain", Method: http.MethodPost, Path: "/v1/explain", Tags: []string{tagAccess},
		Summary: "May this subject do this here, and why?",
		Description: "Answers as check does, for the same callers, about permissions on accounts: of a user, an API token or an operator. " +
			"Beside the decision stand its sources, or the reasons why it is not allowed: account_not_found, subject_not_found, blocked, root_account, sub_accounts_disabled, sub_account_management_off, no_membership, no_sub_account_access, expired, role_lacks_permission, portal_role_lacks_permission; unexplained if the directory and the engine do not agree at this moment. " +
			"A user who may not open the account is told of their membership in it alone, not where it lies or whether it is there.",
	}, s.explain)
}

func (s *server) explain(ctx context.Context, req directory.Request, in *checkInput) (*Answer[Explanation], error) {
	found, err := s.access.Explain(ctx, req.Actor, question(*in.body()), req.AtLeast)
	if err != nil {
		return nil, err
	}
	return &Answer[Explanation]{Token: tokenAt(req, found.Version), Body: Explanation{
		Decision: decision(found.Answer, found.By), Sources: each(found.Sources, reasonOf),
		Because: append([]access.Because{}, found.Because...),
	}}, nil
}
