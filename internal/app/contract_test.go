package app_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/httpapi"
)

// contract is as much of the API's document as it takes to send every operation.
type contract struct {
	Paths      map[string]map[string]contractOperation
	Components struct{ Schemas map[string]*contractSchema }
}

type contractOperation struct {
	Parameters  []struct{ Name, In string }
	RequestBody struct {
		Content map[string]struct{ Schema *contractSchema }
	}
}

type contractSchema struct {
	Ref        string `json:"$ref"`
	Type       any
	Required   []string
	Properties map[string]*contractSchema
	Items      *contractSchema
	Enum       []any
	Examples   []any
}

func readContract(t *testing.T) contract {
	t.Helper()
	raw, err := httpapi.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc contract
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// bodies are bodies that an operation takes, nil if it takes none: with what it needs, and with each field that names an account.
func (d contract) bodies(op contractOperation) []any {
	schema := d.deref(op.RequestBody.Content["application/json"].Schema)
	if schema == nil {
		return []any{nil}
	}
	least, _ := d.value("", schema).(map[string]any)
	out := []any{least}
	for name := range schema.Properties {
		if _, there := least[name]; !there && (name == "account" || name == "parent") {
			more := map[string]any{name: "{B}"}
			maps.Copy(more, least)
			out = append(out, more)
		}
	}
	return out
}

func (d contract) deref(s *contractSchema) *contractSchema {
	if s != nil && s.Ref != "" {
		return d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	return s
}

// value is something that a schema allows, for a field with a name.
func (d contract) value(name string, s *contractSchema) any {
	s = d.deref(s)
	kind, _ := s.Type.(string)
	if kinds, several := s.Type.([]any); several {
		kind, _ = kinds[0].(string)
	}
	switch {
	case name == "account" || name == "parent":
		return "{B}"
	case name == "resource":
		return "account:{B}"
	case name == "subject":
		return "user:lord"
	case name == "roles":
		return []any{"viewer"}
	case name == "email":
		return "guest@example.com"
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.Examples) > 0:
		return s.Examples[0]
	}
	switch kind {
	case "object":
		out := map[string]any{}
		for _, field := range s.Required {
			out[field] = d.value(field, s.Properties[field])
		}
		return out
	case "array":
		return []any{d.value("", s.Items)}
	case "integer", "number":
		return 1
	case "boolean":
		return true
	default:
		return "something"
	}
}
