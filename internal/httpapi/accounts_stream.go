package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

type accountsStreamInput struct {
	Caller
	After string `query:"after" doc:"The version of the list that the caller has: if anything may have changed since, the first event is reload. Absent: what is there now is known."`
	StreamQuery
}

// ListMoment says as of which version an event tells of a list.
type ListMoment struct {
	Version          account.Version          `json:"version"`
	ConsistencyToken account.ConsistencyToken `json:"consistency_token" doc:"To be sent as Consistency-Token, so that a list has what the event tells of."`
	AnsweredBy       access.Teller            `json:"answered_by" enum:"index,engine"`
}

// ListChanges is the data of the event changed.
type ListChanges struct {
	Gained  []ReachableAccount `json:"gained" nullable:"false"`
	Lost    []account.ID       `json:"lost" nullable:"false"`
	Renamed []ReachableAccount `json:"renamed" nullable:"false"`
	Moved   []ReachableAccount `json:"moved" nullable:"false"`
	ListMoment
}

func (s *server) registerAccountsStream() {
	describeEvents(register(s, huma.Operation{
		OperationID: "streamMyAccounts", Method: http.MethodGet, Path: accountsStreamPath, Tags: []string{tagAccess},
		Summary: "Follow the accounts that the caller may open: server-sent events",
		Description: "For who may ask for listMyAccounts; the list is that without filters. Load it when the event open has come, with its consistency_token. " +
			"Each event changed names accounts that were gained, lost, renamed and moved (to another parent; those below follow), as listMyAccounts shows them, or by their ids if they were lost. " +
			"The event reload says that the list may have changed and has to be loaded anew; the event end says why the stream ends. The id of an event is the version of the list. " +
			"What changes while nobody listens is not kept: who comes again with the last id gets reload first, unless nothing was written meanwhile.",
	}, s.streamAccounts))
}

// streamAccounts checks the request and answers with the stream.
func (s *server) streamAccounts(ctx context.Context, req directory.Request, in *accountsStreamInput) (*huma.StreamResponse, error) {
	me, err := oneself(req)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	head, err := s.directory.Newest(ctx, req.Actor.Environment)
	if err != nil {
		return nil, err
	}
	after, again, err := in.beginning(in.After, head)
	if err != nil {
		return nil, err
	}
	release, err := s.lists.take(req.Actor, infoFrom(ctx).share)
	if err != nil {
		return nil, err
	}
	begun := false
	defer func() {
		if !begun { // refused, or a panic
			release()
		}
	}()
	watch, err := s.access.WatchAccounts(ctx, req.Actor, me, max(req.AtLeast, after))
	if err != nil {
		return nil, err
	}
	begun = true
	return s.sendEvents(in.Limit, release, func(e *events) error {
		l := listListener{events: e, actor: req.Actor, watch: watch, checked: time.Now()}
		if again {
			l.first = watch.Since(after)
		}
		return l.listen()
	}), nil
}

// listListener is one who follows a list of accounts.
type listListener struct {
	*events
	actor   account.Actor
	watch   *access.ListWatch
	first   access.ListNews // for who comes again
	checked time.Time       // when it was asked last whether the reader may read
}

// breath is the time between two looks at a list, however much is written: what is written in it is told together.
const breath = 50 * time.Millisecond

// listen sends what changes until there is a reason to end.
func (l *listListener) listen() error {
	version, by := l.watch.At()
	if err := l.send("open", version, l.moment(version, by)); err != nil {
		return err
	}
	if err := l.tell(l.first); err != nil {
		return err
	}
	for {
		if err := l.wait(l.watch.Next(), l.watch.Due); err != nil {
			return err
		}
		if err := l.look(); err != nil {
			return err
		}
		if err := l.breathe(); err != nil {
			return err
		}
	}
}

// look tells what has changed, if the reader still may know.
func (l *listListener) look() error {
	ctx, cancel := context.WithTimeout(l.r.Context(), l.server.cfg.Timeout)
	defer cancel()
	news, err := l.watch.Look(ctx)
	if err != nil {
		return err
	}
	if news.None() && !news.Gone && time.Since(l.checked) < l.server.cfg.Streams.Recheck {
		return nil
	}
	if err := l.server.still(ctx, l.r, l.actor, account.ScopeCheck); err != nil {
		return l.leave(ctx, news, err)
	}
	l.checked = time.Now()
	return l.tell(news)
}

// leave ends a stream whose reader may not read it any more. Who is blocked or deleted is told first that nothing is
// left, or without the index that the list may be another one: of what was gained meanwhile nobody is told.
func (l *listListener) leave(ctx context.Context, news access.ListNews, why error) error {
	if !news.Gone && news.By == access.ByIndex { // that they are gone was known before the index had it
		if later, err := l.watch.Look(ctx); err == nil {
			news = later
		}
	}
	if news.By == access.ByEngine {
		news.Reload = true
	}
	if news.Gone || news.Reload {
		if err := l.tell(news); err != nil {
			return err
		}
	}
	return why
}

// tell sends news, if there are any.
func (l *listListener) tell(news access.ListNews) error {
	now := l.moment(news.Version, news.By)
	switch {
	case news.Reload:
		return l.counted("reload", news.Version, now)
	case news.None():
		return nil
	default:
		c := news.Changes
		return l.counted("changed", news.Version, ListChanges{
			Gained: each(c.Gained, reachableOf), Lost: each(c.Lost, func(id account.ID) account.ID { return id }),
			Renamed: each(c.Renamed, reachableOf), Moved: each(c.Moved, reachableOf), ListMoment: now,
		})
	}
}

func (l *listListener) moment(version account.Version, by access.Teller) ListMoment {
	return ListMoment{version, account.TokenAt(l.actor.Environment, version), by}
}

// breathe waits a little.
func (l *listListener) breathe() error {
	timer := time.NewTimer(breath)
	defer timer.Stop()
	select {
	case <-l.r.Context().Done():
		return l.r.Context().Err()
	case <-l.server.stopping:
		return errStopped
	case <-l.aged:
		return errAged
	case <-timer.C:
		return nil
	}
}
