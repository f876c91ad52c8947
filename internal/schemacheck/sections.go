package schemacheck

import (
	"strings"

	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"
	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// parseRelationships reads one relationship a line; empty lines and // comments are skipped.
func (d *document) parseRelationships(node *yaml.Node) {
	if isNull(node) {
		return
	}
	if node.Kind != yaml.ScalarNode {
		d.fault(node, finding.CodeInvalidSection, "relationships is a text with one relationship a line")
		return
	}
	placed := within(d.Source, node)
	seen := map[string]int{}
	for i, line := range strings.Split(node.Value, "\n") {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "//") {
			continue
		}
		at := placed(finding.At(i+1, strings.Index(line, text)+1))
		rel, err := tuple.Parse(text)
		if err != nil {
			d.findings = append(d.findings, d.Finding(at, finding.Error, finding.CodeInvalidRelationship,
				"%q is not a relationship; write type:id#relation@type:id, and after it, where the schema allows, [caveat] or [expiration:2030-01-31T00:00:00Z]", text))
			continue
		}
		name := tuple.StringWithoutCaveatOrExpiration(rel)
		if line, again := seen[name]; again {
			d.findings = append(d.findings, d.Finding(at, finding.Error, finding.CodeDuplicateRelationship, "%s is already at line %d", name, line))
			continue
		}
		seen[name] = at.Line
		d.relationships = append(d.relationships, relationship{rel, at})
	}
}

// parseAssertions reads the three lists of assertions.
func (d *document) parseAssertions(node *yaml.Node) {
	if isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		d.fault(node, finding.CodeInvalidSection, "assertions is a mapping with the lists assertTrue, assertFalse and assertCaveated")
		return
	}
	for key, list := range d.pairs(node) {
		want, known := map[string]outcome{"assertTrue": isTrue, "assertFalse": isFalse, "assertCaveated": isCaveated}[key.Value]
		if !known {
			d.fault(key, finding.CodeInvalidSection, "assertions has no %q; it has assertTrue, assertFalse and assertCaveated", key.Value)
			continue
		}
		for item := range d.items(list, key.Value) {
			a := assertion{want: want, at: within(d.Source, item)(finding.At(1, 1))}
			if err := a.UnmarshalYAML(item); err != nil {
				d.findings = append(d.findings, d.Finding(a.at, finding.Error, finding.CodeInvalidAssertion,
					`%q is not an assertion; write type:id#permission@type:id, and after it, if a caveat needs it, with {"name": "value"}`, item.Value))
				continue
			}
			d.assertions = append(d.assertions, a)
		}
	}
}

// parseExpectations reads the subjects expected for each resource and permission.
func (d *document) parseExpectations(node *yaml.Node) {
	if isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		d.fault(node, finding.CodeInvalidSection, "validation is a mapping from type:id#permission to the list of expected subjects")
		return
	}
	for key, list := range d.pairs(node) {
		e := expectation{at: within(d.Source, key)(finding.At(1, 1))}
		if err := e.key.UnmarshalYAML(key); err != nil {
			d.findings = append(d.findings, d.Finding(e.at, finding.Error, finding.CodeInvalidExpectation,
				"%q is no resource with a permission; write type:id#permission", key.Value))
			continue
		}
		whole := true
		for item := range d.items(list, key.Value) {
			var subject blocks.ExpectedSubject
			if err := subject.UnmarshalYAML(item); err != nil || subject.SubjectWithExceptions == nil {
				whole = false
				d.findings = append(d.findings, d.Finding(within(d.Source, item)(finding.At(1, 1)), finding.Error, finding.CodeInvalidExpectation,
					"%q is no expected subject; write [type:id] is <type:id#relation>", item.Value))
				continue
			}
			at := within(d.Source, item)(finding.At(1, 1))
			subject.SourcePosition.LineNumber, subject.SourcePosition.ColumnPosition = at.Line, at.Column
			e.subjects = append(e.subjects, subject)
		}
		if whole {
			d.expectations = append(d.expectations, e)
		}
	}
}

// items iterates over the strings of a list, and notes what is none.
func (d *document) items(list *yaml.Node, name string) func(yield func(*yaml.Node) bool) {
	return func(yield func(*yaml.Node) bool) {
		if isNull(list) {
			return
		}
		if list.Kind != yaml.SequenceNode {
			d.fault(list, finding.CodeInvalidSection, "%s must be a list", name)
			return
		}
		for _, item := range list.Content {
			item = resolve(item)
			if item.Kind != yaml.ScalarNode {
				d.fault(item, finding.CodeInvalidSection, "an entry of %s must be a text in quotes", name)
				continue
			}
			if !yield(item) {
				return
			}
		}
	}
}
