package schemacheck

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"
	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// document is a validation file, read but not run. What could not be read is among its findings.
type document struct {
	*finding.Source
	schema        *yaml.Node // its text; nil if the file names a schema file
	schemaFile    *yaml.Node // its name, relative to the file; nil if the file holds the schema
	relationships []relationship
	assertions    []assertion
	expectations  []expectation
	findings      []finding.Finding
}

type relationship struct {
	tuple.Relationship
	at finding.Place
}

type assertion struct {
	blocks.Assertion
	want outcome
	at   finding.Place
}

// expectation lists the subjects that one permission of one resource must have.
type expectation struct {
	key      blocks.ObjectRelation
	subjects []blocks.ExpectedSubject
	at       finding.Place
}

// sections of a validation file.
const (
	sectionSchema        = "schema"
	sectionSchemaFile    = "schemaFile"
	sectionRelationships = "relationships"
	sectionAssertions    = "assertions"
	sectionValidation    = "validation"
)

func sections() []string {
	return []string{sectionSchema, sectionSchemaFile, sectionRelationships, sectionAssertions, sectionValidation}
}

// parse reads a validation file. ok is false if nothing of it can be run.
func parse(src *finding.Source) (doc *document, ok bool) {
	doc = &document{Source: src}
	top, ok := doc.top()
	if !ok {
		return doc, false
	}
	for key, value := range doc.pairs(top) {
		switch key.Value {
		case sectionSchema:
			if doc.text(value, key.Value) {
				doc.schema = value
			}
		case sectionSchemaFile:
			if doc.text(value, key.Value) {
				doc.schemaFile = value
			}
		case sectionRelationships:
			doc.parseRelationships(value)
		case sectionAssertions:
			doc.parseAssertions(value)
		case sectionValidation:
			doc.parseExpectations(value)
		case "namespace_configs", "validation_tuples":
			doc.fault(key, finding.CodeInvalidSection, "%s is a form of old; use schema and relationships", key.Value)
		default:
			if !strings.HasPrefix(key.Value, "x-") { // a place for anchors and notes
				doc.fault(key, finding.CodeInvalidSection, "a validation file has no %q; it has %s", key.Value, strings.Join(sections(), ", "))
			}
		}
	}
	switch {
	case doc.schema != nil && doc.schemaFile != nil:
		doc.fault(doc.schemaFile, finding.CodeInvalidSection, "schema and schemaFile exclude each other")
		return doc, false
	case doc.schema == nil && doc.schemaFile == nil:
		if !slices.ContainsFunc(doc.findings, func(f finding.Finding) bool { return f.Code == finding.CodeInvalidSection }) {
			doc.findings = append(doc.findings, doc.Finding(finding.At(top.Line, top.Column), finding.Error, finding.CodeMissingSchema,
				"the file has no schema: give its text as schema, or the name of its file as schemaFile"))
		}
		return doc, false
	default:
		return doc, true
	}
}

var yamlLine = regexp.MustCompile(`(?s)^(?:unmarshal errors:\s*)?line (\d+): (.*)$`)

// top returns the mapping that a validation file consists of.
func (d *document) top() (*yaml.Node, bool) {
	var root, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader([]byte(d.Text)))
	err := dec.Decode(&root)
	if errors.Is(err, io.EOF) || err == nil && isNull(root.Content[0]) {
		d.findings = append(d.findings, d.Finding(finding.Place{}, finding.Error, finding.CodeEmptyFile, "the file is empty"))
		return nil, false
	}
	if err == nil {
		err = dec.Decode(&more)
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			d.fault(&more, finding.CodeInvalidYAML, "a second document begins here; a validation file is one document")
			return nil, false
		}
	}
	if err != nil {
		text, at := strings.TrimPrefix(err.Error(), "yaml: "), finding.Place{}
		if m := yamlLine.FindStringSubmatch(text); m != nil {
			at.Line, _ = strconv.Atoi(m[1]) // digits, by the pattern
			text = m[2]
		}
		d.findings = append(d.findings, d.Finding(at, finding.Error, finding.CodeInvalidYAML, "not YAML: %s", text))
		return nil, false
	}
	top := resolve(root.Content[0])
	if top.Kind != yaml.MappingNode {
		d.fault(top, finding.CodeInvalidSection, "a validation file is a mapping with %s", strings.Join(sections(), ", "))
		return nil, false
	}
	return top, true
}

// fault notes an error at a node.
func (d *document) fault(at *yaml.Node, code, text string, args ...any) {
	d.findings = append(d.findings, d.Finding(finding.At(at.Line, at.Column), finding.Error, code, text, args...))
}

// text reports whether a node is a string that says something, and notes an error otherwise.
func (d *document) text(node *yaml.Node, name string) bool {
	if node.Kind != yaml.ScalarNode || isNull(node) || strings.TrimSpace(node.Value) == "" {
		d.fault(node, finding.CodeInvalidSection, "%s must be a text that is not empty", name)
		return false
	}
	return true
}

// pairs iterates over a mapping's keys and values, and notes repeated keys.
func (d *document) pairs(mapping *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		seen := map[string]int{}
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			key, value := mapping.Content[i], resolve(mapping.Content[i+1])
			if line, again := seen[key.Value]; again {
				d.fault(key, finding.CodeInvalidSection, "%s is already at line %d", key.Value, line)
				continue
			}
			seen[key.Value] = key.Line
			if !yield(key, value) {
				return
			}
		}
	}
}

func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }
