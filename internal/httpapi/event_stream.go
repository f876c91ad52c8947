package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

const eventStream = "text/event-stream"

// StreamQuery is embedded by the inputs of streams.
type StreamQuery struct {
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that was received, as browsers send it when they come again; it goes before after."`
	Limit       int    `query:"limit" doc:"End after this many events besides open; absent for no bound."`
}

// check returns an Invalid fault (invalid_limit) if the query makes no sense.
func (q *StreamQuery) check() error {
	if q.Limit < 0 {
		return fault.New(fault.Invalid, "invalid_limit", "limit is 1 or more").In("limit")
	}
	return nil
}

// beginning is the version after which a stream begins, none if it is neither said by the last id nor by
// after. An Invalid fault (invalid_request) if it is none that there is, up to head.
func (q *StreamQuery) beginning(after string, head account.Version) (version account.Version, said bool, err error) {
	field, text := "Last-Event-ID", q.LastEventID
	if text == "" {
		field, text = "after", after
	}
	if text == "" {
		return 0, false, nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || account.Version(number) > head {
		return 0, false, fault.New(fault.Invalid, "invalid_request", "%s is a version that there is, or 0; not %s", field, account.Quote(text)).In(field)
	}
	return account.Version(number), true, nil
}

// events is an answer of server-sent events to one reader.
type events struct {
	server  *server
	r       *http.Request
	out     *patient
	left    int // how many are still to be sent, if they are bounded
	bounded bool

	aged  <-chan time.Time
	heard *time.Ticker // when it is time to show that the stream is there
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

// sendEvents answers with a stream: follow sends events until there is a reason to end, which the
// reader is told; release gives its place back.
func (s *server) sendEvents(limit int, release func(), follow func(*events) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer release()
		r, w := humachi.Unwrap(ctx)
		r = unbounded(r)
		w.Header().Set("Content-Type", eventStream)
		w.Header().Set("X-Accel-Buffering", "no") // for proxies that would wait for the end
		e := &events{server: s, r: r, out: s.patient(w), left: limit, bounded: limit > 0}
		age := time.NewTimer(time.Until(e.out.until))
		defer age.Stop()
		e.aged, e.heard = age.C, time.NewTicker(s.cfg.Streams.Heartbeat)
		defer e.heard.Stop()
		err := follow(e)
		if r.Context().Err() != nil { // the reader has gone
			return
		}
		if sent := e.end(err); sent != nil {
			s.log.Debug("the end of a stream could not be sent", "error", sent)
		}
	}}
}

// describeEvents has the document say that an operation answers with a stream.
func describeEvents(answers map[string]*huma.Response) {
	answers["200"].Content = map[string]*huma.MediaType{eventStream: {Schema: &huma.Schema{Type: huma.TypeString}}}
}

// over returns why the stream has to end although there is more to send; nil if it has not to.
func (e *events) over() error {
	select {
	case <-e.server.stopping:
		return errStopped
	default:
		if time.Now().After(e.out.until) { // while a slow reader catches up
			return errAged
		}
		return nil
	}
}

// wait returns when there may be something to send: when woken is closed, when due says so, and when it is time to ask
// again whether the reader may read it. Meanwhile it shows that the stream is there.
func (e *events) wait(woken <-chan struct{}, due func() bool) error {
	cfg := e.server.cfg.Streams
	poll, recheck := time.NewTicker(cfg.Poll), time.NewTimer(cfg.Recheck)
	defer poll.Stop()
	defer recheck.Stop()
	for {
		select {
		case <-e.r.Context().Done():
			return e.r.Context().Err()
		case <-e.server.stopping:
			return errStopped
		case <-e.aged:
			return errAged
		case <-recheck.C:
			return nil
		case <-e.heard.C:
			if err := e.text([]byte(": still here\n\n")); err != nil {
				return err
			}
		case <-woken:
			return nil
		case <-poll.C:
			if due() {
				return nil
			}
		}
	}
}

// end sends why the stream ends.
func (e *events) end(why error) error {
	var last StreamEnd
	switch {
	case errors.Is(why, errAged):
		last = StreamEnd{"reconnect", "the stream has lasted as long as one may; come again with the last id"}
	case errors.Is(why, errStopped):
		last = StreamEnd{"stopping", "the server stops; come again with the last id"}
	case errors.Is(why, errEnough):
		last = StreamEnd{"complete", "as many events as were asked for"}
	default:
		p := e.server.problem(e.r.Context(), why)
		last = StreamEnd{p.Code, p.Detail}
	}
	return e.send("end", 0, last)
}

// counted is send for an event that counts towards the limit; errEnough if it was the last.
func (e *events) counted(event string, id account.Version, data any) error {
	if err := e.send(event, id, data); err != nil {
		return err
	}
	if e.left--; e.bounded && e.left == 0 {
		return errEnough
	}
	return nil
}

// send sends one event. The last has no id.
func (e *events) send(event string, id account.Version, data any) error {
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
	return e.text(text.Bytes())
}

func (e *events) text(text []byte) error {
	if _, err := e.out.Write(text); err != nil {
		return err
	}
	return e.out.flush()
}
