package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Invitation offers a membership to whoever reads the mail of an address (I1).
type Invitation struct {
	ID                  account.InvitationID `json:"id" example:"inv_k3vqm2xw7c5hj4d6zt2a"`
	Account             account.ID           `json:"account" example:"globex"`
	Email               string               `json:"email" example:"ada@globex.example"`
	Name                string               `json:"name" doc:"As who invites wrote it; empty if they did not."`
	Roles               []account.RoleKey    `json:"roles" nullable:"false"`
	SubAccountAccess    bool                 `json:"sub_account_access" doc:"Whether the roles will hold in every account below, as it was settled when the invitation was made."`
	Mode                account.AccessMode   `json:"mode" enum:"default_off,default_on,always_on" doc:"The account's sub_account_access when the invitation was made."`
	MembershipExpiresAt *time.Time           `json:"membership_expires_at" doc:"When the membership will end; null is never."`
	InvitedBy           string               `json:"invited_by" doc:"Who sent it last: user:id, operator:id, api_token:id or system. They must still have the rights for it when it is accepted." example:"user:ada"`
	CreatedAt           time.Time            `json:"created_at"`
	SentAt              time.Time            `json:"sent_at" doc:"When it was made, or sent again."`
	ExpiresAt           time.Time            `json:"expires_at" doc:"Until when it can be accepted."`
	Version             account.Version      `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func invitationOf(i account.Invitation, version account.Version) Invitation {
	out := Invitation{
		ID: i.ID, Account: i.Account, Email: i.Email, Name: i.Name, Roles: account.Set(i.Roles), SubAccountAccess: i.SubAccountAccess, Mode: i.Mode,
		InvitedBy: i.InvitedBy.Name(), CreatedAt: i.CreatedAt.UTC(), SentAt: i.SentAt.UTC(), ExpiresAt: i.ExpiresAt.UTC(), Version: version,
	}
	if i.MembershipExpiresAt != nil {
		at := i.MembershipExpiresAt.UTC()
		out.MembershipExpiresAt = &at
	}
	return out
}

// Delivery is what became of an invitation's letter.
type Delivery struct {
	State     directory.DeliveryState `json:"state" enum:"queued,sent,failed" doc:"queued: to be tried, perhaps again; sent: the mail server has taken it; failed: given up."`
	Attempts  int                     `json:"attempts" doc:"How often it was tried since the invitation was last sent."`
	LastError string                  `json:"last_error,omitempty" doc:"Why the last try failed."`
	At        time.Time               `json:"at" doc:"When this last changed."`
}

func deliveryOf(d *directory.Delivery) *Delivery {
	if d == nil {
		return nil
	}
	return &Delivery{State: d.State, Attempts: d.Attempts, LastError: d.LastError, At: d.At.UTC()}
}

// OpenInvitation is an invitation as those see it who may list it.
type OpenInvitation struct {
	Invitation
	Expired  bool      `json:"expired" doc:"It can no longer be accepted, unless it is sent again."`
	Delivery *Delivery `json:"delivery" doc:"What became of its letter; null if the link was handed to who invited."`
}

func openInvitationOf(i account.Versioned[directory.OpenInvitation]) OpenInvitation {
	return OpenInvitation{invitationOf(i.Value.Invitation, i.Version), i.Value.Expired, deliveryOf(i.Value.Delivery)}
}

// Invitations is a page of invitations, in the order of their ids.
type Invitations struct {
	Invitations []OpenInvitation `json:"invitations" nullable:"false"`
	PageInfo
}

// Sending is how an invitation is sent.
type Sending struct {
	InvitationHours *int             `json:"invitation_hours,omitempty" doc:"Until it expires, 1 to 2160; the environment's if absent. It expires with the membership if that ends before."`
	Delivery        directory.LinkBy `json:"delivery,omitempty" enum:"mail,link" doc:"mail, the default: Tenantry sends the link to the address. link: it is in the answer, once; needs edit_backoffice."`
}

func (s Sending) of() directory.Sending {
	out := directory.Sending{Link: s.Delivery}
	if s.InvitationHours != nil {
		out.Hours = *s.InvitationHours
		if out.Hours == 0 {
			out.Hours = -1 // asked for, and out of bounds
		}
	}
	return out
}

// NewInvitation is an invitation to be made.
type NewInvitation struct {
	Email               string            `json:"email" example:"ada@globex.example"`
	Name                string            `json:"name,omitempty" doc:"For the letter, and for the user if there is none with the address; at most 200 characters."`
	Roles               []account.RoleKey `json:"roles" nullable:"false" doc:"Keys of roles that can be given in the account; at least one."`
	SubAccountAccess    *bool             `json:"sub_account_access,omitempty" doc:"Whether the roles hold in every account below. Absent: what the account's mode says now."`
	MembershipExpiresAt *time.Time        `json:"membership_expires_at,omitempty" nullable:"true" doc:"When the membership ends, in whole seconds; null or absent is never."`
	Sending
}

// SentInvitation is an invitation that was sent just now.
type SentInvitation struct {
	Invitation
	Delivery *Delivery `json:"delivery" doc:"The letter that is to be sent; null with delivery link."`
	Link     string    `json:"link,omitempty" doc:"With delivery link, if the environment has an invitation_url: the address to send. Shown here and never again."`
	Token    string    `json:"token,omitempty" doc:"With delivery link: what the link carries. Shown here and never again."`
	Applied
}

// WithdrawnInvitation is an invitation as it was.
type WithdrawnInvitation struct {
	Invitation
	Applied
}

type createInvitationInput struct {
	Caller
	Idempotent
	AccountPath
	WithBody[NewInvitation]
}

type listInvitationsInput struct {
	Caller
	AccountPath
	PageQuery
}

type listAllInvitationsInput struct {
	Caller
	PageQuery
}

// InvitationPath is embedded by inputs about one invitation.
type InvitationPath struct {
	AccountPath
	Invitation account.InvitationID `path:"invitation"`
}

type invitationInput struct {
	Caller
	InvitationPath
}

type withdrawInvitationInput struct {
	Caller
	Precondition
	InvitationPath
}

type resendInvitationInput struct {
	Caller
	Precondition
	InvitationPath
	WithBody[Sending]
}

func (s *server) registerInvitations() {
	const path = "/v1/accounts/{account}/invitations"
	register(s, huma.Operation{
		OperationID: "createInvitation", Method: http.MethodPost, Path: path, Tags: []string{tagInvitations}, DefaultStatus: http.StatusCreated,
		Summary:     "Invite an e-mail address to an account",
		Description: "Needs fe.secure.invite.users there, and what setMember needs for the roles and the sub-account access. The answer is the same whether there is a user with the address or not. A repeat with the same Idempotency-Key is answered without link and token.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, req directory.Request, in *createInvitationInput) (*Written[SentInvitation], error) {
		b := in.body()
		return sentInvitation(req, http.StatusCreated)(s.directory.Invite(ctx, req, directory.NewInvitation{
			Account: in.Account, Email: b.Email, Name: b.Name, Roles: b.Roles, SubAccountAccess: b.SubAccountAccess,
			MembershipExpiresAt: b.MembershipExpiresAt, Sending: b.of(),
		}))
	})
	register(s, huma.Operation{
		OperationID: "listInvitations", Method: http.MethodGet, Path: path, Tags: []string{tagInvitations},
		Summary: "List the invitations to an account", Description: "Those that have expired included. Needs fe.secure.read.users or fe.secure.invite.users there.",
		Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *listInvitationsInput) (*Plain[Invitations], error) {
		return s.listInvitations(ctx, req, in.Account, in.PageQuery)
	})
	register(s, huma.Operation{
		OperationID: "listAllInvitations", Method: http.MethodGet, Path: "/v1/invitations", Tags: []string{tagInvitations},
		Summary: "List the invitations to all accounts", Description: "Those that have expired included. Needs view_backoffice.",
	}, func(ctx context.Context, req directory.Request, in *listAllInvitationsInput) (*Plain[Invitations], error) {
		return s.listInvitations(ctx, req, "", in.PageQuery)
	})
	register(s, huma.Operation{
		OperationID: "getInvitation", Method: http.MethodGet, Path: path + "/{invitation}", Tags: []string{tagInvitations},
		Summary: "See an invitation", Description: "Needs fe.secure.read.users or fe.secure.invite.users at the account.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *invitationInput) (*Tagged[OpenInvitation], error) {
		i, err := s.directory.GetInvitation(ctx, req.Actor, in.Account, in.Invitation)
		if err != nil {
			return nil, err
		}
		return &Tagged[OpenInvitation]{ETag: etag(i.Version), Body: openInvitationOf(i)}, nil
	})
	register(s, huma.Operation{
		OperationID: "withdrawInvitation", Method: http.MethodDelete, Path: path + "/{invitation}", Tags: []string{tagInvitations},
		Summary: "Withdraw an invitation", Description: "Its links open nothing from then on. Needs fe.secure.invite.users at the account. Answers with the invitation as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *withdrawInvitationInput) (*Written[WithdrawnInvitation], error) {
		r, err := s.directory.WithdrawInvitation(ctx, req, in.Account, in.Invitation)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, WithdrawnInvitation{invitationOf(r.Value, r.ETag), applied(r)}), nil
	})
	register(s, huma.Operation{
		OperationID: "resendInvitation", Method: http.MethodPost, Path: path + "/{invitation}/resend", Tags: []string{tagInvitations},
		Summary:     "Send an invitation again, with a new link",
		Description: "Older links are void, the time to accept starts anew, and from then on the invitation is the caller's. Needs what making it would need.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *resendInvitationInput) (*Written[SentInvitation], error) {
		return sentInvitation(req, http.StatusOK)(s.directory.ResendInvitation(ctx, req, in.Account, in.Invitation, in.body().of()))
	})
}

// sentInvitation answers the sending of an invitation.
func sentInvitation(req directory.Request, status int) func(directory.Result[directory.Invited], error) (*Written[SentInvitation], error) {
	return func(r directory.Result[directory.Invited], err error) (*Written[SentInvitation], error) {
		if err != nil {
			return nil, err
		}
		body := SentInvitation{
			Invitation: invitationOf(r.Value.Invitation, r.ETag), Delivery: deliveryOf(r.Value.Delivery), Link: r.Value.Link, Applied: applied(r),
		}
		if r.Value.Token != (directory.InvitationToken{}) {
			body.Token = r.Value.Token.Reveal()
		}
		return written(req, r, status, body), nil
	}
}

func (s *server) listInvitations(ctx context.Context, req directory.Request, id account.ID, q PageQuery) (*Plain[Invitations], error) {
	after, err := decodeCursor[account.InvitationID]("invitations", q.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := s.directory.ListInvitations(ctx, req.Actor, directory.AccountItems{Account: id, Query: q.Query, After: string(after), Limit: q.Limit})
	if err != nil {
		return nil, err
	}
	return &Plain[Invitations]{Invitations{
		Invitations: each(page.Items, openInvitationOf),
		PageInfo:    pageInfo("invitations", page, func(i directory.OpenInvitation) account.InvitationID { return i.ID }),
	}}, nil
}
