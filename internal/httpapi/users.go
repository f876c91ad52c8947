package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// User is a person of the environment (U1).
type User struct {
	ID        account.UserID  `json:"id" example:"ada"`
	Email     string          `json:"email" example:"ada@globex.example"`
	Name      string          `json:"name" doc:"Empty if there is none."`
	Blocked   bool            `json:"blocked" doc:"A blocked user passes no check and opens no account."`
	CreatedAt time.Time       `json:"created_at"`
	Version   account.Version `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func userOf(u account.User, version account.Version) User {
	return User{ID: u.ID, Email: u.Email, Name: u.Name, Blocked: u.Blocked, CreatedAt: u.CreatedAt.UTC(), Version: version}
}

// Users is a page of users, in the order of their ids.
type Users struct {
	Users []User `json:"users" nullable:"false"`
	PageInfo
}

// UserWithMemberships is a user with every membership, in the order of account ids.
type UserWithMemberships struct {
	User
	Memberships []Membership `json:"memberships" nullable:"false"`
}

type listUsersInput struct {
	Caller
	PageQuery
}

// UserPath is embedded by inputs about one user.
type UserPath struct {
	User account.UserID `path:"user"`
}

type userInput struct {
	Caller
	UserPath
}

func (s *server) registerUsers() {
	register(s, huma.Operation{
		OperationID: "listUsers", Method: http.MethodGet, Path: "/v1/users", Tags: []string{tagUsers},
		Summary: "List the users of the environment", Description: "Needs view_backoffice.",
	}, s.listUsers)
	register(s, huma.Operation{
		OperationID: "getUser", Method: http.MethodGet, Path: "/v1/users/{user}", Tags: []string{tagUsers},
		Summary: "See a user with the memberships", Description: "Users may see themselves; others need view_backoffice.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *userInput) (*Tagged[UserWithMemberships], error) {
		u, memberships, err := s.directory.GetUser(ctx, req.Actor, in.User)
		if err != nil {
			return nil, err
		}
		return &Tagged[UserWithMemberships]{ETag: etag(u.Version), Body: UserWithMemberships{
			User:        userOf(u.Value, u.Version),
			Memberships: each(memberships, func(m account.Membership) Membership { return membershipOf(m, 0) }),
		}}, nil
	})
}

func (s *server) listUsers(ctx context.Context, req directory.Request, in *listUsersInput) (*Plain[Users], error) {
	after, err := decodeCursor[account.UserID]("users", in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := s.directory.ListUsers(ctx, req.Actor, directory.UserFilter{Query: in.Query, After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return &Plain[Users]{Users{
		Users:    each(page.Items, func(u account.Versioned[account.User]) User { return userOf(u.Value, u.Version) }),
		PageInfo: pageInfo("users", page, func(u account.User) account.UserID { return u.ID }),
	}}, nil
}
