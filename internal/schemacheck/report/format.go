package report

import (
	"bufio"
	"io"
	"strings"

	"github.com/tenantry/tenantry/internal/fault"
)

// Format is a form in which a report can be written.
type Format string

// The formats.
const (
	Text   Format = "text"   // for people, and for editors that jump to file:line:column
	JSON   Format = "json"   // for programs
	JUnit  Format = "junit"  // for test reports: a suite a file, a case an assertion
	SARIF  Format = "sarif"  // for code scanning: SARIF 2.1.0
	GitHub Format = "github" // for the log of GitHub Actions, which shows findings beside the code
)

// Formats returns every format, the one for people first.
func Formats() []Format { return []Format{Text, JSON, JUnit, SARIF, GitHub} }

// Choices returns the names of all formats as a sentence lists them.
func Choices() string {
	all := Formats()
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = string(f)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// Parse returns the format of a name. The error is an Invalid fault (code
// "invalid_request", field "format") that names the choices.
func Parse(name string) (Format, error) {
	for _, f := range Formats() {
		if name == string(f) {
			return f, nil
		}
	}
	return "", fault.New(fault.Invalid, "invalid_request", "%q is not a format of reports: it is %s", name, Choices()).In("format")
}

// Write writes a report. Errors are the writer's, or that of [Parse] if there is no such format.
func Write(w io.Writer, f Format, r Report) error {
	f, err := Parse(string(f))
	if err != nil {
		return err
	}
	write := map[Format]func(*bufio.Writer, Report) error{
		Text: writeText, JSON: writeJSON, JUnit: writeJUnit, SARIF: writeSARIF, GitHub: writeGitHub,
	}[f]
	out := bufio.NewWriter(w)
	if err := write(out, r); err != nil {
		return err
	}
	return out.Flush()
}
