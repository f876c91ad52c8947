package scenario

import (
	"errors"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// readExpectations reads a list of expectations, or one alone. What is wrong with any of them is noted.
func (s *state) readExpectations(node *yaml.Node) []expectation {
	if isNull(node) {
		return nil
	}
	items := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		items = node.Content
	}
	var all []expectation
	for _, item := range items {
		before := len(s.findings)
		e, ok := s.readExpectation(resolve(item))
		if ok && len(s.findings) == before && s.known(&e) {
			all = append(all, e)
		}
	}
	return all
}

func (s *state) readExpectation(item *yaml.Node) (expectation, bool) {
	switch {
	case item.Kind == yaml.ScalarNode && !isNull(item):
		return s.parse(item, nil, false)
	case item.Kind == yaml.MappingNode && section(item, "who") != nil:
		return s.readStructured(item)
	case item.Kind == yaml.MappingNode && len(item.Content) == 2:
		key := resolve(item.Content[0])
		return s.parse(key, s.words(item.Content[1], "what follows "+strconv.Quote(key.Value)), true)
	default:
		s.fault(item, CodeInvalidScenario, "an expectation is a sentence, a sentence with a list after a colon, or a mapping with who, may, may_not, in and on")
		return expectation{}, false
	}
}

func (s *state) parse(node *yaml.Node, list []word, listed bool) (expectation, bool) {
	e, err := parseExpectation(s.sentence(node), listed, list)
	return e, !s.wrong(err)
}

// sentence cuts a node's text into words.
func (s *state) sentence(node *yaml.Node) *sentence {
	placed := schemacheck.Within(s.Source, node)
	return newSentence(node.Value, func(column int) finding.Place { return placed(finding.At(1, column)) })
}

// wrong notes what is wrong with a sentence; false if nothing is.
func (s *state) wrong(err error) bool {
	if w, ok := errors.AsType[*wrongSentence](err); ok {
		s.faultAt(w.at, CodeInvalidSentence, "%s", w.text)
	}
	return err != nil
}

// readStructured reads an expectation in the form of a mapping.
func (s *state) readStructured(item *yaml.Node) (expectation, bool) {
	e := expectation{at: finding.At(item.Line, item.Column)}
	said := map[string]bool{}
	for key, value := range s.only(item, "an expectation", "who", "may", "may_not", "in", "on") {
		said[key.Value] = true
		switch words := s.words(value, key.Value); key.Value {
		case "who":
			e.subjects = words
		case "may", "may_not":
			e.rights, e.not = words, key.Value == "may_not"
		case "in", "on":
			e.places = words
			if key.Value == "on" {
				e.where = onObject
			}
		}
	}
	if said["may"] == said["may_not"] || said["in"] == said["on"] || len(e.subjects) == 0 || len(e.rights) == 0 || len(e.places) == 0 {
		s.fault(item, CodeInvalidScenario, "an expectation needs who, one of may and may_not, and one of in and on, each with a name or a list of names")
		return e, false
	}
	return e, true
}

// known checks that all names of an expectation are, and puts the names of the schema for what may be done.
func (s *state) known(e *expectation) bool {
	before := len(s.findings)
	switch e.claim {
	case may, onlyMay:
		for _, w := range e.subjects {
			s.names.check(s, w, subjects()...)
		}
		types := map[string]bool{}
		for _, p := range e.places {
			types[s.placeType(e.where, p)] = true
		}
		for _, r := range e.rights {
			for t := range types {
				s.knownRight(t, r)
			}
		}
	case accountsAre:
		s.names.check(s, e.subjects[0], subjects()...)
		s.knownRight(relation.TypeAccount, e.rights[0])
		for _, w := range e.list {
			s.names.check(s, w, anAccount)
		}
	case hasFeatures, featuresAre:
		for _, w := range e.subjects {
			s.names.check(s, w, anAccount)
		}
		for _, w := range e.list {
			s.names.check(s, w, aFeature)
		}
	}
	return len(s.findings) == before
}

// placeType returns the type of the object at a place; "" and a finding if it is none.
func (s *state) placeType(kind placeKind, p word) string {
	switch kind {
	case inEnvironment:
		return relation.TypeEnvironment
	case onObject:
		objectType, id, ok := strings.Cut(p.text, ":")
		if !ok || objectType == "" || id == "" {
			s.faultAt(p.at, CodeInvalidSentence, "%s is no object; write type:id", account.Quote(p.text))
			return ""
		}
		if s.model.schema.Definition(objectType) == nil {
			s.faultAt(p.at, CodeUnknownName, "the schema has no definition %s%s", account.Quote(objectType), didYouMean(objectType, s.model.types()))
			return ""
		}
		return objectType
	default:
		if !s.names.check(s, p, anAccount) {
			return ""
		}
		return relation.TypeAccount
	}
}

func (s *state) knownRight(objectType string, r word) {
	if objectType == "" {
		return // noted
	}
	if _, ok := s.model.right(objectType, r.text); !ok {
		s.faultAt(r.at, CodeUnknownName, "%s has no permission %s%s", objectType, account.Quote(r.text), didYouMean(r.text, s.model.rights(objectType)))
	}
}
