package scenario

import (
	"context"
	"slices"

	api "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// ignoring carries out a use case for what it changes, not for what it returns.
func ignoring[T any](_ directory.Result[T], err error) error { return err }

// move ACCOUNT below|under|to ACCOUNT|the root
func (s *state) stepMove(words *sentence) (act, error) {
	moved, ok, err := s.knownName(words, anAccount)
	if err != nil {
		return nil, err
	}
	if err := words.need("below", "under", "to"); err != nil {
		return nil, err
	}
	parent, there := word{}, true
	if !words.take("the", "root") {
		if parent, there, err = s.knownName(words, anAccount); err != nil {
			return nil, err
		}
	}
	if !ok || !there {
		return nil, nil
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		return ignoring(w.directory.MoveAccount(ctx, req, account.ID(moved.text), account.ID(parent.text)))
	}, nil
}

// create ACCOUNT [below|under ACCOUNT]
func (s *state) stepCreate(words *sentence) (act, error) {
	created, err := words.name("an account")
	if err != nil {
		return nil, err
	}
	parent, there := word{}, true
	if words.takeAny("below", "under") {
		if parent, there, err = s.knownName(words, anAccount); err != nil {
			return nil, err
		}
	}
	if !there || !s.names.has(anAccount, created.text) && !s.names.add(s, anAccount, created) {
		return nil, nil
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		return ignoring(w.directory.CreateAccount(ctx, req, directory.NewAccount{
			ID: account.ID(created.text), Name: created.text, Parent: account.ID(parent.text),
		}))
	}, nil
}

// delete ACCOUNT|USER
func (s *state) stepDelete(words *sentence) (act, error) {
	gone, ok, err := s.knownName(words, anAccount, aUser)
	if err != nil || !ok {
		return nil, err
	}
	isAccount := s.names.has(anAccount, gone.text)
	return func(ctx context.Context, w *world, req directory.Request) error {
		if isAccount {
			return ignoring(w.directory.DeleteAccount(ctx, req, account.ID(gone.text), false))
		}
		return ignoring(w.directory.DeleteUser(ctx, req, account.UserID(gone.text)))
	}, nil
}

// add USER to ACCOUNT as ROLE… [with|without sub-account access], also for a user
// who is a member already or is new; add PERMISSION to role ROLE
func (s *state) stepAdd(words *sentence) (act, error) {
	added, err := words.name("a user, or a permission")
	if err != nil {
		return nil, err
	}
	if err := words.need("to"); err != nil {
		return nil, err
	}
	if words.take("role") {
		return s.stepRole(words, added, true)
	}
	g := directory.Grant{User: account.UserID(added.text)}
	in, ok, err := s.knownName(words, anAccount)
	if err != nil {
		return nil, err
	}
	g.Account = account.ID(in.text)
	if err := words.need("as"); err != nil {
		return nil, err
	}
	roles, err := words.names("a role")
	if err != nil {
		return nil, err
	}
	for _, r := range roles {
		ok = s.names.check(s, r, aRole) && ok
		g.Roles = append(g.Roles, account.RoleKey(r.text))
	}
	with := words.take("with", "sub-account", "access")
	if with || words.take("without", "sub-account", "access") {
		g.SubAccountAccess = &with
	}
	isNew := !s.names.has(aUser, added.text)
	if !ok || isNew && !s.names.add(s, aUser, added) {
		return nil, nil
	}
	email := "new-" + added.text + "@example.com" // no user of the beginning has such an address
	return func(ctx context.Context, w *world, req directory.Request) error {
		if isNew {
			return ignoring(w.directory.CreateUser(ctx, req, directory.NewUser{ID: g.User, Email: email, Memberships: []directory.Grant{g}}))
		}
		return ignoring(w.directory.SetMembership(ctx, req, g))
	}, nil
}

// remove USER from ACCOUNT; remove PERMISSION from role ROLE
func (s *state) stepRemove(words *sentence) (act, error) {
	removed, err := words.name("a user, or a permission")
	if err != nil {
		return nil, err
	}
	if err := words.need("from"); err != nil {
		return nil, err
	}
	if words.take("role") {
		return s.stepRole(words, removed, false)
	}
	in, there, err := s.knownName(words, anAccount)
	if err != nil || !s.names.check(s, removed, aUser) || !there {
		return nil, err
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		return ignoring(w.directory.RemoveMembership(ctx, req, account.ID(in.text), account.UserID(removed.text), false))
	}, nil
}

// stepRole reads the role that a permission is added to, or removed from.
func (s *state) stepRole(words *sentence, permission word, add bool) (act, error) {
	role, ok, err := s.knownName(words, aRole)
	if err != nil {
		return nil, err
	}
	key, known := s.permission(permission)
	if !ok || !known {
		return nil, nil
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		roles, err := w.directory.ListRoles(ctx, w.request().Actor, "")
		if err != nil {
			return err
		}
		var keys []account.PermissionKey
		for _, r := range roles {
			if r.Value.Key == account.RoleKey(role.text) {
				keys = slices.DeleteFunc(slices.Clone(r.Value.Permissions), func(k account.PermissionKey) bool { return k == key })
			}
		}
		if add {
			keys = append(keys, key)
		}
		return ignoring(w.directory.UpdateRole(ctx, req, account.RoleKey(role.text), directory.RolePatch{Permissions: &keys}))
	}, nil
}

// give USER sub-account access in ACCOUNT
func (s *state) stepGive(words *sentence) (act, error) {
	user, ok, err := s.knownName(words, aUser)
	if err != nil {
		return nil, err
	}
	if err := words.need("sub-account access in"); err != nil {
		return nil, err
	}
	return s.stepAccess(words, user, ok, true)
}

// take sub-account access from USER in ACCOUNT
func (s *state) stepTake(words *sentence) (act, error) {
	if err := words.need("sub-account access from"); err != nil {
		return nil, err
	}
	user, ok, err := s.knownName(words, aUser)
	if err != nil {
		return nil, err
	}
	if err := words.need("in"); err != nil {
		return nil, err
	}
	return s.stepAccess(words, user, ok, false)
}

// stepAccess reads where a member's sub-account access is to be changed, and nothing else of the membership.
func (s *state) stepAccess(words *sentence, user word, ok, access bool) (act, error) {
	in, there, err := s.knownName(words, anAccount)
	if err != nil || !ok || !there {
		return nil, err
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		_, memberships, err := w.directory.GetUser(ctx, w.request().Actor, account.UserID(user.text))
		if err != nil {
			return err
		}
		g := directory.Grant{Account: account.ID(in.text), User: account.UserID(user.text), SubAccountAccess: &access}
		for _, m := range memberships {
			if m.Account == g.Account {
				g.Roles, g.ExpiresAt = m.Roles, m.ExpiresAt
			}
		}
		return ignoring(w.directory.SetMembership(ctx, req, g))
	}, nil
}

// block USER
func (s *state) stepBlock(words *sentence) (act, error) {
	user, ok, err := s.knownName(words, aUser)
	if err != nil || !ok {
		return nil, err
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		return ignoring(w.directory.BlockUser(ctx, req, account.UserID(user.text), false))
	}, nil
}

// unblock USER
func (s *state) stepUnblock(words *sentence) (act, error) {
	user, ok, err := s.knownName(words, aUser)
	if err != nil || !ok {
		return nil, err
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		return ignoring(w.directory.UnblockUser(ctx, req, account.UserID(user.text)))
	}, nil
}

// write TYPE:ID#RELATION@TYPE:ID
func (s *state) stepWrite(words *sentence) (act, error) {
	return s.stepRelationship(words, api.RelationshipUpdate_OPERATION_TOUCH)
}

// erase TYPE:ID#RELATION@TYPE:ID
func (s *state) stepErase(words *sentence) (act, error) {
	return s.stepRelationship(words, api.RelationshipUpdate_OPERATION_DELETE)
}

func (s *state) stepRelationship(words *sentence, op api.RelationshipUpdate_Operation) (act, error) {
	text, err := words.rest("a relationship")
	if err != nil {
		return nil, err
	}
	rel, ok := s.relationship(text)
	if !ok {
		return nil, nil
	}
	return func(ctx context.Context, w *world, _ directory.Request) error { return w.change(ctx, rel, op) }, nil
}
