package report_test

import (
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// JUnit's elements, as a reader understands them.
type (
	readSuites struct {
		XMLName  xml.Name    `xml:"testsuites"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Suites   []readSuite `xml:"testsuite"`
	}
	readSuite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []readCase `xml:"testcase"`
	}
	readCase struct {
		Class    string        `xml:"classname,attr"`
		Name     string        `xml:"name,attr"`
		Time     string        `xml:"time,attr"`
		Failures []readFailure `xml:"failure"`
		Output   string        `xml:"system-out"`
	}
	readFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

func readJUnit(text string) (root readSuites, err error) {
	dec := xml.NewDecoder(strings.NewReader(text))
	if err := dec.Decode(&root); err != nil {
		return root, err
	}
	if _, err := dec.Token(); err != nil && err != io.EOF { //nolint:errorlint // as the decoder documents it
		return root, err
	}
	return root, nil
}

// asXML is a text as XML can hold it, shown without control characters.
func asXML(s string) string {
	return strings.NewReplacer("\ufffe", "\ufffd", "\uffff", "\ufffd").Replace(finding.Printable(string([]rune(s))))
}

var surefireTime = regexp.MustCompile(`^\d+\.\d{3}$`) // no dialect's schema refuses it

// wantJUnit compares what a reader of the XML finds with the report.
func wantJUnit(r report.Report, text string) string {
	root, err := readJUnit(text)
	if err != nil {
		return err.Error()
	}
	failures, tests := 0, 0
	for i, s := range root.Suites {
		checked, failed := r.Files[i], 0
		if s.Name != asXML(checked.Path) {
			return "suite " + s.Name
		}
		var names []string
		for j, c := range s.Cases {
			want := checked.AllCases()[j]
			var in, beside strings.Builder
			for _, f := range want.Findings {
				if f.Severity == finding.Error || r.Strict && f.Severity == finding.Warning {
					in.WriteString(asXML(f.String()))
				} else {
					beside.WriteString(asXML(f.String()))
				}
			}
			if (in.Len() > 0) != (len(c.Failures) == 1) || len(c.Failures) > 1 {
				return "failures of " + c.Name
			}
			if len(c.Failures) == 1 {
				failed++
				if !inOrder(c.Failures[0].Text, want.Findings, func(f finding.Finding) bool {
					return f.Severity == finding.Error || r.Strict && f.Severity == finding.Warning
				}) {
					return "failure text of " + c.Name + ": " + c.Failures[0].Text
				}
			}
			if !inOrder(c.Output, want.Findings, func(f finding.Finding) bool {
				return f.Severity != finding.Error && (!r.Strict || f.Severity != finding.Warning)
			}) || beside.Len() == 0 && c.Output != "" {
				return "output of " + c.Name + ": " + c.Output
			}
			if c.Class != s.Name || !strings.HasPrefix(c.Name, asXML(want.Name)) || slices.Contains(names, c.Name) || !surefireTime.MatchString(c.Time) {
				return "case " + c.Name + " of " + c.Class + ", " + c.Time + " s"
			}
			names = append(names, c.Name)
		}
		if len(s.Cases) != len(checked.AllCases()) || s.Tests != len(s.Cases) || s.Failures != failed || !surefireTime.MatchString(s.Time) {
			return "numbers of suite " + s.Name
		}
		failures, tests = failures+failed, tests+s.Tests
	}
	if len(root.Suites) != len(r.Files) || root.Tests != tests || root.Failures != failures || !surefireTime.MatchString(root.Time) || (failures > 0) != r.Failed() {
		return "numbers of the report"
	}
	return ""
}

// inOrder reports whether a text shows the findings that are chosen, one after the other.
func inOrder(text string, findings []finding.Finding, chosen func(finding.Finding) bool) bool {
	for _, f := range findings {
		if !chosen(f) {
			continue
		}
		_, rest, found := strings.Cut(text, asXML(f.String())+"\n")
		if !found {
			return false
		}
		text = rest
	}
	return true
}

func TestJUnitReadBack(t *testing.T) {
	for _, strict := range []bool{false, true} {
		r := rich()
		r.Strict = strict
		text := written(t, report.JUnit, r)
		if problem := wantJUnit(r, text); problem != "" {
			t.Errorf("strict %v: %s", strict, problem)
		}
	}
	root, err := readJUnit(written(t, report.JUnit, rich()))
	if err != nil {
		t.Fatal(err)
	}
	if root.Time != "1.502" || root.Suites[0].Time != "1.502" { // a case of negative time takes none
		t.Errorf("the report took %s s, its first file %s s; want 1.502", root.Time, root.Suites[0].Time)
	}
	want := readCase{
		Class: "schema/validation/documents.yaml", Name: "document:a#read has the expected subjects", Time: "0.000",
		Failures: []readFailure{{
			Message: "subject `user:bob` is not expected, and 1 more", Type: finding.CodeExpectationFailed,
			Text: "schema/validation/documents.yaml:15:3: subject `user:bob` is not expected [expectation_failed]\n" +
				"      document:a#read:\n      ^\n" +
				"schema/validation/documents.yaml:16:8: subject `user:dän` is missing [expectation_failed]\n" +
				"        - \"[user:dän] is <document:a#read>\"\n           ^\n",
		}},
	}
	if diff := cmp.Diff(want, root.Suites[0].Cases[4]); diff != "" {
		t.Errorf("case (-want +got):\n%s", diff)
	}
}

// Cases of equal names stay apart, whatever other cases are called.
func TestJUnitNamesAreUnique(t *testing.T) {
	r := report.Report{Files: []report.FileResult{{Path: "a.yaml", Cases: []report.Case{
		{Name: "x", Kind: report.KindAssertion}, {Name: "x (2)", Kind: report.KindAssertion}, {Name: "x", Kind: report.KindAssertion}, {Name: "schema", Kind: report.KindAssertion},
	}}}}
	root, err := readJUnit(written(t, report.JUnit, r))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range root.Suites[0].Cases {
		got = append(got, c.Name)
	}
	if diff := cmp.Diff([]string{"schema", "x", "x (2)", "x (3)", "schema (2)"}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestJUnitIsValid(t *testing.T) {
	strict := rich()
	strict.Strict = true
	documents := []string{written(t, report.JUnit, rich()), written(t, report.JUnit, strict), written(t, report.JUnit, report.Report{}), written(t, report.JUnit, long())}
	for _, problem := range xmlErrors(t, documents...) {
		t.Error(problem)
	}
	for _, text := range documents {
		if !utf8.ValidString(text) {
			t.Error("not UTF-8")
		}
	}
}

// A schema case that the check made takes the findings of no other case.
func TestAllCases(t *testing.T) {
	a, b := finding.Finding{Code: "a", Severity: finding.Error}, finding.Finding{Code: "b", Severity: finding.Error}
	one := report.Case{Name: "one", Kind: report.KindAssertion, Findings: []finding.Finding{a}}
	own := report.Case{Name: "compiles", Kind: report.KindSchema, Duration: 7}
	found := []finding.Finding{a, a, b}
	for name, c := range map[string]struct{ given, want []report.Case }{
		"made":  {[]report.Case{one}, []report.Case{{Name: "schema", Kind: report.KindSchema, Findings: []finding.Finding{a, b}}, one}},
		"given": {[]report.Case{one, own}, []report.Case{one, {Name: "compiles", Kind: report.KindSchema, Duration: 7, Findings: []finding.Finding{a, b}}}},
	} {
		f := report.FileResult{Findings: found, Cases: c.given}
		if diff := cmp.Diff(c.want, f.AllCases()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if c.given[len(c.given)-1].Kind == report.KindSchema && c.given[len(c.given)-1].Findings != nil {
			t.Errorf("%s: asking for the cases changed them", name)
		}
	}
}
