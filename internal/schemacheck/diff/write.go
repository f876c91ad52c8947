package diff

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// WriteText writes a result for people: one line for each change, with its place,
// the expressions below it, and a summary at the end. Errors are the writer's.
func WriteText(w io.Writer, r Result) error {
	out := bufio.NewWriter(w)
	for _, c := range r.Changes {
		mark := "        "
		if c.Breaking {
			mark = "breaking"
		}
		fmt.Fprintf(out, "%s  %s%s\n", mark, finding.Printable(c.Message), orphansText(c.Orphans))
		if c.Before != "" && c.After != "" {
			fmt.Fprintf(out, "          - %s\n          + %s\n", finding.Printable(c.Before), finding.Printable(c.After))
		}
		if len(c.Through) > 0 {
			fmt.Fprintf(out, "          through %s\n", strings.Join(c.Through, ", "))
		}
		fmt.Fprintf(out, "          %s\n", finding.Printable(c.Place.String()))
	}
	fmt.Fprintln(out, summary(r))
	return out.Flush()
}

// String returns file:line:column, as far as it is known, and says if it is in the old schema.
func (p Place) String() string {
	s := p.File
	if p.Line > 0 {
		s += fmt.Sprintf(":%d", p.Line)
		if p.Column > 0 {
			s += fmt.Sprintf(":%d", p.Column)
		}
	}
	if p.Old {
		s += " (before)"
	}
	return s
}

func summary(r Result) string {
	if len(r.Changes) == 0 {
		return "No change of access."
	}
	return fmt.Sprintf("%s, %d breaking", count(len(r.Changes), "change"), r.Breaking())
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// String returns the number in words.
func (o Orphans) String() string {
	if o.More {
		return fmt.Sprintf("more than %d live relationships", o.Count)
	}
	return count(o.Count, "live relationship")
}

func orphansText(o *Orphans) string {
	if o == nil {
		return ""
	}
	if o.Count == 0 {
		return " (no live relationship would be orphaned)"
	}
	return " (" + o.String() + " would be orphaned)"
}

// WriteJSON writes a result for programs, with the number of breaking changes. Errors are the writer's.
func WriteJSON(w io.Writer, r Result) error {
	if r.Changes == nil {
		r.Changes = []Change{}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(struct {
		Breaking int `json:"breaking"`
		Result
	}{r.Breaking(), r})
}
