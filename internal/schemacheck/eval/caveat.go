package eval

import (
	"maps"

	"github.com/authzed/spicedb/pkg/caveats"
	"github.com/authzed/spicedb/pkg/caveats/types"
	corev1 "github.com/authzed/spicedb/pkg/proto/core/v1"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// caveatSet evaluates the caveats of a schema. Each is prepared when it is first needed.
type caveatSet struct {
	definitions map[string]*corev1.CaveatDefinition
	ready       map[string]*caveats.CompiledCaveat
}

func newCaveatSet(schema *zed.Schema) caveatSet {
	set := caveatSet{definitions: map[string]*corev1.CaveatDefinition{}, ready: map[string]*caveats.CompiledCaveat{}}
	for _, d := range schema.Compiled.CaveatDefinitions {
		set.definitions[d.GetName()] = d
	}
	return set
}

// evaluate decides a caveat of a relationship. What the relationship says counts before what the check gives.
func (s caveatSet) evaluate(c *corev1.ContextualizedCaveat, given map[string]any) (Outcome, error) {
	compiled, err := s.compiled(c.GetCaveatName())
	if err != nil {
		return Undecided, err
	}
	values := maps.Clone(given)
	if values == nil {
		values = map[string]any{}
	}
	maps.Copy(values, c.GetContext().AsMap())
	typed, err := caveats.ConvertContextToParameters(types.Default.TypeSet, values,
		s.definitions[c.GetCaveatName()].GetParameterTypes(), caveats.SkipUnknownParameters)
	if err != nil {
		return Undecided, err
	}
	result, err := caveats.EvaluateCaveat(compiled, typed)
	switch {
	case err != nil:
		return Undecided, err
	case result.IsPartial():
		return Conditional, nil
	case result.Value():
		return Allowed, nil
	default:
		return Denied, nil
	}
}

func (s caveatSet) compiled(name string) (*caveats.CompiledCaveat, error) {
	if c, ok := s.ready[name]; ok {
		return c, nil
	}
	d := s.definitions[name]
	variables, err := types.DecodeParameterTypes(types.Default.TypeSet, d.GetParameterTypes())
	if err != nil {
		return nil, err
	}
	c, err := caveats.DeserializeCaveatWithDefaultTypeSet(d.GetSerializedExpression(), variables)
	if err != nil {
		return nil, err
	}
	s.ready[name] = c
	return c, nil
}
