package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
)

// logView is what the people of an account, or of a branch, may see of entries:
// the changes there, and of users those whose membership there is in the same entry.
// What else an entry changed is left out and not counted. Of operators they learn that it
// was one, and no address.
type logView struct {
	spans   map[account.ID][]LogSpan
	subject account.Ref
}

// newLogView reads which of the accounts that the entries name the log is about.
func newLogView(ctx context.Context, r Reader, q LogQuery, entries []account.Entry) (logView, error) {
	var named []account.ID
	for _, e := range entries {
		for _, c := range e.Changes {
			if id := c.Place(); id != "" {
				named = append(named, id)
			}
		}
	}
	v := logView{spans: map[account.ID][]LogSpan{}, subject: q.Subject}
	if len(named) == 0 {
		return v, nil
	}
	spans, err := r.LogSpans(ctx, q, account.Set(named))
	for _, s := range spans {
		v.spans[s.Account] = append(v.spans[s.Account], s)
	}
	return v, err
}

// of returns the entry as it may be seen, and whether there is anything to see.
// What was asked for (a subject) has to be in what is seen: otherwise asking would
// tell what is left out.
func (v logView) of(e account.Entry) (LogEntry, bool) {
	here := func(c account.Change) bool {
		return slices.ContainsFunc(v.spans[c.Place()], func(s LogSpan) bool { return s.From <= e.Version && e.Version <= s.To })
	}
	members := map[account.UserID]bool{}
	for _, c := range e.Changes {
		if m := membershipIn(c); m != nil && here(c) {
			members[m.User] = true
		}
	}
	var changes []account.Change
	for _, c := range e.Changes {
		if here(c) || members[userIn(c)] {
			changes = append(changes, account.Change{Before: masked(c.Before), After: masked(c.After)})
		}
	}
	if e.Actor.IsOperator() {
		e.From, e.RequestID = "", ""
	}
	e.ID, e.Actor, e.Changes = "", e.Actor.Masked(), changes
	if len(changes) == 0 || v.subject.ID != "" && !slices.Contains(e.Concerns(), v.subject) {
		return LogEntry{}, false
	}
	return LogEntry{Entry: e, Total: len(changes)}, true
}

// membershipIn is the membership that a change is of, nil if it is of something else.
func membershipIn(c account.Change) *account.Membership {
	if c.After != nil {
		return c.After.Membership
	}
	return c.Before.Membership
}

// userIn is the user that a change is of, "" if it is of something else.
func userIn(c account.Change) account.UserID {
	e := c.After
	if e == nil {
		e = c.Before
	}
	if e.User == nil {
		return ""
	}
	return e.User.ID
}

// masked is the entity without the names of operators in it.
func masked(e *account.Entity) *account.Entity {
	switch {
	case e == nil:
		return nil
	case e.APIToken != nil:
		t := *e.APIToken
		t.CreatedBy = t.CreatedBy.Masked()
		return account.Of(t)
	case e.Invitation != nil:
		i := *e.Invitation
		i.InvitedBy = i.InvitedBy.Masked()
		return account.Of(i)
	default:
		return e
	}
}
