package zed

import (
	"context"
	"slices"

	corev1 "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/schema"
	"github.com/authzed/spicedb/pkg/spiceerrors"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/protobuf/proto"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// typeErrors returns every place at which types do not fit together. SpiceDB
// stops at the first of a definition, so what it names is taken out of a copy, and asked again.
func (s *Schema) typeErrors(ctx context.Context) []finding.Finding {
	system := schema.NewTypeSystem(schema.ResolverForCompiledSchema(s.Compiled))
	var findings []finding.Finding
	for _, d := range s.Compiled.ObjectDefinitions {
		rest := proto.CloneOf(d)
		for {
			err := validate(ctx, system, rest)
			if err == nil {
				break
			}
			at := finding.Place{}
			if place, ok := spiceerrors.AsWithSourceError(err); ok {
				at = finding.Place{Line: int(place.LineNumber), Column: int(place.ColumnPosition)} //nolint:gosec // lines of a file
			}
			findings = append(findings, s.typeError(d.GetName(), at, err))
			if !takeOut(rest, at) {
				break
			}
		}
	}
	return findings
}

func validate(ctx context.Context, system *schema.TypeSystem, d *corev1.NamespaceDefinition) error {
	def, err := schema.NewDefinition(d)
	if err == nil {
		_, err = system.Validate(ctx, def)
	}
	return err
}

// typeError makes a finding in the file that has what is at a place of a definition.
func (s *Schema) typeError(definition string, at finding.Place, err error) finding.Finding {
	def := s.Definition(definition)
	found := Location{Source: def.At.Source, Place: def.At.Place}
	for i, r := range s.compiledRelations(definition) {
		if holds(r, at) {
			found = Location{Source: def.Relations[i].At.Source, Place: at}
			if found.Source == s.Text.Source {
				found.Place = s.Text.Placed(at)
			}
			break
		}
	}
	return found.Finding(finding.Error, finding.CodeInvalidSchema, "%s", s.Explain(err.Error()))
}

func (s *Schema) compiledRelations(definition string) []*corev1.Relation {
	for _, d := range s.Compiled.ObjectDefinitions {
		if d.GetName() == definition {
			return d.GetRelation()
		}
	}
	return nil
}

// holds reports whether a relation, one of its types or a branch of its expression is at a place.
func holds(r *corev1.Relation, at finding.Place) bool {
	if placeOf(r.GetSourcePosition()) == at {
		return true
	}
	for _, t := range r.GetTypeInformation().GetAllowedDirectRelations() {
		if placeOf(t.GetSourcePosition()) == at {
			return true
		}
	}
	return branchAt(r.GetUsersetRewrite(), at) != nil
}

// branchAt returns the branch of an expression at a place, a leaf before what it is part of.
func branchAt(rewrite *corev1.UsersetRewrite, at finding.Place) *corev1.SetOperation_Child {
	for _, set := range []*corev1.SetOperation{rewrite.GetUnion(), rewrite.GetIntersection(), rewrite.GetExclusion()} {
		for _, c := range set.GetChild() {
			if inner := branchAt(c.GetUsersetRewrite(), at); inner != nil {
				return inner
			}
			if placeOf(c.GetSourcePosition()) == at {
				return c
			}
		}
	}
	return nil
}

// takeOut puts what is always right in the place of what is wrong in a definition:
// nil for a branch, the definition itself for a type. It reports whether there was anything to replace.
func takeOut(d *corev1.NamespaceDefinition, at finding.Place) bool {
	harmless := func(t *corev1.AllowedRelation) bool {
		return t.GetNamespace() == d.GetName() && t.GetRelation() == tuple.Ellipsis
	}
	replace := func(t *corev1.AllowedRelation) {
		t.Namespace, t.RelationOrWildcard = d.GetName(), &corev1.AllowedRelation_Relation{Relation: tuple.Ellipsis}
		t.RequiredCaveat, t.RequiredExpiration = nil, nil
	}
	for _, r := range d.GetRelation() {
		if c := branchAt(r.GetUsersetRewrite(), at); c != nil {
			was := c.GetXNil() != nil
			c.ChildType = &corev1.SetOperation_Child_XNil{XNil: &corev1.SetOperation_Child_Nil{}}
			return !was
		}
		info := r.GetTypeInformation()
		for i, t := range info.GetAllowedDirectRelations() {
			if placeOf(t.GetSourcePosition()) != at {
				continue
			}
			if harmless(t) {
				return false
			}
			if slices.ContainsFunc(info.AllowedDirectRelations, harmless) {
				info.AllowedDirectRelations = slices.Delete(info.AllowedDirectRelations, i, i+1)
			} else {
				replace(t)
			}
			return true
		}
	}
	return false
}
