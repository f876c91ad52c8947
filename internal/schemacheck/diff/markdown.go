package diff

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// mostDetails is how many changes are shown with their expressions in Markdown: a comment on a pull request has an end.
const mostDetails = 50

// WriteMarkdown writes a result for a pull request: a table of all changes, the
// breaking ones first, and then the expressions that changed. Nothing that
// comes from a schema is taken for Markdown. Errors are the writer's.
func WriteMarkdown(w io.Writer, r Result) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "### Schema: %s\n", strings.ToLower(summary(r)[:1])+summary(r)[1:])
	if len(r.Changes) == 0 {
		return out.Flush()
	}
	counted := false
	for _, c := range r.Changes {
		counted = counted || c.Orphans != nil
	}
	column, rule := "", ""
	if counted {
		column, rule = " Relationships orphaned |", " --- |"
	}
	fmt.Fprintf(out, "\n| | Change | Where |%s\n| --- | --- | --- |%s\n", column, rule)
	for _, c := range r.Changes {
		mark := ""
		if c.Breaking {
			mark = "**breaking**"
		}
		message := plain(c.Message)
		if len(c.Through) > 0 {
			message += " (" + plain(strings.Join(c.Through, ", ")) + ")"
		}
		fmt.Fprintf(out, "| %s | %s | %s |", mark, message, plain(c.Place.String()))
		if counted {
			orphans := ""
			if c.Orphans != nil {
				orphans = strings.TrimSuffix(strings.TrimSuffix(c.Orphans.String(), "s"), " live relationship")
			}
			fmt.Fprintf(out, " %s |", orphans)
		}
		fmt.Fprintln(out)
	}
	writeDetails(out, r)
	return out.Flush()
}

// writeDetails shows what changed in words of the schema.
func writeDetails(out *bufio.Writer, r Result) {
	shown, left := 0, 0
	for _, c := range r.Changes {
		if c.Before == "" || c.After == "" || c.Indirect {
			continue
		}
		if shown == mostDetails {
			left++
			continue
		}
		shown++
		text := "- " + finding.Printable(c.Before) + "\n+ " + finding.Printable(c.After)
		fence := fenceFor(text)
		fmt.Fprintf(out, "\n%s\n\n%sdiff\n%s\n%s\n", plain(c.Subject), fence, text, fence)
	}
	if left > 0 {
		fmt.Fprintf(out, "\nThe expressions of %s are not shown.\n", count(left, "more change"))
	}
}

// fenceFor returns backticks that do not occur in a text.
func fenceFor(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence
}

// plain escapes a text, so that Markdown shows it as it is, in a table, too.
func plain(s string) string {
	var b strings.Builder
	for _, r := range finding.Printable(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '@': // would notify somebody
			b.WriteString("&#64;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_{}[]#|~>!", r):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
