package store

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

// Entities are read in bounded pieces, each read to its end before fn sees any
// of it: so fn may use the reader, and the memory needed does not grow with the environment.
const (
	piece   = 1000 // rows
	parents = 100  // accounts whose children are read at once
)

// Entities calls fn for every entity, in the order environment, clients, roles, accounts
// (parents before children), users, memberships, assignments, API tokens, invitations,
// feature switches, impersonations, secrets of clients, operators, issuers, identities; features and plans, to which accounts refer, after
// roles. It stops at fn's first error.
func (r *reader) Entities(ctx context.Context, fn func(account.Entity) error) error {
	env, err := r.Environment(ctx)
	if err != nil {
		return err
	}
	clients, err := r.Clients(ctx)
	if err != nil {
		return err
	}
	roles, err := values(r.Roles(ctx))
	if err != nil {
		return err
	}
	features, err := values(r.Features(ctx))
	if err != nil {
		return err
	}
	plans, err := values(r.Plans(ctx))
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return fn(*account.Of(env.Value)) },
		func() error { return each(fn, clients) },
		func() error { return each(fn, roles) },
		func() error { return each(fn, features) },
		func() error { return each(fn, plans) },
		func() error { return r.eachAccount(ctx, fn) },
		func() error {
			return eachPiece(fn, func(last account.User) ([]account.User, error) {
				return values(list(ctx, r.session, scanUser, `SELECT `+userColumns+` FROM users u
					WHERE u.environment = ? AND u.id > ? ORDER BY u.id LIMIT ?`, r.env, last.ID, piece))
			})
		},
		func() error {
			return eachPiece(fn, func(last account.Membership) ([]account.Membership, error) {
				return values(list(ctx, r.session, scanMembership, `SELECT `+membershipColumns+` FROM memberships m
					WHERE m.environment = ? AND (m.account_id, m.user_id) > (?, ?)
					ORDER BY m.account_id, m.user_id LIMIT ?`, r.env, last.Account, last.User, piece))
			})
		},
		func() error {
			return eachPiece(fn, func(last account.Assignment) ([]account.Assignment, error) {
				return list(ctx, r.session, scanAssignment, `SELECT `+assignmentColumns+` FROM assignments s
					WHERE s.environment = ? AND (s.account_id, s.role) > (?, ?)
					ORDER BY s.account_id, s.role LIMIT ?`, r.env, last.Account, last.Role, piece)
			})
		},
		func() error { return r.eachAPIToken(ctx, fn) },
		func() error {
			return eachPiece(fn, func(last account.Invitation) ([]account.Invitation, error) {
				return values(list(ctx, r.session, scanInvitation, `SELECT `+invitationColumns+` FROM invitations i
					WHERE i.environment = ? AND i.id > ? ORDER BY i.id LIMIT ?`, r.env, last.ID, piece))
			})
		},
		func() error {
			return eachPiece(fn, func(last account.FeatureSwitch) ([]account.FeatureSwitch, error) {
				return values(list(ctx, r.session, scanSwitch, `SELECT `+switchColumns+` FROM feature_switches w
					WHERE w.environment = ? AND (w.account_id, w.feature, w.branch) > (?, ?, ?)
					ORDER BY w.account_id, w.feature, w.branch LIMIT ?`, r.env, last.Account, last.Feature, last.Branch, piece))
			})
		},
		func() error {
			sessions, err := values(r.Impersonations(ctx))
			if err != nil {
				return err
			}
			return each(fn, sessions)
		},
	}
	return inTurn(append(steps, r.signingIn(ctx, fn)...))
}

// inTurn takes steps until one fails.
func inTurn(steps []func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) eachAPIToken(ctx context.Context, fn func(account.Entity) error) error {
	return eachPiece(fn, func(last account.APIToken) ([]account.APIToken, error) {
		return values(list(ctx, r.session, scanAPIToken, `SELECT `+apiTokenColumns+` FROM api_tokens t
			WHERE t.environment = ? AND t.id > ? ORDER BY t.id LIMIT ?`, r.env, last.ID, piece))
	})
}

func (r *reader) eachOperator(ctx context.Context, fn func(account.Entity) error) error {
	return eachPiece(fn, func(last account.Operator) ([]account.Operator, error) {
		return values(list(ctx, r.session, scanOperator, `SELECT `+operatorColumns+` FROM operators o
			WHERE o.environment = ? AND o.id > ? ORDER BY o.id LIMIT ?`, r.env, last.ID, piece))
	})
}

// signingIn are the steps of Entities for what callers are told by.
func (r *reader) signingIn(ctx context.Context, fn func(account.Entity) error) []func() error {
	return []func() error{
		func() error {
			return eachPiece(fn, func(last account.ClientSecret) ([]account.ClientSecret, error) {
				return values(list(ctx, r.session, scanSecret, `SELECT `+secretColumns+` FROM client_secrets s
					WHERE s.environment = ? AND s.id > ? ORDER BY s.id LIMIT ?`, r.env, last.ID, piece))
			})
		},
		func() error { return r.eachOperator(ctx, fn) },
		func() error {
			issuers, err := values(r.Issuers(ctx))
			if err != nil {
				return err
			}
			return each(fn, issuers)
		},
		func() error {
			return eachPiece(fn, func(last account.Identity) ([]account.Identity, error) {
				return values(list(ctx, r.session, scanIdentity, `SELECT `+identityColumns+` FROM identities i
					WHERE i.environment = ? AND i.id > ? ORDER BY i.id LIMIT ?`, r.env, last.ID, piece))
			})
		},
	}
}

// eachAccount goes down the tree level by level.
func (r *reader) eachAccount(ctx context.Context, fn func(account.Entity) error) error {
	var level []account.ID
	see := func(a account.Entity) error {
		level = append(level, a.Account.ID)
		return fn(a)
	}
	err := eachPiece(see, func(last account.Account) ([]account.Account, error) {
		return values(list(ctx, r.session, scanAccount, `SELECT `+accountColumns+` FROM accounts a
			WHERE a.environment = ? AND a.parent IS NULL AND a.id > ? ORDER BY a.id LIMIT ?`, r.env, last.ID, piece))
	})
	for err == nil && len(level) > 0 {
		above := level
		level = nil
		for len(above) > 0 && err == nil {
			n := min(parents, len(above))
			var children []account.Account
			if children, err = r.children(ctx, above[:n]); err == nil {
				err = each(see, children)
			}
			above = above[n:]
		}
	}
	return err
}

// children returns the direct sub-accounts of the accounts named, in the order of their ids.
func (r *reader) children(ctx context.Context, of []account.ID) ([]account.Account, error) {
	named, err := jsonOf(of)
	if err != nil {
		return nil, err
	}
	return values(list(ctx, r.session, scanAccount, childrenOf, named, r.env))
}

// The cross join has SQLite look the parents up one by one. With IN it would read
// every account of the environment, since those come in the order asked for.
const childrenOf = `SELECT ` + accountColumns + ` FROM @texts(?) AS named CROSS JOIN accounts a
	WHERE a.environment = ? AND a.parent = named.value ORDER BY a.id`

// each calls fn for every value.
func each[T account.Value](fn func(account.Entity) error, all []T) error {
	for _, v := range all {
		if err := fn(*account.Of(v)); err != nil {
			return err
		}
	}
	return nil
}

// eachPiece calls fn for every value of every piece; next returns the piece
// after a value, at first the zero one.
func eachPiece[T account.Value](fn func(account.Entity) error, next func(last T) ([]T, error)) error {
	var last T
	for {
		all, err := next(last)
		if err != nil {
			return err
		}
		if err := each(fn, all); err != nil {
			return err
		}
		if len(all) < piece {
			return nil
		}
		last = all[len(all)-1]
	}
}
