package directory

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Vouched is what an OpenID provider says of who sends one of its tokens. The token has been verified.
type Vouched struct {
	Issuer    account.Issuer
	Subject   string // who it is, at the provider; sub
	Audience  string // for whom the token is, of those that the issuer's tokens are taken for; aud
	Email     string // "" unless the provider says that it is verified
	Name      string // "" if the provider does not say
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Origin is where a request comes from, for the entries that are written before it is known by whom it is.
type Origin struct {
	RequestID string
	From      string // the address
}

type originKey struct{}

// WithOrigin returns a context that tells SignIn where the request comes from.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// SignIn returns who a subject of an OpenID provider is in an environment: a user,
// or of a provider for operators an operator (E4). A subject who is linked to nobody
// is linked, once, to whom the verified address belongs, if the issuer says so and
// nobody else has been linked there before: an address alone never moves a link.
//
// Faults: Unauthenticated (identity_unknown), the same whatever stands in the way;
// Denied (user_blocked) for the user's own subject (U5), (ip_not_allowed) before
// anybody is linked from where the environment lets no request come (E3); Unavailable.
func (d *Directory) SignIn(ctx context.Context, env account.EnvironmentID, v Vouched) (account.Actor, error) {
	if account.CheckSubject("sub", v.Subject) != nil {
		return account.Actor{}, identityUnknown("the subject is not one that can be kept")
	}
	var actor account.Actor
	var err error
	switch v.Issuer.Purpose {
	case account.ForUsers:
		var user account.User
		user, err = signIn(ctx, d, env, v, account.IdentityLinked, userFor, linkUser)
		actor = account.Actor{Environment: env, User: user.ID}
	case account.ForOperators:
		var operator account.Operator
		operator, err = signIn(ctx, d, env, v, account.OperatorLinked, operatorFor, linkOperator)
		actor = account.Actor{Environment: env, Client: operator.ID, Person: true}
	default:
		err = identityUnknown("the issuer is neither for users nor for operators")
	}
	if err != nil {
		return account.Actor{}, err
	}
	return actor, nil
}

// identityUnknown is said of every subject who is nobody here: why is not told, nor
// whether there is somebody with the address; the log has it, for debugging.
func identityUnknown(why string) *fault.Error {
	return fault.New(fault.Unauthenticated, "identity_unknown",
		"the token is good, and its subject is linked to nobody in this environment; accept an invitation with it, or ask an operator").Because(errors.New(why))
}

// signIn returns who a subject is. find looks for them; what it finds by the address
// alone is not linked yet, and link plans that. Only linking writes, so that a
// request costs no more than reading a row or two.
func signIn[T any](
	ctx context.Context, d *Directory, env account.EnvironmentID, v Vouched, kind account.Kind,
	find func(context.Context, Reader, Vouched) (who T, linked bool, err error), link func(*plan, Vouched, T) T,
) (T, error) {
	var who T
	linked := false
	origin, _ := ctx.Value(originKey{}).(Origin)
	whoever := account.Actor{Environment: env, From: origin.From}
	err := d.store.Read(ctx, env, func(r Reader) (err error) {
		if who, linked, err = find(ctx, r, v); linked {
			return err
		}
		// the same from elsewhere whether there is somebody to link or not
		if barred := admitIn(ctx, r, whoever); barred != nil {
			return barred
		}
		return err
	})
	if err != nil || linked {
		return who, err
	}
	req := Request{Actor: account.Actor{Environment: env}, ID: origin.RequestID, From: origin.From}
	result, err := write(ctx, d, req, string(kind), nil, func(ctx context.Context, r Reader, p *plan) (T, error) {
		p.kind = kind
		who, linked, err := find(ctx, r, v) // another request of the subject may have been first
		if err != nil || linked {
			return who, err
		}
		return link(p, v, who), admitIn(ctx, r, whoever)
	})
	return result.Value, err
}

// userFor finds the user whose subject it is, or the one who is to be linked by the address.
func userFor(ctx context.Context, r Reader, v Vouched) (_ account.User, linked bool, _ error) {
	known, err := r.IdentityAt(ctx, v.Issuer.URL, v.Subject)
	if errors.Is(err, fault.NotFound) {
		user, err := userByAddress(ctx, r, v)
		return user, false, err
	}
	if err != nil {
		return account.User{}, false, err
	}
	user, err := r.User(ctx, known.Value.User)
	if err == nil && user.Value.Blocked {
		err = fault.New(fault.Denied, "user_blocked", "user %s is blocked", user.Value.ID)
	}
	return user.Value, true, err
}

// userByAddress returns the user who may be linked to a subject by the verified
// address: one who is not blocked, is linked to nobody else, and never had a link
// taken away. The same is read whoever there is. Unauthenticated (identity_unknown).
func userByAddress(ctx context.Context, r Reader, v Vouched) (account.User, error) {
	email, ok, err := vouchedEmail(ctx, r, v)
	if err != nil {
		return account.User{}, err
	}
	found, err := r.UserByEmail(ctx, email)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return account.User{}, err
	}
	unlinked, failed := r.IsUnlinked(ctx, v.Issuer.URL, v.Subject, found.Value.ID)
	if failed != nil {
		return account.User{}, failed
	}
	others, failed := r.IdentitiesOf(ctx, found.Value.ID)
	if failed != nil {
		return account.User{}, failed
	}
	switch {
	case !ok:
		return account.User{}, identityUnknown(notVouched)
	case err != nil:
		return account.User{}, identityUnknown("no user has the address")
	case unlinked:
		return account.User{}, identityUnknown("an operator took a link of the subject, or of the user with the address, away; link them")
	case found.Value.Blocked:
		return account.User{}, identityUnknown("the user with the address is blocked")
	case len(others) > 0:
		return account.User{}, identityUnknown("the user with the address has signed in as somebody else")
	default:
		return found.Value, nil
	}
}

const notVouched = "the subject is not linked, and the token has no address that the issuer links by: one that the provider calls verified (email_verified), of its email_domains, with link_by_email on"

// vouchedEmail returns the address that the provider's word is taken for, by what
// the environment says of the provider now; the token may be older than that.
func vouchedEmail(ctx context.Context, r Reader, v Vouched) (string, bool, error) {
	now, err := r.IssuerAt(ctx, v.Issuer.URL)
	if errors.Is(err, fault.NotFound) {
		return "", false, nil
	}
	email, ok := now.Value.VouchesFor(v.Email)
	return email, ok && now.Value.Purpose == v.Issuer.Purpose, err
}

// linkUser plans that a subject is the user from now on.
func linkUser(p *plan, v Vouched, user account.User) account.User {
	p.actor.User = user.ID
	p.link(v.Issuer.URL, v.Subject, user.ID)
	return user
}

// link plans an identity.
func (p *plan) link(issuer, subject string, user account.UserID) account.Identity {
	i := account.Identity{ID: account.IdentityID(account.NewID("idn")), Issuer: issuer, Subject: subject, User: user, CreatedAt: p.now}
	p.change(nil, account.Of(i))
	p.beside = append(p.beside, func(ctx context.Context, tx Tx) error { return tx.SetLinked(ctx, issuer, subject) })
	return i
}

// operatorFor finds the operator whose subject it is, or the one who is to be linked by the address.
func operatorFor(ctx context.Context, r Reader, v Vouched) (_ account.Operator, linked bool, _ error) {
	known, err := r.OperatorAt(ctx, v.Issuer.URL, v.Subject)
	if !errors.Is(err, fault.NotFound) {
		return known.Value, true, err
	}
	email, ok, err := vouchedEmail(ctx, r, v)
	if err != nil {
		return account.Operator{}, false, err
	}
	found, err := r.OperatorByEmail(ctx, email)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return account.Operator{}, false, err
	}
	switch {
	case !ok:
		return account.Operator{}, false, identityUnknown(notVouched)
	case err != nil:
		return account.Operator{}, false, identityUnknown("no operator has the address")
	case found.Value.Issuer != "":
		return account.Operator{}, false, identityUnknown("the operator with the address has signed in as somebody else")
	default:
		return found.Value, false, nil
	}
}

// linkOperator plans that a subject is the operator from now on.
func linkOperator(p *plan, v Vouched, operator account.Operator) account.Operator {
	before := operator
	operator.Issuer, operator.Subject = v.Issuer.URL, v.Subject
	p.actor.Client, p.actor.Person = operator.ID, true
	p.change(account.Of(before), account.Of(operator))
	return operator
}
