package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/schema"
)

// Role is a named set of permissions (U2).
type Role struct {
	Key         account.RoleKey         `json:"key" example:"admin"`
	Name        string                  `json:"name" doc:"Empty if there is none."`
	Account     *account.ID             `json:"account" doc:"The account in whose branch it can be given; null for a role of the environment."`
	Permissions []account.PermissionKey `json:"permissions" nullable:"false"`
	Version     account.Version         `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func roleOf(r account.Role, version account.Version) Role {
	return Role{Key: r.Key, Name: r.Name, Account: orNull(r.Account), Permissions: account.Set(r.Permissions), Version: version}
}

// Roles is a list of roles, in the order of their keys.
type Roles struct {
	Roles []Role `json:"roles" nullable:"false"`
	PageInfo
}

// NewRole is a role to be created.
type NewRole struct {
	Key         account.RoleKey         `json:"key" doc:"1 to 64 of A-Z a-z 0-9 _ -, unique in the environment." example:"auditor"`
	Name        string                  `json:"name,omitempty" doc:"At most 200 characters."`
	Account     *account.ID             `json:"account,omitempty" nullable:"true" doc:"The account in whose branch it can be given; null or absent for a role of the environment."`
	Permissions []account.PermissionKey `json:"permissions" nullable:"false" doc:"Keys or aliases of the catalogue."`
}

// RolePatch changes what it names. A field that is null is as if absent.
type RolePatch struct {
	Name        *string                  `json:"name,omitempty" doc:"At most 200 characters; empty for none."`
	Permissions *[]account.PermissionKey `json:"permissions,omitempty" nullable:"false" doc:"All permissions that it is to have."`
}

// WrittenRole is a role after a change.
type WrittenRole struct {
	Role
	Applied
}

// Permission is an entry of the catalogue (U3).
type Permission struct {
	Key         account.PermissionKey   `json:"key" example:"fe.account-hierarchy.read.subAccount"`
	Aliases     []account.PermissionKey `json:"aliases" nullable:"false" doc:"Other spellings that are accepted for the key."`
	Relation    string                  `json:"relation" doc:"Its name in the schema." example:"read_sub_accounts"`
	Operator    string                  `json:"operator,omitempty" doc:"The right of an operator that suffices in its place."`
	Description string                  `json:"description"`
}

// Permissions is the catalogue.
type Permissions struct {
	Permissions []Permission `json:"permissions" nullable:"false"`
	PageInfo
}

type callerInput struct{ Caller }

type createRoleInput struct {
	Caller
	Idempotent
	WithBody[NewRole]
}

type updateRoleInput struct {
	Caller
	Precondition
	Role account.RoleKey `path:"role"`
	WithBody[RolePatch]
}

type deleteRoleInput struct {
	Caller
	Precondition
	Role account.RoleKey `path:"role"`
}

func (s *server) registerRoles() {
	register(s, huma.Operation{
		OperationID: "listPermissions", Method: http.MethodGet, Path: "/v1/permissions", Tags: []string{tagRoles},
		Summary: "The catalogue of permissions", Description: "For every caller.",
	}, func(context.Context, directory.Request, *callerInput) (*Plain[Permissions], error) {
		all := s.directory.Catalogue().Permissions
		return &Plain[Permissions]{Permissions{each(all, permissionOf), PageInfo{Total: len(all)}}}, nil
	})
	register(s, huma.Operation{
		OperationID: "listRoles", Method: http.MethodGet, Path: "/v1/roles", Tags: []string{tagRoles},
		Summary: "List all roles of the environment", Description: "Needs view_entitlements.",
	}, func(ctx context.Context, req directory.Request, _ *callerInput) (*Plain[Roles], error) {
		return s.listRoles(ctx, req, "")
	})
	register(s, huma.Operation{
		OperationID: "listAccountRoles", Method: http.MethodGet, Path: "/v1/accounts/{account}/roles", Tags: []string{tagRoles},
		Summary: "List the roles that can be given in an account", Description: "Needs fe.secure.read.roles there.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *accountInput) (*Plain[Roles], error) {
		if err := account.CheckID("account", in.Account); err != nil {
			return nil, err
		}
		return s.listRoles(ctx, req, in.Account)
	})
	register(s, huma.Operation{
		OperationID: "createRole", Method: http.MethodPost, Path: "/v1/roles", Tags: []string{tagRoles}, DefaultStatus: http.StatusCreated,
		Summary:     "Create a role",
		Description: "A role of the environment needs edit_entitlements, one of an account fe.secure.write.roles there; a user can put into it only permissions that they hold there.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, s.createRole)
	register(s, huma.Operation{
		OperationID: "updateRole", Method: http.MethodPatch, Path: "/v1/roles/{role}", Tags: []string{tagRoles},
		Summary: "Change a role's name or permissions, for all who hold it",
		Errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *updateRoleInput) (*Written[WrittenRole], error) {
		r, err := s.directory.UpdateRole(ctx, req, in.Role, directory.RolePatch{Name: in.body().Name, Permissions: in.body().Permissions})
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusOK, writtenRole(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "deleteRole", Method: http.MethodDelete, Path: "/v1/roles/{role}", Tags: []string{tagRoles},
		Summary: "Delete a role that nobody holds", Description: "Answers with the role as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *deleteRoleInput) (*Written[WrittenRole], error) {
		r, err := s.directory.DeleteRole(ctx, req, in.Role)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenRole(r)), nil
	})
}

func (s *server) createRole(ctx context.Context, req directory.Request, in *createRoleInput) (*Written[WrittenRole], error) {
	b := in.body()
	owner, err := idOrNone("account", b.Account)
	if err != nil {
		return nil, err
	}
	r, err := s.directory.CreateRole(ctx, req, account.Role{Key: b.Key, Name: b.Name, Account: owner, Permissions: b.Permissions})
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusCreated, writtenRole(r)), nil
}

func (s *server) listRoles(ctx context.Context, req directory.Request, id account.ID) (*Plain[Roles], error) {
	roles, err := s.directory.ListRoles(ctx, req.Actor, id)
	if err != nil {
		return nil, err
	}
	return &Plain[Roles]{Roles{
		Roles:    each(roles, func(r account.Versioned[account.Role]) Role { return roleOf(r.Value, r.Version) }),
		PageInfo: PageInfo{Total: len(roles)},
	}}, nil
}

func writtenRole(r directory.Result[account.Role]) WrittenRole {
	return WrittenRole{roleOf(r.Value, r.ETag), applied(r)}
}

func permissionOf(p schema.Permission) Permission {
	return Permission{Key: p.Key, Aliases: append([]account.PermissionKey{}, p.Aliases...), Relation: p.Relation, Operator: p.Operator, Description: p.Description}
}
