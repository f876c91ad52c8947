package cover

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// WriteText writes a table of the definitions, and a list of at most some number
// of parts of which an outcome was not seen, each with its place.
func (p *Profile) WriteText(w io.Writer, most int) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "definition\trelations\tpermissions\ttypes\tbranches\tallowed\tdenied\toutcomes\tcoverage\t")
	s := p.Summary()
	for _, c := range s.Definitions {
		writeRow(t, c, finding.Printable(c.Definition))
	}
	writeRow(t, s.All, "all")
	if err := t.Flush(); err != nil {
		return err
	}
	return p.writeMissing(w, most)
}

func writeRow(w io.Writer, c Count, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d/%d\t%.1f%%\t\n", name, c.Relations.Items, c.Permissions.Items, c.Types.Items, c.Branches.Items,
		c.Total.Allowed, c.Total.Denied, c.Total.Seen, c.Total.Possible, c.Total.Percent())
}

func (p *Profile) writeMissing(w io.Writer, most int) error {
	n := 0
	for _, i := range p.Items() {
		missing := i.Missing()
		if missing == "" {
			continue
		}
		if n++; n > most {
			continue
		}
		if n == 1 {
			fmt.Fprintln(w, "\nNot covered:")
		}
		at := finding.Finding{File: i.At.Source.Path, Line: i.At.Line, Column: i.At.Column}
		if _, err := fmt.Fprintf(w, "%s:%d:%d: %s: %s\n", finding.Printable(at.File), at.Line, at.Column, finding.Printable(i.String()), missing); err != nil {
			return err
		}
	}
	if n > most {
		_, err := fmt.Fprintf(w, "and %d more\n", n-most)
		return err
	}
	return nil
}
