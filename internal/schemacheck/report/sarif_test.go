package report_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// sarifValidator returns what validates SARIF, the formats of addresses included.
func sarifValidator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(read(t, "testdata/sarif-schema-2.1.0.json")))
	must(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const name = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	must(t, c.AddResource(name, document))
	schema, err := c.Compile(name)
	must(t, err)
	return schema
}

func sarifError(schema *jsonschema.Schema, text string) error {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(document)
}

func TestSARIFIsValid(t *testing.T) {
	schema := sarifValidator(t)
	for _, r := range []report.Report{rich(), {}, long()} {
		if err := sarifError(schema, written(t, report.SARIF, r)); err != nil {
			t.Error(err)
		}
	}
	text := written(t, report.SARIF, rich())
	for _, wrong := range [][2]string{{`"ruleIndex"`, `"rule_index"`}, {`"unicodeCodePoints"`, `"characters"`}, {`"uri": "schema/`, `"uri": "% schema/`}, {`"startLine": 9`, `"startLine": 0`}} {
		if sarifError(schema, strings.Replace(text, wrong[0], wrong[1], 1)) == nil {
			t.Errorf("the schema allows %s", wrong[1])
		}
	}
}

type readSARIF struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Name, Version string
				Rules         []struct {
					ID               string
					HelpURI          string `json:"helpUri"`
					ShortDescription struct{ Text string }
					Default          struct{ Level string } `json:"defaultConfiguration"`
				}
			}
		}
		Results []struct {
			RuleID    string `json:"ruleId"`
			RuleIndex int
			Level     string
			Message   struct{ Text string }
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           *struct {
						StartLine, StartColumn int
						Snippet                struct{ Text string }
					}
				}
			}
			PartialFingerprints map[string]string
		}
	}
}

var (
	messageToken = regexp.MustCompile(`(?s)\{\{|\}\}|\{\d+\}|.`)
	messageLink  = regexp.MustCompile(`\[(?:[^\\\[\]]|\\[\\\[\]])*\]\(`)
)

// shown is a message as a reader of SARIF shows it; ok is false if the reader puts something else into it.
func shown(text string) (message string, ok bool) {
	if messageLink.MatchString(text) {
		return text, false
	}
	if strings.Contains(text, `\](`) {
		text = strings.NewReplacer(`\\`, `\`, `\[`, "[", `\]`, "]").Replace(text)
	}
	var out strings.Builder
	for _, token := range messageToken.FindAllString(text, -1) {
		switch {
		case token == "{{", token == "}}":
			token = token[:1]
		case len(token) > 2 && token[0] == '{':
			return text, false
		}
		out.WriteString(token)
	}
	return out.String(), true
}

// wantSARIF compares what a reader of SARIF finds with the report.
func wantSARIF(r report.Report, text string) string {
	var log readSARIF
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		return err.Error()
	}
	run, findings := log.Runs[0], once(r.Findings())
	if len(run.Results) != len(findings) || run.Tool.Driver.Name != "tenantry" || run.Tool.Driver.Version != r.Version {
		return fmt.Sprintf("%d results of %+v; want %d", len(run.Results), run.Tool.Driver, len(findings))
	}
	utf := func(s string) string { return string([]rune(s)) }
	prints := map[string]bool{}
	for i, got := range run.Results {
		want := findings[i]
		message, ok := shown(got.Message.Text)
		if !ok || message != utf(want.Message) {
			return fmt.Sprintf("message %q; want %q", got.Message.Text, want.Message)
		}
		if got.RuleID != utf(want.Code) || run.Tool.Driver.Rules[got.RuleIndex].ID != got.RuleID {
			return fmt.Sprintf("rule %q, %d; want %q", got.RuleID, got.RuleIndex, want.Code)
		}
		if level := map[finding.Severity]string{finding.Error: "error", finding.Warning: "warning"}[want.Severity]; got.Level != level && (level != "" || got.Level != "note") {
			return fmt.Sprintf("level %s for %s", got.Level, want.Severity)
		}
		for _, p := range got.PartialFingerprints {
			if prints[p] {
				return fmt.Sprintf("two findings with fingerprint %s", p)
			}
			prints[p] = true
		}
		if want.File == "" {
			if len(got.Locations) > 0 {
				return "a location of a finding without a file"
			}
			continue
		}
		at := got.Locations[0].PhysicalLocation
		u, err := url.Parse(at.ArtifactLocation.URI)
		if err != nil || path.Clean(u.Path) != path.Clean(want.File) || u.IsAbs() != path.IsAbs(want.File) || u.Host != "" || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Sprintf("address %q of %q: %v", at.ArtifactLocation.URI, want.File, err)
		}
		if (at.Region != nil) != (want.Line > 0) {
			return "a region for a finding without a line, or none"
		}
		if at.Region == nil {
			continue
		}
		runes := []rune(want.Context)
		snippet := string(runes[min(len(runes), max(0, want.Column-1)):])
		if at.Region.StartLine != want.Line || at.Region.StartColumn != max(0, want.Column) || at.Region.Snippet.Text != snippet {
			return fmt.Sprintf("region %+v of %+v", at.Region, want)
		}
	}
	return ""
}

func TestSARIFReadBack(t *testing.T) {
	for _, r := range []report.Report{rich(), long()} {
		if problem := wantSARIF(r, written(t, report.SARIF, r)); problem != "" {
			t.Error(problem)
		}
	}
}

// Messages that a reader of SARIF would change are written so that it does not.
func TestSARIFMessages(t *testing.T) {
	for message, want := range map[string]string{
		`with {"day": 3}`:  `with {"day": 3}`, // most readers show it as it is
		"[user:a] is read": "[user:a] is read",
		"{0} of {1x}":      "{{0}} of {{1x}}",
		"{{a}}":            "{{{{a}}}}",
		"see [b](1)":       `see \[b\](1)`,
		`see [b\](1)`:      `see \[b\\\](1)`,
	} {
		r := report.Report{Files: []report.FileResult{{Findings: []finding.Finding{{Code: "c", Message: message}}}}}
		var log readSARIF
		must(t, json.Unmarshal([]byte(written(t, report.SARIF, r)), &log))
		if got := log.Runs[0].Results[0].Message.Text; got != want {
			t.Errorf("%s is written %s; want %s", message, got, want)
		}
	}
}

// Fingerprints stay when lines are added above, and when a schema's findings come in another order of files.
func TestSARIFFingerprintsStay(t *testing.T) {
	prints := func(r report.Report) map[string]int {
		var log readSARIF
		must(t, json.Unmarshal([]byte(written(t, report.SARIF, r)), &log))
		all := map[string]int{}
		for _, result := range log.Runs[0].Results {
			for _, p := range result.PartialFingerprints {
				all[p]++
			}
		}
		return all
	}
	before, moved := rich(), rich()
	for _, f := range moved.Files {
		for i := range f.Findings {
			if f.Findings[i].Line > 0 {
				f.Findings[i].Line += 10
			}
		}
	}
	if diff := cmp.Diff(prints(before), prints(moved)); diff != "" {
		t.Errorf("after lines moved (-before +after):\n%s", diff)
	}
	other := rich()
	other.Files[0].Findings[0].Context += " # another line"
	if cmp.Equal(prints(before), prints(other)) {
		t.Error("another line has the same fingerprint")
	}
}
