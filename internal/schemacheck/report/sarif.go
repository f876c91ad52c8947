package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

const (
	toolName    = "tenantry"
	toolPage    = "https://github.com/tenantry/tenantry"
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

	// fingerprintName is followed by a version, which changes when fingerprints are made otherwise.
	fingerprintName = "tenantryFinding/v1"
)

// The objects of SARIF that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifText    `json:"shortDescription"`
		HelpURI          string       `json:"helpUri,omitempty"`
		Help             sarifText    `json:"help"`
		Default          sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int        `json:"startLine"`
		StartColumn int        `json:"startColumn,omitempty"`
		Snippet     *sarifText `json:"snippet,omitempty"`
	}
)

// writeSARIF writes one run with a rule for each code that was found.
func writeSARIF(out *bufio.Writer, r Report) error {
	findings := r.distinct()
	rules, index := r.sarifRules(findings)
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: toolName, Version: r.Version, InformationURI: toolPage, Rules: rules}},
		ColumnKind: "unicodeCodePoints",
		Results:    make([]sarifResult, 0, len(findings)),
	}
	alike := map[string]int{}
	for _, f := range findings {
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Code, RuleIndex: index[f.Code], Level: level(f.Severity),
			Message: sarifText{literal(f.Message)}, Locations: locations(f),
			Fingerprints: map[string]string{fingerprintName: fingerprint(f, alike)},
		})
	}
	return encode(out, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func level(s finding.Severity) string {
	switch s {
	case finding.Error:
		return "error"
	case finding.Warning:
		return "warning"
	default:
		return "note"
	}
}

// braced finds what readers of SARIF replace in a message: placeholders, and braces written twice.
var braced = regexp.MustCompile(`\{\d+\}|\{\{|\}\}`)

var (
	doubleBraces   = strings.NewReplacer("{", "{{", "}", "}}")
	escapeBrackets = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`)
)

// literal writes a message so that readers find neither placeholders nor links in
// it. Messages that have nothing like them stay as they are, for readers that
// show every message as it is.
func literal(message string) string {
	if braced.MatchString(message) {
		message = doubleBraces.Replace(message)
	}
	if strings.Contains(message, "](") {
		message = escapeBrackets.Replace(message)
	}
	return message
}

// locations returns where a finding is: nowhere, if it names no file.
func locations(f finding.Finding) []sarifLocation {
	if f.File == "" {
		return nil
	}
	at := sarifPhysical{Artifact: sarifArtifact{uri(filepath.ToSlash(f.File), filepath.IsAbs(f.File))}}
	if f.Line > 0 {
		at.Region = &sarifRegion{StartLine: f.Line, StartColumn: max(0, f.Column)}
		if text := from(f.Context, f.Column); text != "" {
			at.Region.Snippet = &sarifText{text}
		}
	}
	return []sarifLocation{{at}}
}

// uri turns a file's path with forward slashes into a URI, relative if the path is.
func uri(slashed string, absolute bool) string {
	if absolute {
		return (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(path.Clean(slashed), "/")}).String()
	}
	return (&url.URL{Path: path.Clean(slashed)}).String()
}

// from returns a line from a column on, which is the region that begins there.
func from(line string, column int) string {
	text := []rune(line)
	return string(text[min(max(0, column-1), len(text)):])
}

// fingerprint tells a finding from all others, wherever lines move: by its source
// line, or what it says if it has none, and its number among those that are alike.
func fingerprint(f finding.Finding, alike map[string]int) string {
	about := strings.TrimSpace(f.Context)
	if about == "" {
		about = f.Message
	}
	id := strconv.Quote(f.Code) + strconv.Quote(filepath.ToSlash(f.File)) + strconv.Quote(about)
	alike[id]++
	sum := sha256.Sum256([]byte(id + strconv.Itoa(alike[id])))
	return hex.EncodeToString(sum[:16])
}
