package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/client"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/httpapi"
)

// journalQuery is what the command asks of the log.
type journalQuery struct {
	filter       directory.LogFilter
	since, until string
	format       string
	follow       bool
}

const tableFormat = "table"

func (c *console) journalCommand() *cobra.Command {
	var t target
	var q journalQuery
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Read the log: who changed what, when, from where",
		Long: `Journal prints the entries of the log that the flags select, the oldest first.

With --format ndjson or csv it prints them as an export, with all of their changes
before and after; the last line says that the export is complete. With --follow it
goes on with what is written from then on, until it is interrupted.`,
		Example: "  tenantry journal --kind 'membership.*' --since 2026-01-01T00:00:00Z\n" +
			"  tenantry journal --account globex --branch --format csv > globex.csv\n" +
			"  tenantry journal --actor operator --follow --server http://127.0.0.1:8080",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t.quietly(cmd)
			if err := q.check(); err != nil {
				return err
			}
			err := c.journal(cmd.Context(), &t, q)
			if q.follow && errors.Is(err, context.Canceled) {
				return nil // interrupted, which is how following ends
			}
			return err
		},
	}
	t.register(cmd.Flags())
	f := cmd.Flags()
	f.StringVar((*string)(&q.filter.Account), "account", "", "only what concerns this account")
	f.BoolVar(&q.filter.Branch, "branch", false, "also what concerns the accounts below it")
	f.StringVar(&q.filter.Actor, "actor", "", "only what was done by user:ID, api_token:ID, operator:ID, operator (any) or system")
	f.StringVar(&q.filter.Subject, "subject", "", "only what concerns a thing: user:ID, account:ID, role:KEY, client:ID, …")
	f.StringSliceVar(&q.filter.Kinds, "kind", nil, "only these kinds of entries: membership.set, or 'membership.*' for all of a sort")
	f.StringVar(&q.since, "since", "", "only entries made then or later, like 2026-01-31T18:00:00Z")
	f.StringVar(&q.until, "until", "", "only entries made before then")
	f.StringVar(&q.format, "format", tableFormat, "table, ndjson or csv")
	f.BoolVarP(&q.follow, "follow", "f", false, "go on with what is written from now on")
	return cmd
}

// check reads the times, and refuses what does not go together.
func (q *journalQuery) check() error {
	for _, t := range []struct {
		flag, text string
		into       *time.Time
	}{{"--since", q.since, &q.filter.Since}, {"--until", q.until, &q.filter.Until}} {
		if t.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, t.text)
		if err != nil {
			return usage{fmt.Errorf("%s: %s is not a time like 2026-01-31T18:00:00Z", t.flag, account.Quote(t.text))}
		}
		*t.into = at
	}
	switch q.format {
	case tableFormat, string(httpapi.NDJSON):
	case string(httpapi.CSV):
		if q.follow {
			return usage{errors.New("--follow prints a table or ndjson: a csv has an end")}
		}
	default:
		return usage{fmt.Errorf("--format: %s is not table, ndjson or csv", account.Quote(q.format))}
	}
	if q.follow && q.until != "" {
		return usage{errors.New("--follow and --until exclude each other")}
	}
	return nil
}

func (c *console) journal(ctx context.Context, t *target, q journalQuery) error {
	if t.server != "" {
		remote, err := t.client()
		if err != nil {
			return err
		}
		return c.journalOf(ctx, remote, q)
	}
	return t.directoryOnly(ctx, c, func(a *app.App) error {
		if err := environmentExists(ctx, a, t.env); err != nil {
			return err
		}
		return c.journalHere(ctx, a, t.env, q)
	})
}

// journalHere prints the log of the deployment.
func (c *console) journalHere(ctx context.Context, a *app.App, env account.EnvironmentID, q journalQuery) error {
	pages := func(f directory.LogFilter) (directory.LogPage, error) { return a.Directory.Log(ctx, system(env), f) }
	out := bufio.NewWriter(c.out)
	show := func(e directory.LogEntry) error { return printEntry(out, httpapi.LogEntryOf(e)) }
	log := httpapi.NewLogWriter(out, httpapi.LogFormat(q.format))
	if q.format != tableFormat {
		show = log.Entry
	}
	through, err := directory.WalkLog(q.filter, pages, show)
	if err == nil && q.format != tableFormat && !q.follow {
		err = log.Complete(through)
	}
	if err = errors.Join(err, out.Flush()); err != nil || !q.follow {
		return err
	}
	const pause = 500 * time.Millisecond
	q.filter.Since = time.Time{} // what comes is later
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		q.filter.After = through
		if through, err = directory.WalkLog(q.filter, pages, show); err == nil {
			err = out.Flush()
		}
		if err != nil {
			return err
		}
	}
}

// journalOf prints the log of a server.
func (c *console) journalOf(ctx context.Context, remote *client.Client, q journalQuery) error {
	f := client.JournalFilter{
		Account: string(q.filter.Account), Branch: q.filter.Branch, Actor: q.filter.Actor, Subject: q.filter.Subject,
		Kinds: q.filter.Kinds, Since: q.filter.Since, Until: q.filter.Until,
	}
	if q.format != tableFormat && !q.follow {
		return remote.ExportJournal(ctx, f, q.format, c.out)
	}
	lines := &lineWriter{each: func(line []byte) error { return c.journalLine(q.format, line) }}
	if err := remote.ExportJournal(ctx, f, string(httpapi.NDJSON), lines); err != nil || !q.follow {
		return err
	}
	f.Since = time.Time{}
	for event, err := range remote.FollowJournal(ctx, f, int64(lines.through)) {
		if err != nil {
			return err
		}
		if err := c.journalLine(q.format, event.Entry); err != nil {
			return err
		}
	}
	return nil
}

// journalLine prints an entry that came as JSON.
func (c *console) journalLine(format string, line []byte) error {
	if format != tableFormat {
		_, err := fmt.Fprintf(c.out, "%s\n", line)
		return err
	}
	var e httpapi.Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("the server's answer cannot be understood: %w", err)
	}
	return printEntry(c.out, e)
}

// lineWriter calls each for every line that is written to it, but for the one
// that says that the export is complete, of which it keeps the version.
type lineWriter struct {
	each    func(line []byte) error
	rest    []byte
	through account.Version
}

func (w *lineWriter) Write(p []byte) (int, error) {
	for part := range bytes.Lines(p) {
		w.rest = append(w.rest, part...)
		if part[len(part)-1] != '\n' {
			break // the rest of the line is still to come
		}
		line := bytes.TrimSuffix(w.rest, []byte("\n"))
		var last httpapi.LogComplete
		if bytes.HasPrefix(line, []byte(`{"complete":`)) && json.Unmarshal(line, &last) == nil {
			w.through = last.Through
		} else if err := w.each(line); err != nil {
			return 0, err
		}
		w.rest = w.rest[:0]
	}
	return len(p), nil
}

// printEntry prints an entry on one line.
func printEntry(out io.Writer, e httpapi.Entry) error {
	from := ""
	if e.From != "" {
		from = " from " + e.From
	}
	who := e.Actor.Name
	if e.Actor.Impersonation != "" { // shown with the operator, whose name users are not told
		who += " impersonated by " + strings.TrimSuffix("operator:"+string(e.Actor.Client), ":")
	}
	_, err := fmt.Fprintf(out, "%-7d %s  %-22s %s%s  %s\n", e.Version, e.At.Format("2006-01-02 15:04:05Z"), e.Kind, who, from, summary(e))
	return err
}

// summary says what an entry changed, in few words.
func summary(e httpapi.Entry) string {
	const shown = 4
	var words []string
	for _, c := range e.Changes[:min(shown, len(e.Changes))] {
		words = append(words, c.Summary())
	}
	if more := e.ChangesTotal - len(words); more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, ", ")
}
