package scenario

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// document is a scenario file that is being read. What could not be read is among its findings.
type document struct {
	*finding.Source
	findings []finding.Finding
}

var yamlLine = regexp.MustCompile(`^line (\d+): (.*)`)

// roots returns the YAML documents of the file that are mappings.
func (d *document) roots() []*yaml.Node {
	var all []*yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader([]byte(d.Text)))
	for {
		var root yaml.Node
		err := dec.Decode(&root)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			at, text := finding.At(1, 1), strings.TrimPrefix(err.Error(), "yaml: ")
			if m := yamlLine.FindStringSubmatch(text); m != nil {
				at.Line, _ = strconv.Atoi(m[1]) // digits, by the pattern
				text = m[2]
			}
			d.note(d.Finding(at, finding.Error, finding.CodeInvalidYAML, "not YAML: %s", text))
			return nil
		}
		if top := resolve(root.Content[0]); top.Kind == yaml.MappingNode {
			all = append(all, top)
		} else if !isNull(top) {
			d.fault(top, CodeInvalidScenario, "a scenario is a mapping with accounts, members, expect and more")
		}
	}
	if len(all) == 0 && len(d.findings) == 0 {
		d.note(d.Finding(finding.Place{}, finding.Error, finding.CodeEmptyFile, "the file is empty"))
	}
	return all
}

func (d *document) note(f finding.Finding) { d.findings = append(d.findings, f) }

// fault notes an error at a node.
func (d *document) fault(at *yaml.Node, code, text string, args ...any) {
	d.note(d.Finding(finding.At(at.Line, at.Column), finding.Error, code, text, args...))
}

// faultAt notes an error at a place.
func (d *document) faultAt(at finding.Place, code, text string, args ...any) {
	d.note(d.Finding(at, finding.Error, code, text, args...))
}

// pairs iterates over a mapping's keys and values, and notes repeated keys. A node
// that is null has none; one of another kind has none either, and is noted.
func (d *document) pairs(node *yaml.Node, form string, args ...any) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if isNull(node) {
			return
		}
		if node.Kind != yaml.MappingNode {
			d.fault(node, CodeInvalidScenario, form, args...)
			return
		}
		seen := map[string]int{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := resolve(node.Content[i]), resolve(node.Content[i+1])
			if key.Kind != yaml.ScalarNode {
				d.fault(key, CodeInvalidScenario, "this must be a name")
				continue
			}
			if line, again := seen[key.Value]; again {
				d.fault(key, CodeDuplicateName, "%s is already at line %d", key.Value, line)
				continue
			}
			seen[key.Value] = key.Line
			if !yield(key, value) {
				return
			}
		}
	}
}

// only iterates over a mapping whose keys are known, and notes others.
func (d *document) only(node *yaml.Node, what string, known ...string) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for key, value := range d.pairs(node, "%s is a mapping with %s", what, strings.Join(known, ", ")) {
			if !contains(known, key.Value) {
				d.fault(key, CodeInvalidScenario, "%s has no %s%s; it has %s", what, strconv.Quote(key.Value), didYouMean(key.Value, known), strings.Join(known, ", "))
				continue
			}
			if !yield(key, value) {
				return
			}
		}
	}
}

// words returns the texts of a list, or of one text alone; none for null.
func (d *document) words(node *yaml.Node, what string) []word {
	node = resolve(node)
	switch {
	case isNull(node):
		return nil
	case node.Kind == yaml.ScalarNode:
		return []word{d.word(node)}
	case node.Kind != yaml.SequenceNode:
		d.fault(node, CodeInvalidScenario, "%s must be a name or a list of names", what)
		return nil
	}
	var all []word
	for _, item := range node.Content {
		item = resolve(item)
		if item.Kind != yaml.ScalarNode || isNull(item) {
			d.fault(item, CodeInvalidScenario, "%s must be a list of names", what)
			continue
		}
		all = append(all, d.word(item))
	}
	return all
}

// word is a text in a file and where it is.
type word struct {
	text string
	at   finding.Place
}

func (d *document) word(node *yaml.Node) word {
	return word{node.Value, schemacheck.Within(d.Source, node)(finding.At(1, 1))}
}

// text returns a node's text; false, and a finding, if it has none.
func (d *document) text(node *yaml.Node, what string) (word, bool) {
	if node.Kind != yaml.ScalarNode || isNull(node) || strings.TrimSpace(node.Value) == "" {
		d.fault(node, CodeInvalidScenario, "%s must be a text that is not empty", what)
		return word{}, false
	}
	return d.word(node), true
}

// flag returns whether a node says yes.
func (d *document) flag(node *yaml.Node, what string) bool {
	on, ok := onOff(node.Value)
	if node.Kind != yaml.ScalarNode || !ok {
		d.fault(node, CodeInvalidScenario, "%s is on or off", what)
	}
	return on
}

func onOff(text string) (on, ok bool) {
	switch strings.ToLower(text) {
	case "on", "true", "yes":
		return true, true
	case "off", "false", "no":
		return false, true
	default:
		return false, false
	}
}

func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }
