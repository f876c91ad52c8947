package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

const eventStream = "text/event-stream"

// streamBytes is about how much of the journal a stream reads at once, and holds while a slow reader takes it.
const streamBytes = 256 << 10

type streamInput struct {
	Caller
	LogConditions
	After       string `query:"after" doc:"Begin with the entry after this version; 0 for all there is. Absent: with what comes from now on."`
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that was received, as browsers send it when they come again; it goes before after."`
	Limit       int    `query:"limit" doc:"End after this many entries; absent for no bound."`
}

func (s *server) registerStream() {
	answers := register(s, huma.Operation{
		OperationID: "streamJournal", Method: http.MethodGet, Path: streamPath, Tags: []string{tagJournal},
		Summary: "Follow the log: server-sent events",
		Description: aboutTheLog + " The event open says from where it goes on; each event entry has an entry as readJournal shows it, and its version as the id; " +
			"the event end says why the stream ends. Come again with the last id, and nothing is lost or comes twice.",
	}, s.stream)
	answers["200"].Content = map[string]*huma.MediaType{eventStream: {Schema: &huma.Schema{Type: huma.TypeString}}}
}

// stream checks the request and answers with the stream.
func (s *server) stream(ctx context.Context, req directory.Request, in *streamInput) (*huma.StreamResponse, error) {
	after, err := s.beginning(ctx, req, in)
	if err != nil {
		return nil, err
	}
	if in.Limit < 0 {
		return nil, fault.New(fault.Invalid, "invalid_limit", "limit is 1 or more").In("limit")
	}
	f := in.filter()
	f.After, f.Limit, f.MaxBytes = after, directory.DefaultLimit, streamBytes
	first, release, err := s.firstPage(ctx, s.streams, req.Actor, f)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer release()
		r, w := humachi.Unwrap(ctx)
		l := listener{server: s, r: r, out: s.patient(w), actor: req.Actor, filter: f, left: in.Limit, bounded: in.Limit > 0}
		w.Header().Set("Content-Type", eventStream)
		w.Header().Set("X-Accel-Buffering", "no") // for proxies that would wait for the end
		l.listen(first)
	}}, nil
}

// beginning is the version after which a stream begins.
func (s *server) beginning(ctx context.Context, req directory.Request, in *streamInput) (account.Version, error) {
	head, err := s.directory.Newest(ctx, req.Actor.Environment)
	if err != nil {
		return 0, err
	}
	field, text := "Last-Event-ID", in.LastEventID
	if text == "" {
		field, text = "after", in.After
	}
	if text == "" {
		return head, nil
	}
	version, err := strconv.ParseInt(text, 10, 64)
	if err != nil || version < 0 || account.Version(version) > head {
		return 0, fault.New(fault.Invalid, "invalid_request", "%s is a version that there is, or 0; not %s", field, account.Quote(text)).In(field)
	}
	return account.Version(version), nil
}

// listener is one reader of a stream.
type listener struct {
	server  *server
	r       *http.Request
	out     *patient
	actor   account.Actor
	filter  directory.LogFilter
	left    int // how many entries are still to be sent, if it is bounded
	bounded bool
}

// StreamEnd is the data of the event end.
type StreamEnd struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// ends are the reasons for the end of a stream that are no fault.
var (
	errAged    = errors.New("aged")
	errStopped = errors.New("stopped")
	errEnough  = errors.New("enough")
)

// listen sends entries until there is a reason to end, and says which.
func (l *listener) listen(page directory.LogPage) {
	age := time.NewTimer(time.Until(l.out.until))
	defer age.Stop()
	err := l.send("open", l.filter.After, map[string]account.Version{"after": l.filter.After})
	for err == nil {
		if err = l.entries(page); err != nil {
			break
		}
		if !page.More {
			l.filter.After = page.Head // up to there nothing else is selected
			err = l.wait(page.Head, age.C)
		}
		if err == nil {
			page, err = l.server.logPage(l.r, l.actor, l.filter)
		}
	}
	if l.r.Context().Err() != nil { // the reader has gone
		return
	}
	if sent := l.end(err); sent != nil {
		l.server.log.Debug("the end of a stream could not be sent", "error", sent)
	}
}

// entries sends a page.
func (l *listener) entries(page directory.LogPage) error {
	for _, e := range page.Entries {
		select {
		case <-l.server.stopping:
			return errStopped
		default:
			if time.Now().After(l.out.until) { // while a slow reader catches up
				return errAged
			}
		}
		if err := l.send("entry", e.Version, LogEntryOf(e)); err != nil {
			return err
		}
		l.filter.After = e.Version
		if l.left--; l.bounded && l.left == 0 {
			return errEnough
		}
	}
	return nil
}

// wait returns when there are entries after a version, or when it is time to ask
// again whether the reader may read them. Meanwhile it shows that it is there.
func (l *listener) wait(head account.Version, aged <-chan time.Time) error {
	cfg := l.server.cfg.Streams
	poll, recheck, heartbeat := time.NewTicker(cfg.Poll), time.NewTimer(cfg.Recheck), time.NewTicker(cfg.Heartbeat)
	defer poll.Stop()
	defer recheck.Stop()
	defer heartbeat.Stop()
	for {
		select {
		case <-l.r.Context().Done():
			return l.r.Context().Err()
		case <-l.server.stopping:
			return errStopped
		case <-aged:
			return errAged
		case <-recheck.C:
			return nil
		case <-heartbeat.C:
			if err := l.text([]byte(": still here\n\n")); err != nil {
				return err
			}
		case <-poll.C:
			if l.moved(head) {
				return nil
			}
		}
	}
}

// moved reports whether the journal has gone beyond a version. If that cannot be
// seen now, the next page will tell why.
func (l *listener) moved(head account.Version) bool {
	ctx, cancel := context.WithTimeout(l.r.Context(), l.server.cfg.Timeout)
	defer cancel()
	now, err := l.server.directory.Newest(ctx, l.actor.Environment)
	return err != nil || now > head
}

// end sends why the stream ends.
func (l *listener) end(why error) error {
	var last StreamEnd
	switch {
	case errors.Is(why, errAged):
		last = StreamEnd{"reconnect", "the stream has lasted as long as one may; come again with the last id"}
	case errors.Is(why, errStopped):
		last = StreamEnd{"stopping", "the server stops; come again with the last id"}
	case errors.Is(why, errEnough):
		last = StreamEnd{"complete", "as many entries as were asked for"}
	default:
		p := l.server.problem(l.r.Context(), why)
		last = StreamEnd{p.Code, p.Detail}
	}
	return l.send("end", 0, last)
}

// send sends one event; id 0 for none.
func (l *listener) send(event string, id account.Version, data any) error {
	var text bytes.Buffer
	if event != "end" {
		fmt.Fprintf(&text, "id: %d\n", id)
	}
	fmt.Fprintf(&text, "event: %s\ndata: ", event)
	enc := json.NewEncoder(&text) // on one line, as the format needs it
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil {
		return err
	}
	text.WriteByte('\n')
	return l.text(text.Bytes())
}

func (l *listener) text(text []byte) error {
	if _, err := l.out.Write(text); err != nil {
		return err
	}
	return l.out.flush()
}
