package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// MaxShownChanges is how many changes of an entry a page of the log holds; the
// others are counted, and read with LogEntry.
const MaxShownChanges = 100

// LogEntry is an entry as its reader may see it.
type LogEntry struct {
	account.Entry     // with the changes from the First on, as many as are shown
	First         int // how many changes come before those shown
	Total         int // how many changes the reader may see in all
}

// LogPage is a part of the log.
type LogPage struct {
	Entries []LogEntry
	More    bool            // there are entries after these
	Head    account.Version // of the journal, when the page was read
}

// Log returns a page of the log: what was changed in the environment (L1).
//
// Operators who may view the back office read all of it. Users and API tokens
// read the log of an account where they hold manage_users; with f.Branch, they
// need to hold it in the whole branch. They see only what concerns the account, or the
// branch: see logView. Rights are asked for with all in force that is recorded, so a page never
// holds what was written after the right to read it ended.
//
// A page of large entries may hold fewer than f.Limit.
//
// Faults: Denied, Invalid (see LogFilter.query).
func (d *Directory) Log(ctx context.Context, actor account.Actor, f LogFilter) (LogPage, error) {
	q, err := f.query(actor.IsMember())
	if err != nil {
		return LogPage{}, err
	}
	return read(ctx, d, actor, mayReadLog(actor, q), func(ctx context.Context, r Reader) (LogPage, error) {
		head, err := r.Head(ctx)
		if err != nil {
			return LogPage{}, err
		}
		page, err := logPage(ctx, r, actor.IsMember(), q)
		page.Head = head
		if !f.Whole {
			for i := range page.Entries {
				e := &page.Entries[i]
				e.Changes = slices.Clone(e.Changes[:min(len(e.Changes), MaxShownChanges)]) // lets go of the others
			}
		}
		return page, err
	})
}

// LogEntry returns one entry, with up to limit of its changes from the one at
// index first on. Of f only Account and Branch count, by which users and API tokens say in whose name
// they read. What they may not see does not exist for them.
//
// Faults: NotFound (entry_not_found), and those of Log.
func (d *Directory) LogEntry(ctx context.Context, actor account.Actor, version account.Version, f LogFilter, first, limit int) (LogEntry, error) {
	if limit == 0 {
		limit = MaxLimit
	}
	if _, err := CheckLimit(limit); err != nil {
		return LogEntry{}, err
	}
	if first < 0 {
		return LogEntry{}, fault.New(fault.Invalid, "invalid_request", "first_change is 0 or more").In("first_change")
	}
	q, err := LogFilter{Account: f.Account, Branch: f.Branch, Limit: 1}.query(actor.IsMember())
	if err != nil {
		return LogEntry{}, err
	}
	q.After, q.Before = version-1, version+1
	return read(ctx, d, actor, mayReadLog(actor, q), func(ctx context.Context, r Reader) (LogEntry, error) {
		missing := fault.New(fault.NotFound, "entry_not_found", "there is no entry %d in this log", version)
		if version < 1 {
			return LogEntry{}, missing
		}
		page, err := logPage(ctx, r, actor.IsMember(), q)
		if err != nil || len(page.Entries) == 0 {
			if err == nil {
				err = missing
			}
			return LogEntry{}, err
		}
		e := page.Entries[0]
		e.First = min(first, e.Total)
		e.Changes = e.Changes[e.First:min(e.First+limit, e.Total)]
		return e, nil
	})
}

// mayReadLog declares what reading a log needs.
func mayReadLog(actor account.Actor, q LogQuery) func(*plan) error {
	return func(p *plan) error {
		switch {
		case !actor.IsMember() || q.Account == "":
			p.environment("view_backoffice", "read the log of the environment")
		case q.Branch:
			// branch_manage_users does not know of blocked users, manage_users does
			p.account("manage_users", q.Account, "read the log of this account")
			p.account("branch_manage_users", q.Account, "read the log of this branch")
		default:
			p.account("manage_users", q.Account, "read the log of this account")
		}
		return nil
	}
}

// logPage reads a page, and leaves out what the reader may not see: neither the
// page nor More tell that there was something.
func logPage(ctx context.Context, r Reader, byMember bool, q LogQuery) (LogPage, error) {
	if !byMember {
		entries, more, err := r.Log(ctx, q)
		shown := make([]LogEntry, len(entries))
		for i, e := range entries {
			shown[i] = LogEntry{Entry: e, Total: len(e.Changes)}
		}
		return LogPage{Entries: shown, More: more}, err
	}
	shown, cut, more, err := nextShown(ctx, r, q)
	if err == nil && more && (cut || q.Subject.ID != "") { // what follows may all be left out
		next := q.beyond(shown[len(shown)-1].Version)
		next.Limit = max(q.Limit, DefaultLimit)
		var following []LogEntry
		following, _, _, err = nextShown(ctx, r, next)
		more = len(following) > 0
	}
	return LogPage{Entries: shown, More: more}, err
}

// nextShown reads on until there is something that the reader may see, or nothing
// more. cut reports whether something of the last piece was left out, more whether the journal goes on after it.
func nextShown(ctx context.Context, r Reader, q LogQuery) (shown []LogEntry, cut, more bool, err error) {
	for {
		entries, more, err := r.Log(ctx, q)
		if err != nil {
			return nil, false, false, err
		}
		view, err := newLogView(ctx, r, q, entries)
		if err != nil {
			return nil, false, false, err
		}
		shown := make([]LogEntry, 0, len(entries))
		for _, e := range entries {
			if e, ok := view.of(e); ok {
				shown = append(shown, e)
			}
		}
		if len(shown) > 0 || !more {
			return shown, len(shown) < len(entries), more, nil
		}
		q = q.beyond(entries[len(entries)-1].Version)
	}
}

// beyond is the query for what comes after an entry.
func (q LogQuery) beyond(last account.Version) LogQuery {
	if q.Newest {
		q.Before = last
	} else {
		q.After = last
	}
	return q
}

// WalkLog calls fn for each entry that f selects, with all changes, up to the end
// of the journal as it stands at the beginning, which it returns. It asks for the
// pages one by one, so rights are asked for again with each; f.Limit is of no account. It
// stops at fn's first error.
func WalkLog(f LogFilter, pages func(LogFilter) (LogPage, error), fn func(LogEntry) error) (account.Version, error) {
	f.Limit, f.Whole = MaxLimit, true
	var head account.Version
	for {
		page, err := pages(f)
		if err != nil {
			return 0, err
		}
		if head == 0 {
			head = page.Head
			if f.Before == 0 || f.Before > head {
				f.Before = head + 1
			}
		}
		for _, e := range page.Entries {
			if err := fn(e); err != nil {
				return 0, err
			}
		}
		if !page.More {
			return head, nil
		}
		last := page.Entries[len(page.Entries)-1].Version
		if f.Newest {
			f.Before = last
		} else {
			f.After = last
		}
	}
}

// Newest returns the version of the environment's newest entry.
func (d *Directory) Newest(ctx context.Context, env account.EnvironmentID) (account.Version, error) {
	return d.store.Head(ctx, env)
}
