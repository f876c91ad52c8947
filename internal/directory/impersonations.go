package directory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// The bounds of impersonation (E4).
const (
	MaxImpersonationMinutes = 60
	MaxReason               = 500 // characters
	MaxSessions             = 50  // of one operator at a time

	defaultImpersonationMinutes = 15
	reapedAtOnce                = 100
)

// NewImpersonation is an impersonation as an operator asks for one.
type NewImpersonation struct {
	User    account.UserID
	Reason  string
	Minutes *int // nil is 15, or the lifetime of the environment's tokens if that is shorter

	// By what the operator who asks is known. What is begun ends with it, and may be used for no more.
	Secret   account.SecretID // a client's
	Scopes   account.Scopes
	SignedIn account.SignedIn // a person's; that their token ends is not their right to impersonate that ends
}

// notWhileImpersonating refuses what would outlive the session in which it is asked for (E4).
func notWhileImpersonating(req Request) error {
	if req.Actor.Impersonation == "" {
		return nil
	}
	return fault.New(fault.Denied, "not_while_impersonating", "an operator who impersonates a user cannot do this: what came of it would outlive the session")
}

// BeginImpersonation begins a session in which the client that asks acts as a
// user, for a stated reason (E4); it needs impersonate. Sessions that have expired are tidied away.
//
// Faults: Invalid (missing_reason, invalid_reason, invalid_lifetime), NotFound
// (user_not_found), Denied (user_blocked, not_while_impersonating), Conflict (too_many_impersonations).
func (d *Directory) BeginImpersonation(ctx context.Context, req Request, in NewImpersonation) (Result[account.Impersonation], error) {
	var none Result[account.Impersonation]
	if err := notWhileImpersonating(req); err != nil {
		return none, err
	}
	if req.Actor.System {
		return none, fault.New(fault.Denied, "permission_denied", "users are impersonated by clients of the environment, who can be told apart")
	}
	if err := account.CheckID("user", in.User); err != nil {
		return none, err
	}
	reason, err := cleanReason(in.Reason)
	if err != nil {
		return none, err
	}
	id := account.ImpersonationID(account.NewID("imp"))
	req.IdempotencyKey = "" // the session's token is not kept to be shown again
	return write(ctx, d, req, "impersonation.begin", nil, func(ctx context.Context, r Reader, p *plan) (account.Impersonation, error) {
		p.kind = account.ImpersonationBegun
		p.environment("impersonate", "impersonate users")
		i := account.Impersonation{
			ID: id, User: in.User, Operator: p.actor.Client, Person: p.actor.Person, Reason: reason, CreatedAt: p.now,
			Secret: in.Secret, Scopes: in.Scopes, Issuer: in.SignedIn.Issuer, Subject: in.SignedIn.Subject, Audience: in.SignedIn.Audience,
		}
		lifetime, err := lifetimeOf(ctx, r, in.Minutes)
		if err != nil {
			return i, err
		}
		i.ExpiresAt = p.now.Truncate(time.Second).Add(lifetime) // tokens tell time in seconds
		user, err := r.User(ctx, in.User)
		if err != nil {
			return i, err
		}
		if user.Value.Blocked {
			return i, fault.New(fault.Denied, "user_blocked", "user %s is blocked", in.User)
		}
		p.change(nil, account.Of(i))
		return i, tidySessions(ctx, r, p, i)
	})
}

// lifetimeOf is how long a session may go on: what was asked for, within the bounds.
func lifetimeOf(ctx context.Context, r Reader, minutes *int) (time.Duration, error) {
	env, err := r.Environment(ctx)
	if err != nil {
		return 0, err
	}
	longest := min(MaxImpersonationMinutes, env.Value.TokenMinutes)
	if minutes == nil {
		return time.Duration(min(defaultImpersonationMinutes, longest)) * time.Minute, nil
	}
	return time.Duration(*minutes) * time.Minute, account.CheckLifetime("minutes", *minutes, longest)
}

// tidySessions plans the end of sessions that have expired, of a bounded number
// at once, and refuses a new one to who has too many that have not.
func tidySessions(ctx context.Context, r Reader, p *plan, fresh account.Impersonation) error {
	sessions, err := r.Impersonations(ctx)
	if err != nil {
		return err
	}
	running, reaped := 0, 0
	for _, s := range sessions {
		switch {
		case s.Value.ExpiresAt.After(p.now):
			if s.Value.Operator == fresh.Operator {
				running++
			}
		case s.Value.ID != fresh.ID && reaped < reapedAtOnce:
			reaped++
			p.change(account.Of(s.Value), nil)
		}
	}
	if p.kind == account.ImpersonationBegun && running >= MaxSessions {
		return fault.New(fault.Conflict, "too_many_impersonations", "%s has begun %d impersonations that go on; end some first", p.actor.Name(), running)
	}
	return nil
}

// endSessions plans the end of the sessions that match: what they were begun for, or by whom, is no more.
func endSessions(ctx context.Context, r Reader, p *plan, match func(account.Impersonation) bool) error {
	sessions, err := r.Impersonations(ctx)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if match(s.Value) {
			p.change(account.Of(s.Value), nil)
		}
	}
	return nil
}

// EndImpersonation ends a session: its token opens nothing from then on. The
// operator who began it may do it, also with the session's own token; others need edit_backoffice.
//
// Faults: NotFound (impersonation_not_found), Denied.
func (d *Directory) EndImpersonation(ctx context.Context, req Request, id account.ImpersonationID) (Result[account.Impersonation], error) {
	if err := account.CheckID("impersonation", id); err != nil {
		return Result[account.Impersonation]{}, err
	}
	return write(ctx, d, req, "impersonation.end "+string(id), nil, func(ctx context.Context, r Reader, p *plan) (account.Impersonation, error) {
		p.kind = account.ImpersonationEnded
		found, err := r.Impersonation(ctx, id)
		switch {
		case err != nil || !isOwn(p.actor, found.Value):
			p.environment("edit_backoffice", "end the impersonations of others")
		case p.actor.Account != "": // with a token for one account that stands on the session
			p.account("access", p.actor.Account, "end the impersonation")
		}
		if err != nil {
			return account.Impersonation{}, err
		}
		p.change(account.Of(found.Value), nil)
		return found.Value, tidySessions(ctx, r, p, found.Value)
	})
}

// isOwn reports whether the session is the caller's. A client that acts for a user is not meant by itself.
func isOwn(a account.Actor, i account.Impersonation) bool {
	return a.Impersonation == i.ID || !a.IsMember() && a.Client == i.Operator
}

// ListImpersonations returns a page of the sessions that go on, by id; it needs view_backoffice.
func (d *Directory) ListImpersonations(ctx context.Context, actor account.Actor, after account.ImpersonationID, limit int) (Page[account.Impersonation], error) {
	limit, err := CheckLimit(limit)
	if err != nil {
		return Page[account.Impersonation]{}, err
	}
	now := d.cfg.Now()
	return read(ctx, d, actor, inEnvironment("view_backoffice", "list impersonations"), func(ctx context.Context, r Reader) (Page[account.Impersonation], error) {
		sessions, err := r.Impersonations(ctx)
		if err != nil {
			return Page[account.Impersonation]{}, err
		}
		sessions = slices.DeleteFunc(sessions, func(s account.Versioned[account.Impersonation]) bool { return !s.Value.ExpiresAt.After(now) })
		start, found := slices.BinarySearchFunc(sessions, after, func(s account.Versioned[account.Impersonation], id account.ImpersonationID) int {
			return cmp.Compare(s.Value.ID, id)
		})
		if found {
			start++
		}
		end := min(start+limit, len(sessions))
		return Page[account.Impersonation]{Items: sessions[start:end], Total: len(sessions), More: end < len(sessions)}, nil
	})
}

func cleanReason(reason string) (string, error) {
	trimmed := strings.TrimSpace(reason)
	if trimmed == "" {
		return "", fault.New(fault.Invalid, "missing_reason", "say why the user is impersonated: it is shown in the log").In("reason")
	}
	if !utf8.ValidString(trimmed) || strings.ContainsFunc(trimmed, unicode.IsControl) || utf8.RuneCountInString(trimmed) > MaxReason {
		return "", fault.New(fault.Invalid, "invalid_reason", "reason is at most %d characters in UTF-8, without control characters", MaxReason).In("reason")
	}
	return trimmed, nil
}
