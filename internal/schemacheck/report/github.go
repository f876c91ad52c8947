package report

import (
	"bufio"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// What stands for characters that end a workflow command or a part of it.
var (
	escapeMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	escapeProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// writeGitHub writes a workflow command for each finding, then a line that sums
// up, and the notes, of which none is taken for a command.
func writeGitHub(out *bufio.Writer, r Report) error {
	for _, f := range r.distinct() {
		fmt.Fprintf(out, "::%s %s::%s\n", command(f.Severity), strings.Join(properties(f), ","), escapeMessage.Replace(loggable(f.Message)))
	}
	fmt.Fprintln(out, sum(r))
	for _, note := range r.Notes {
		if strings.HasPrefix(strings.TrimSpace(note), "::") || strings.Contains(note, "##[") {
			note = "> " + strings.ReplaceAll(strings.TrimSpace(note), "##[", "## [")
		}
		fmt.Fprintln(out, finding.Printable(note))
	}
	return nil
}

func command(s finding.Severity) string {
	switch s {
	case finding.Error:
		return "error"
	case finding.Warning:
		return "warning"
	default:
		return "notice"
	}
}

func properties(f finding.Finding) []string {
	var all []string
	add := func(name, value string) {
		all = append(all, name+"="+escapeProperty.Replace(loggable(value)))
	}
	if f.File != "" {
		add("file", filepath.ToSlash(f.File))
		if f.Line > 0 {
			add("line", strconv.Itoa(f.Line))
			if f.Column > 0 {
				add("col", strconv.Itoa(f.Column))
			}
		}
	}
	add("title", f.Code)
	return all
}

// loggable replaces what could disturb a log, except line breaks, which commands can hold.
func loggable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
