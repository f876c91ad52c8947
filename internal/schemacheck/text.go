package schemacheck

import (
	"bufio"
	"fmt"
	"io"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// maxShown is the longest source line that WriteText shows, in characters.
const maxShown = 200

// WriteText writes a report for people and for editors that jump to file:line:column.
// Each finding is followed by its source line and a caret at its column; the
// last line sums up. Control characters in files and names are not passed on.
// Errors are the writer's.
func WriteText(w io.Writer, r Report) error {
	out := bufio.NewWriter(w)
	findings := r.Findings()
	for _, f := range findings {
		writeFinding(out, f)
	}
	fmt.Fprintf(out, "%s, %s, %s\n",
		count(len(r.Files), "file"), count(r.Assertions(), "assertion"), count(len(findings), "finding"))
	return out.Flush()
}

func writeFinding(out *bufio.Writer, f finding.Finding) {
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

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
