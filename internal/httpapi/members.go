package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Membership is a user's place in an account.
type Membership struct {
	Account          account.ID        `json:"account" example:"globex"`
	User             account.UserID    `json:"user" example:"ada"`
	Roles            []account.RoleKey `json:"roles" nullable:"false"`
	SubAccountAccess bool              `json:"sub_account_access" doc:"Sub-account access of the membership's own. Where the account's mode is always_on, every member has it besides."`
	KeptFromAlwaysOn bool              `json:"kept_from_always_on,omitempty" doc:"The sub-account access was left when the account's mode ceased to be always_on."`
	ExpiresAt        *time.Time        `json:"expires_at" doc:"From then on the membership grants nothing; null is never."`
	CreatedAt        time.Time         `json:"created_at"`
	Version          account.Version   `json:"version,omitempty" doc:"The number in its ETag. Not with users and in the journal."`
}

func membershipOf(m account.Membership, version account.Version) Membership {
	out := Membership{
		Account: m.Account, User: m.User, Roles: account.Set(m.Roles), CreatedAt: m.CreatedAt.UTC(), Version: version,
		SubAccountAccess: m.BranchAccess != account.NoBranchAccess, KeptFromAlwaysOn: m.BranchAccess == account.KeptFromAlwaysOn,
	}
	if m.ExpiresAt != nil {
		at := m.ExpiresAt.UTC()
		out.ExpiresAt = &at
	}
	return out
}

// Member is a membership with who the user is.
type Member struct {
	Membership
	Email   string `json:"email" example:"ada@globex.example"`
	Name    string `json:"name" doc:"Empty if the user has none."`
	Blocked bool   `json:"blocked" doc:"The user is blocked in the whole environment."`

	SubAccountAccessBy string `json:"sub_account_access_by" enum:"none,grant,kept,always_on" doc:"By what the member has sub-account access now: granted, kept from an ended always_on, or by the account's mode."`
}

// Members is a page of an account's members, in the order of user ids.
type Members struct {
	Members []Member `json:"members" nullable:"false"`
	PageInfo
}

// Grant is what a membership is to be.
type Grant struct {
	Roles            []account.RoleKey `json:"roles" nullable:"false" doc:"Keys of roles that can be given in the account; at least one."`
	SubAccountAccess *bool             `json:"sub_account_access,omitempty" doc:"Whether the roles hold in every account below. Absent: what the account's mode says for a new member, as it is for a present one."`
	ExpiresAt        *time.Time        `json:"expires_at,omitempty" nullable:"true" doc:"When the membership ends, in whole seconds; null or absent is never."`
}

func (g Grant) of(id account.ID, user account.UserID) directory.Grant {
	return directory.Grant{Account: id, User: user, Roles: g.Roles, SubAccountAccess: g.SubAccountAccess, ExpiresAt: g.ExpiresAt}
}

// WrittenMembership is a membership after a change.
type WrittenMembership struct {
	Membership
	Applied
}

type listMembersInput struct {
	Caller
	AccountPath
	PageQuery
	Role account.RoleKey `query:"role" doc:"Only who carries this role."`
}

type putMemberInput struct {
	Caller
	Precondition
	AccountPath
	User account.UserID `path:"user"`
	WithBody[Grant]
}

type deleteMemberInput struct {
	Caller
	Precondition
	AccountPath
	User       account.UserID `path:"user"`
	DeleteUser bool           `query:"delete_user" doc:"Also delete the user if this is the last membership; otherwise that is refused (409)."`
}

func (s *server) registerMembers() {
	register(s, huma.Operation{
		OperationID: "listMembers", Method: http.MethodGet, Path: "/v1/accounts/{account}/members", Tags: []string{tagMembers},
		Summary: "List the members of an account", Description: "Needs fe.secure.read.users there.", Errors: []int{http.StatusNotFound},
	}, s.listMembers)
	register(s, huma.Operation{
		OperationID: "setMember", Method: http.MethodPut, Path: "/v1/accounts/{account}/members/{user}", Tags: []string{tagMembers},
		Summary:     "Make a user a member, or change the membership",
		Description: "A new member needs fe.secure.invite.users, a change fe.secure.write.users, and a choice about sub-account access fe.account-hierarchy.write.subAccountAccess there. A user can hand out only permissions that they hold there themselves, and add only users whom they may see: members of an account where they hold fe.secure.read.users.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *putMemberInput) (*Written[WrittenMembership], error) {
		r, err := s.directory.SetMembership(ctx, req, in.body().of(in.Account, in.User))
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusOK, writtenMembership(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "removeMember", Method: http.MethodDelete, Path: "/v1/accounts/{account}/members/{user}", Tags: []string{tagMembers},
		Summary: "End a membership", Description: "Needs fe.secure.write.users there. Answers with the membership as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *deleteMemberInput) (*Written[WrittenMembership], error) {
		r, err := s.directory.RemoveMembership(ctx, req, in.Account, in.User, in.DeleteUser)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenMembership(r)), nil
	})
}

func writtenMembership(r directory.Result[account.Membership]) WrittenMembership {
	return WrittenMembership{membershipOf(r.Value, r.ETag), applied(r)}
}

func (s *server) listMembers(ctx context.Context, req directory.Request, in *listMembersInput) (*Plain[Members], error) {
	after, err := decodeCursor[account.UserID]("members", in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := s.directory.ListMembers(ctx, req.Actor, directory.MemberFilter{Account: in.Account, Role: in.Role, Query: in.Query, After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return &Plain[Members]{Members{
		Members: each(page.Items, func(m account.Versioned[directory.Member]) Member {
			return Member{membershipOf(m.Value.Membership, m.Version), m.Value.User.Email, m.Value.User.Name, m.Value.User.Blocked, branchAccessBy(m.Value)}
		}),
		PageInfo: pageInfo("members", page, func(m directory.Member) account.UserID { return m.Membership.User }),
	}}, nil
}

func branchAccessBy(m directory.Member) string {
	switch {
	case m.AlwaysOn:
		return string(account.AlwaysOn)
	case m.BranchAccess == account.NoBranchAccess:
		return "none"
	default:
		return string(m.BranchAccess)
	}
}
