package scenario

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// The sections of a scenario.
const (
	sectionTitle         = "scenario"
	sectionScenarios     = "scenarios"
	sectionEnvironment   = "environment"
	sectionRoles         = "roles"
	sectionAccounts      = "accounts"
	sectionMembers       = "members"
	sectionBlocked       = "blocked"
	sectionOperators     = "operators"
	sectionTokens        = "api_tokens"
	sectionFeatures      = "features"
	sectionPlans         = "plans"
	sectionRelationships = "relationships"
	sectionExpect        = "expect"
	sectionSteps         = "steps"
	sectionWhen          = "when"
)

// givens are the sections that say what there is, in the order in which they are read: each refers to those before.
func givens() []string {
	return []string{
		sectionEnvironment, sectionRoles, sectionFeatures, sectionPlans, sectionAccounts, sectionMembers,
		sectionBlocked, sectionOperators, sectionTokens, sectionRelationships,
	}
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// scenarioLine is a section that other YAML files are unlikely to have.
var scenarioLine = regexp.MustCompile(`(?m)^["']?(scenario|scenarios|expect)["']?\s*:`)

// files is the kind of file that directories are searched for.
func files() schemacheck.Kind {
	return schemacheck.Kind{Name: "scenario file", Belongs: func(path string) bool {
		text, err := os.ReadFile(path)
		return err != nil || strings.TrimSpace(string(text)) == "" || scenarioLine.Match(text)
	}}
}

// phase is some steps, and what is expected after them.
type phase struct {
	steps  []step
	checks []expectation
}

// scenario is one scenario of a file, ready to be run.
type scenario struct {
	*state
	begins finding.Place
	phases []phase
}

// scenarios reads all scenarios of a file. Those that could not be read whole are
// left out; why, is among the findings.
func (d *document) scenarios(model *Model) []*scenario {
	var all []*scenario
	for _, root := range d.roots() {
		shared := section(root, sectionScenarios)
		if shared == nil {
			all = d.add(all, model, root)
			continue
		}
		for key := range d.only(root, "a file with several scenarios", append(givens(), sectionTitle, sectionScenarios)...) {
			if key.Value == sectionTitle {
				d.fault(key, CodeInvalidScenario, "each scenario of the list has a sentence of its own; what they share has none")
			}
		}
		if shared.Kind != yaml.SequenceNode {
			d.fault(shared, CodeInvalidScenario, "scenarios is a list of scenarios")
			continue
		}
		for _, item := range shared.Content {
			all = d.add(all, model, root, resolve(item))
		}
	}
	return all
}

// add reads the scenario that some mappings make up together: the last has its expectations.
func (d *document) add(all []*scenario, model *Model, parts ...*yaml.Node) []*scenario {
	before := len(d.findings)
	own := parts[len(parts)-1]
	s := &scenario{state: newState(d, model), begins: finding.At(own.Line, own.Column)}
	for key, value := range d.only(own, "a scenario", append(givens(), sectionTitle, sectionExpect, sectionSteps)...) {
		if key.Value == sectionTitle {
			if title, ok := d.text(value, sectionTitle); ok {
				s.title = strings.TrimSpace(title.text)
			}
		}
	}
	for _, name := range givens() {
		for _, part := range parts {
			if node := section(part, name); node != nil {
				s.read(name, node)
			}
		}
	}
	s.settle()
	first := phase{}
	if node := section(own, sectionExpect); node != nil {
		first.checks = s.readExpectations(node)
	}
	s.phases = append(s.phases, first)
	if node := section(own, sectionSteps); node != nil {
		s.readPhases(node)
	}
	if len(d.findings) > before {
		return all
	}
	n := 0
	for _, p := range s.phases {
		n += len(p.checks) + len(p.steps)
	}
	if n == 0 {
		d.note(d.Finding(finding.At(own.Line, own.Column), finding.Warning, finding.CodeNothingChecked, "the scenario expects nothing, so only its accounts and members are checked"))
	}
	return append(all, s)
}

func (s *scenario) readPhases(node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		s.fault(node, CodeInvalidScenario, "steps is a list, each with when and expect")
		return
	}
	for _, item := range node.Content {
		var p phase
		item = resolve(item)
		for range s.only(item, "an entry of steps", sectionWhen, sectionExpect) { // notes what is unknown
		}
		if when := section(item, sectionWhen); when != nil {
			p.steps = s.readSteps(when)
		}
		if expect := section(item, sectionExpect); expect != nil {
			p.checks = s.readExpectations(expect)
		}
		s.phases = append(s.phases, p)
	}
}

// section returns the value of a key of a mapping; nil if there is none.
func section(mapping *yaml.Node, name string) *yaml.Node {
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return resolve(mapping.Content[i+1])
		}
	}
	return nil
}
