package access

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/switcher"
)

// ListNews is what is new in the list of the accounts that a user, or an API token, may open.
type ListNews struct {
	Changes switcher.Changes // never more than are named: then Reload is set
	Reload  bool             // the list may be another one, and it cannot be said how: it has to be loaded anew
	Gone    bool             // whose list it is was blocked, or is no more: nothing is left in it
	Version account.Version  // as of which this is so
	By      Teller
}

// None reports whether there is nothing to tell.
func (n *ListNews) None() bool { return !n.Reload && n.Changes.Empty() }

const (
	// mostNews is how many accounts are named at once. Of more, a reader's list is loaded faster than mended.
	mostNews = 100
	// reloadEvery is how often a reader is asked to load the list anew at most. Without the index
	// every entry of the journal would be a reason, whomever it is about. When the index goes away, the readers'
	// first reloads are spread over as long.
	reloadEvery = 10 * time.Second
	// lookEvery is the time between two looks at the journal without the index.
	lookEvery = time.Second
)

// ListWatch watches one list. It is for one goroutine.
type ListWatch struct {
	service *Service
	env     account.EnvironmentID
	whose   Subject

	version account.Version // that was told of last
	view    *switcher.View  // of that version; nil while the index does not answer
	next    <-chan struct{} // closed when the index has another version
	ends    time.Time       // when the next of the memberships ends (U6); zero if none does
	ended   bool            // some of them are over
	pending bool            // a reload is wanted, and not yet due
	told    time.Time       // when a reload was told of last
	looked  time.Time       // when it was last looked without the index
}

// WatchAccounts begins to watch the list of accounts that a user, or an API token, may open (W1), at a version or a newer
// one. Users and API tokens may watch their own, but for who has a token for one account.
//
// Faults: NotFound (user_not_found, api_token_not_found), Denied (permission_denied, outside_account), Unavailable.
func (s *Service) WatchAccounts(ctx context.Context, actor account.Actor, whose Subject, atLeast account.Version) (*ListWatch, error) {
	if err := within(actor, relation.EnvironmentObject(actor.Environment)); err != nil {
		return nil, err
	}
	if !actor.IsMember() || !whose.is(actor) {
		return nil, fault.New(fault.Denied, "permission_denied", "%s may not watch the accounts of %s", actor.Name(), whose.name())
	}
	w := &ListWatch{service: s, env: actor.Environment, whose: whose}
	w.expectNext()
	now, err := s.at(ctx, w.env, atLeast)
	if err != nil {
		return nil, err
	}
	return w, w.begin(ctx, now)
}

// begin takes a moment for what the reader knows of.
func (w *ListWatch) begin(ctx context.Context, now *moment) error {
	if now.view == nil {
		return w.knowVersion(ctx, now.version)
	}
	if !now.view.Knows(w.whose.remembered()) {
		return w.whose.missing()
	}
	w.knowView(now.view)
	return nil
}

// knowView takes a view for what the reader knows of.
func (w *ListWatch) knowView(view *switcher.View) {
	w.view, w.version = view, view.Version()
	who := w.whose.remembered()
	w.ends, _ = view.NextExpiry(who)
	w.ended = view.Ended(who)
}

// knowVersion takes a version for what the reader knows of, without the index. NotFound faults of who is no more.
func (w *ListWatch) knowVersion(ctx context.Context, version account.Version) error {
	w.view, w.version = nil, version
	now := w.service.cfg.Now()
	var held []account.Membership
	err := w.service.names.Read(ctx, w.env, func(r directory.Reader) (err error) {
		held, err = w.whose.memberships(ctx, r)
		return err
	})
	w.ends, w.ended = time.Time{}, false
	for _, m := range held {
		switch {
		case m.ExpiresAt == nil:
		case m.Expired(now):
			w.ended = true
		case w.ends.IsZero() || m.ExpiresAt.Before(w.ends):
			w.ends = *m.ExpiresAt
		}
	}
	return err
}

func (w *ListWatch) expectNext() {
	if w.service.cfg.Index != nil {
		w.next = w.service.cfg.Index.Next(w.env)
	}
}

// At is the version as of which the reader knows the list, and who says so.
func (w *ListWatch) At() (account.Version, Teller) {
	if w.view != nil {
		return w.version, ByIndex
	}
	return w.version, ByEngine
}

// Since is the news for a reader who knows the list as of a version that was told of before: what was between is
// not kept, so the list has to be loaded anew, unless nothing can have been: no entry, and no end of a membership.
func (w *ListWatch) Since(version account.Version) ListNews {
	news := w.nothing()
	if news.Reload = version != w.version || w.ended; news.Reload {
		w.told = time.Now()
	}
	return news
}

// Next returns a channel that is closed when it may be worth looking; it may never be. An index that goes on and
// does not answer is no reason to look.
func (w *ListWatch) Next() <-chan struct{} {
	if w.view == nil {
		return nil
	}
	return w.next
}

// Due reports whether it may be worth looking although Next is not closed.
func (w *ListWatch) Due() bool {
	switch {
	case w.pending:
		return w.mayReload()
	case w.over():
		return true
	default:
		return w.view == nil && time.Since(w.looked) >= lookEvery // the journal may have moved
	}
}

// over reports whether a membership has ended since the last look (U6).
func (w *ListWatch) over() bool { return !w.ends.IsZero() && !w.service.cfg.Now().Before(w.ends) }

func (w *ListWatch) mayReload() bool { return w.told.IsZero() || time.Since(w.told) >= reloadEvery }

func (w *ListWatch) nothing() ListNews {
	version, by := w.At()
	return ListNews{Version: version, By: by}
}

// reload is the news that the list has to be loaded anew.
func (w *ListWatch) reload() ListNews {
	w.pending, w.told = false, time.Now()
	news := w.nothing()
	news.Reload = true
	return news
}

// Look returns what has changed since the last look, or since the watch began. What makes a reload necessary
// is told as soon as one is due again. Unavailable faults if that cannot be found out.
func (w *ListWatch) Look(ctx context.Context) (ListNews, error) {
	if w.view != nil {
		w.expectNext() // before the view: so that none is missed
		view, err := w.service.cfg.Index.View(ctx, w.env, 0)
		switch {
		case ctx.Err() != nil:
			return ListNews{}, fault.New(fault.Unavailable, "index_behind", "there was no time to look what changed").Because(ctx.Err())
		case err == nil && view.Version() >= w.version:
			return w.compare(view), nil
		}
		// The index does not answer, or the journal is another one. All who listen here are told, each at another time.
		soonest := time.Now().Add(-rand.N(reloadEvery)) //nolint:gosec // nobody gains by guessing it
		if w.view, w.pending = nil, true; w.told.Before(soonest) {
			w.told = soonest
		}
	}
	return w.lookWithout(ctx)
}

// compare tells what differs in a newer view.
func (w *ListWatch) compare(view *switcher.View) ListNews {
	who := w.whose.remembered()
	changes := view.Changes(w.view, who, mostNews)
	gone := !view.Knows(who) || view.Blocked(who)
	if w.pending = changes.More && !gone && !w.mayReload(); w.pending {
		return w.nothing()
	}
	w.knowView(view)
	news := w.nothing()
	if changes.More {
		changes, news = switcher.Changes{}, w.reload()
	}
	news.Changes, news.Gone = changes, gone
	return news
}

// lookWithout looks whether the journal has moved while the index did not answer, and whether it does again.
func (w *ListWatch) lookWithout(ctx context.Context) (ListNews, error) {
	defer func() { w.looked = time.Now() }()
	if w.pending && !w.mayReload() {
		return w.nothing(), nil
	}
	var head account.Version
	err := w.service.names.Read(ctx, w.env, func(r directory.Reader) (err error) {
		head, err = r.Head(ctx)
		return err
	})
	if err != nil {
		return ListNews{}, err
	}
	w.expectNext()
	if w.pending = w.pending || head != w.version || w.over(); !w.pending {
		w.tryIndex(ctx, head)
		return w.nothing(), nil
	}
	if !w.mayReload() { // it has become a reason just now
		return w.nothing(), nil
	}
	now, err := w.service.from(ctx, w.env, head)
	if err != nil {
		return ListNews{}, err
	}
	switch err = w.begin(ctx, now); {
	case errors.Is(err, fault.NotFound):
		news := w.reload()
		news.Gone = true
		return news, nil
	case err != nil:
		return ListNews{}, err
	}
	return w.reload(), nil
}

// tryIndex goes on with the index, if it answers again, at the version that the reader knows.
func (w *ListWatch) tryIndex(ctx context.Context, head account.Version) {
	now := &moment{service: w.service, env: w.env, version: head}
	w.service.remember(ctx, now)
	if now.view == nil || now.version != head {
		return
	}
	if w.pending = w.over(); !w.pending { // also not just now
		w.knowView(now.view)
	}
}
