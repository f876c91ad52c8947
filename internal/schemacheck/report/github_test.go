package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// commandRead is a workflow command as the runner of GitHub Actions reads it.
type commandRead struct {
	Name       string
	Properties map[string]string
	Message    string
}

// readCommands reads the workflow commands of a log, and returns the lines that are none.
func readCommands(log string) (commands []commandRead, others []string, err error) {
	message := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%")
	property := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
	for line := range strings.Lines(strings.ReplaceAll(log, "\r", "\n")) { // the runner breaks lines at both
		rest, is := strings.CutPrefix(strings.TrimLeft(strings.TrimSuffix(line, "\n"), " \t"), "::")
		if !is {
			others = append(others, line)
			continue
		}
		head, data, ends := strings.Cut(rest, "::")
		if !ends {
			return nil, nil, fmt.Errorf("a command without an end: %q", line)
		}
		name, list, _ := strings.Cut(head, " ")
		c := commandRead{Name: name, Properties: map[string]string{}, Message: message.Replace(data)}
		for pair := range strings.SplitSeq(list, ",") {
			key, value, ok := strings.Cut(pair, "=")
			if _, again := c.Properties[key]; !ok || again {
				return nil, nil, fmt.Errorf("property %q in %q", pair, line)
			}
			c.Properties[key] = property.Replace(value)
		}
		commands = append(commands, c)
	}
	return commands, others, nil
}

// wantCommands compares what the runner reads with the report.
func wantCommands(r report.Report, log string) string {
	got, others, err := readCommands(log)
	if err != nil {
		return err.Error()
	}
	var want []commandRead
	for _, f := range once(r.Findings()) {
		c := commandRead{Name: "notice", Properties: map[string]string{"title": inLog(f.Code)}, Message: inLog(f.Message)}
		if f.Severity == "error" || f.Severity == "warning" {
			c.Name = string(f.Severity)
		}
		if f.File != "" {
			c.Properties["file"] = inLog(f.File)
			if f.Line > 0 {
				c.Properties["line"] = fmt.Sprint(f.Line)
				if f.Column > 0 {
					c.Properties["col"] = fmt.Sprint(f.Column)
				}
			}
		}
		want = append(want, c)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return "commands (-want +got):\n" + diff
	}
	if len(others) != 1+len(r.Notes) || !strings.HasPrefix(others[0], fmt.Sprintf("%d file", len(r.Files))) {
		return fmt.Sprintf("lines that are no commands: %q", others)
	}
	return ""
}

// inLog is a text as a log may hold it.
func inLog(s string) string {
	var out strings.Builder
	for _, r := range s { // what is not UTF-8 is U+FFFD
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 {
			r = '\ufffd'
		}
		out.WriteRune(r)
	}
	return out.String()
}

// A note is no command, whatever it says.
func TestGitHubNotesAreNoCommands(t *testing.T) {
	r := report.Report{Notes: []string{"::error::forged", " ::stop-commands::x", "##[error]forged", "a\n::error::forged"}}
	commands, others, err := readCommands(written(t, report.GitHub, r))
	if err != nil || len(commands) != 0 || len(others) != 5 {
		t.Errorf("commands %v, other lines %q, %v", commands, others, err)
	}
}

func TestGitHubReadBack(t *testing.T) {
	log := written(t, report.GitHub, rich())
	if problem := wantCommands(rich(), log); problem != "" {
		t.Error(problem)
	}
	got, _, err := readCommands(log)
	if err != nil {
		t.Fatal(err)
	}
	want := commandRead{
		Name:       "error",
		Properties: map[string]string{"title": "unreadable_file", "file": "100% we,ird: <dir>/☃ ]]> \ufffd[1m\nb\ufffd.yaml"},
		Message:    "cannot read the file: \ufffd\ufffd]0;title\ufffd::stop-commands::\r\n::error::forged ]]> <b>&amp;\ufffd\ufffe\ufffd",
	}
	if diff := cmp.Diff(want, got[5]); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
}
