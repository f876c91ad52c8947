package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// streamBytes is about how much of the journal a stream reads at once, and holds while a slow reader takes it.
const streamBytes = 256 << 10

type streamInput struct {
	Caller
	LogConditions
	After string `query:"after" doc:"Begin with the entry after this version; 0 for all there is. Absent: with what comes from now on."`
	StreamQuery
}

func (s *server) registerStream() {
	describeEvents(register(s, huma.Operation{
		OperationID: "streamJournal", Method: http.MethodGet, Path: streamPath, Tags: []string{tagJournal},
		Summary: "Follow the log: server-sent events",
		Description: aboutTheLog + " The event open says from where it goes on; each event entry has an entry as readJournal shows it, and its version as the id; " +
			"the event end says why the stream ends. Come again with the last id, and nothing is lost or comes twice.",
	}, s.stream))
}

// stream checks the request and answers with the stream.
func (s *server) stream(ctx context.Context, req directory.Request, in *streamInput) (*huma.StreamResponse, error) {
	head, err := s.directory.Newest(ctx, req.Actor.Environment)
	if err != nil {
		return nil, err
	}
	after, said, err := in.beginning(in.After, head)
	if err != nil {
		return nil, err
	}
	if !said {
		after = head
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	f := in.filter()
	f.After, f.Limit, f.MaxBytes = after, directory.DefaultLimit, streamBytes
	first, release, err := s.firstPage(ctx, s.streams, req.Actor, f)
	if err != nil {
		return nil, err
	}
	return s.sendEvents(in.Limit, release, func(e *events) error {
		l := listener{events: e, actor: req.Actor, filter: f}
		return l.listen(first)
	}), nil
}

// listener is one reader of the log.
type listener struct {
	*events
	actor  account.Actor
	filter directory.LogFilter
}

// listen sends entries until there is a reason to end.
func (l *listener) listen(page directory.LogPage) error {
	err := l.send("open", l.filter.After, map[string]account.Version{"after": l.filter.After})
	for err == nil {
		if err = l.entries(page); err != nil {
			break
		}
		if !page.More {
			l.filter.After = page.Head // up to there nothing else is selected
			err = l.wait(nil, func() bool { return l.moved(page.Head) })
		}
		if err == nil {
			page, err = l.server.logPage(l.r, l.actor, l.filter)
		}
	}
	return err
}

// entries sends a page.
func (l *listener) entries(page directory.LogPage) error {
	for _, e := range page.Entries {
		if err := l.over(); err != nil {
			return err
		}
		if err := l.counted("entry", e.Version, LogEntryOf(e)); err != nil {
			return err
		}
		l.filter.After = e.Version
	}
	return nil
}

// moved reports whether the journal has gone beyond a version. If that cannot be
// seen now, the next page will tell why.
func (l *listener) moved(head account.Version) bool {
	ctx, cancel := context.WithTimeout(l.r.Context(), l.server.cfg.Timeout)
	defer cancel()
	now, err := l.server.directory.Newest(ctx, l.actor.Environment)
	return err != nil || now > head
}
