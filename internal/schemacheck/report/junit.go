package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// The elements of JUnit's XML that are written: those which all of its dialects have.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		ClassName string        `xml:"classname,attr"`
		Name      string        `xml:"name,attr"`
		Time      string        `xml:"time,attr"`
		Failure   *junitFailure `xml:"failure"`
		Output    string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes a suite for each file and a case for each of its cases.
func writeJUnit(out *bufio.Writer, r Report) error {
	root := junitSuites{Name: toolName + " schema"}
	var whole time.Duration
	for _, f := range r.Files {
		suite, took := r.junitSuite(f)
		root.Suites = append(root.Suites, suite)
		root.Tests += suite.Tests
		root.Failures += suite.Failures
		whole += took
	}
	root.Time = seconds(whole)
	fmt.Fprint(out, xml.Header)
	enc := xml.NewEncoder(out)
	enc.Indent("", "  ")
	if err := enc.Encode(root); err != nil {
		return err
	}
	return out.WriteByte('\n')
}

func (r Report) junitSuite(f FileResult) (junitSuite, time.Duration) {
	suite := junitSuite{Name: finding.Printable(f.Path)}
	var whole time.Duration
	named := map[string]bool{}
	for _, c := range f.AllCases() {
		made := r.junitCase(c)
		made.ClassName, made.Name = suite.Name, unused(named, made.Name)
		if made.Failure != nil {
			suite.Failures++
		}
		suite.Tests++
		suite.Cases = append(suite.Cases, made)
		whole += max(0, c.Duration)
	}
	suite.Time = seconds(whole)
	return suite, whole
}

// junitCase makes one failure of all that fails a case: readers differ in how many they look at. The rest is its output.
func (r Report) junitCase(c Case) junitCase {
	made := junitCase{Name: finding.Printable(c.Name), Time: seconds(c.Duration)}
	var failed, rest strings.Builder
	more := 0
	for _, f := range c.Findings {
		switch {
		case !r.fails(f):
			writeFinding(&rest, f)
			continue
		case made.Failure == nil:
			made.Failure = &junitFailure{Message: finding.Printable(f.Message), Type: finding.Printable(f.Code)}
		default:
			more++
		}
		writeFinding(&failed, f)
	}
	if made.Failure != nil {
		made.Failure.Text = failed.String()
		if more > 0 {
			made.Failure.Message += fmt.Sprintf(", and %d more", more)
		}
	}
	made.Output = rest.String()
	return made
}

// unused returns a name that no case of a suite has yet: readers take those of one name for one case.
func unused(named map[string]bool, name string) string {
	free := name
	for n := 2; named[free]; n++ {
		free = fmt.Sprintf("%s (%d)", name, n)
	}
	named[free] = true
	return free
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d).Seconds()) }
