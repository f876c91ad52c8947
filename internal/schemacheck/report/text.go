package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// maxShown is the longest source line that is shown, in characters.
const maxShown = 200

// writeText writes each finding, followed by its source line and a caret at its
// column, and then a line that sums up, and the report's notes.
func writeText(out *bufio.Writer, r Report) error {
	for _, f := range r.Findings() {
		writeFinding(out, f)
	}
	fmt.Fprintln(out, sum(r))
	for _, note := range r.Notes {
		fmt.Fprintln(out, finding.Printable(note))
	}
	return nil
}

// sum says on one line what a report came to.
func sum(r Report) string {
	return fmt.Sprintf("%s, %s, %s",
		Counted(len(r.Files), "file"), Counted(r.Assertions(), "assertion"), Counted(len(r.Findings()), "finding"))
}

func writeFinding(out io.Writer, f finding.Finding) {
	fmt.Fprintln(out, f)
	line := []rune(finding.Printable(f.Context))
	if len(line) == 0 {
		return
	}
	shown := line[:min(len(line), maxShown)]
	if len(line) > maxShown {
		shown = append(shown, '…') // line is not needed any more
	}
	fmt.Fprintf(out, "    %s\n", string(shown))
	if f.Column < 1 || f.Column > len(shown) {
		return
	}
	lead := make([]rune, f.Column-1)
	for i := range lead {
		lead[i] = ' '
		if shown[i] == '\t' {
			lead[i] = '\t' // keeps the caret below its character, however wide a tab is shown
		}
	}
	fmt.Fprintf(out, "    %s^\n", string(lead))
}

// Counted returns a number with a noun, which takes an s unless there is one of it.
func Counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
