package httpapi

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// LogFormat is a form in which the log is exported.
type LogFormat string

// The forms of exports.
const (
	NDJSON LogFormat = "ndjson" // one JSON object a line, for each entry
	CSV    LogFormat = "csv"    // RFC 4180, one line for each change
)

func (f LogFormat) mediaType() string {
	if f == CSV {
		return "text/csv; charset=utf-8"
	}
	return "application/x-ndjson"
}

// LogComplete is the last line of an NDJSON export that is complete.
type LogComplete struct {
	Complete bool            `json:"complete"` // true
	Entries  int             `json:"entries"`  // how many there are
	Through  account.Version `json:"through"`  // the newest version of the journal when the export began
}

// LogColumns are the columns of a CSV export.
func LogColumns() []string {
	return []string{
		"version", "at", "kind", "actor", "client", "impersonation", "from", "request_id",
		"change", "changes_total", "action", "type", "id", "before", "after",
	}
}

// LogWriter writes an export of the log.
type LogWriter struct {
	out     io.Writer
	csv     *csv.Writer // nil for NDJSON
	begun   bool
	entries int
}

// NewLogWriter returns a LogWriter to out, which had better be buffered.
func NewLogWriter(out io.Writer, format LogFormat) *LogWriter {
	w := &LogWriter{out: out}
	if format == CSV {
		w.csv = csv.NewWriter(out)
		w.csv.UseCRLF = true
	}
	return w
}

// Entry writes one entry.
func (w *LogWriter) Entry(e directory.LogEntry) error {
	w.entries++
	if w.csv == nil {
		return encodeJSON(w.out, LogEntryOf(e))
	}
	if err := w.head(); err != nil {
		return err
	}
	about := []string{
		strconv.FormatInt(int64(e.Version), 10), e.At.UTC().Format(time.RFC3339Nano), string(e.Kind), e.Actor.Name(),
		string(e.Actor.Client), string(e.Actor.Impersonation), e.From, e.RequestID,
	}
	if len(e.Changes) == 0 {
		return w.line(append(about, "", "0", "", "", "", "", ""))
	}
	for i, c := range e.Changes {
		d, err := describe(Change{Before: thingOf(c.Before), After: thingOf(c.After)})
		if err != nil {
			return err
		}
		line := slices.Concat(about, []string{strconv.Itoa(i + 1), strconv.Itoa(e.Total), d.action, d.kind, d.id, d.before, d.after})
		if err := w.line(line); err != nil {
			return err
		}
	}
	return nil
}

// Complete writes the last line, which says that nothing is missing before it.
func (w *LogWriter) Complete(through account.Version) error {
	if w.csv == nil {
		return encodeJSON(w.out, LogComplete{true, w.entries, through})
	}
	if err := w.head(); err != nil {
		return err
	}
	last := make([]string, len(LogColumns()))
	last[0], last[1], last[2] = "complete", "entries="+strconv.Itoa(w.entries), "through="+strconv.FormatInt(int64(through), 10)
	if err := w.line(last); err != nil {
		return err
	}
	w.csv.Flush()
	return w.csv.Error()
}

// head writes the names of the columns, once.
func (w *LogWriter) head() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.csv.Write(LogColumns())
}

func (w *LogWriter) line(cells []string) error {
	for i, c := range cells {
		cells[i] = defuse(c)
	}
	return w.csv.Write(cells)
}

// defuse puts an apostrophe before what a spreadsheet would take for a formula;
// and before an apostrophe, so that a reader can take away the first of any cell.
func defuse(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n'", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// described is a change as a line of CSV has it.
type described struct {
	action        string // created, changed or deleted
	kind, id      string // of the thing: the name of its type; its own id, or those of what it connects: globex/ada
	before, after string // all of it, as JSON; "" for none
}

func describe(c Change) (d described, err error) {
	d.action = "changed"
	switch {
	case c.Before == nil:
		d.action = "created"
	case c.After == nil:
		d.action = "deleted"
	}
	if d.kind, d.before, err = fieldOf(c.Before); err != nil {
		return d, err
	}
	kind, after, err := fieldOf(c.After)
	if err != nil {
		return d, err
	}
	d.kind, d.after = cmp.Or(d.kind, kind), after
	thing := cmp.Or(d.after, d.before)
	if thing == "" {
		return d, nil
	}
	var keys struct{ ID, Key, Account, User, Role, Feature string }
	if err := json.Unmarshal([]byte(thing), &keys); err != nil {
		return d, err
	}
	if d.id = cmp.Or(keys.ID, keys.Key); d.id == "" {
		parts := []string{keys.Account, keys.User, keys.Role, keys.Feature}
		d.id = strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "/")
	}
	return d, nil
}

// fieldOf is what a thing is, and all of it as JSON; "" for none.
func fieldOf(t *Thing) (kind, text string, err error) {
	if t == nil {
		return "", "", nil
	}
	var all bytes.Buffer
	if err := encodeJSON(&all, t); err != nil {
		return "", "", err
	}
	var fields map[string]json.RawMessage // one, by the name of its type
	err = json.Unmarshal(all.Bytes(), &fields)
	for name, value := range fields {
		kind, text = name, string(value)
	}
	return kind, text, err
}

// Summary says in three words what was changed: "membership globex/ada created".
func (c Change) Summary() string {
	d, err := describe(c)
	if err != nil {
		return "something"
	}
	return d.kind + " " + d.id + " " + d.action
}
