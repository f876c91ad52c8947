package zed

import (
	"context"

	corev1 "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/schema"
	"github.com/authzed/spicedb/pkg/spiceerrors"
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
	return found.Finding(finding.Error, finding.CodeInvalidSchema, "%s", err)
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

// takeOut takes what is at a place out of a definition, and reports whether anything was there.
func takeOut(d *corev1.NamespaceDefinition, at finding.Place) bool {
	for i, r := range d.GetRelation() {
		if c := branchAt(r.GetUsersetRewrite(), at); c != nil {
			if c.GetXNil() != nil {
				return false
			}
			c.ChildType = &corev1.SetOperation_Child_XNil{XNil: &corev1.SetOperation_Child_Nil{}}
			return true
		}
		types := r.GetTypeInformation().GetAllowedDirectRelations()
		for j, t := range types {
			if placeOf(t.GetSourcePosition()) == at {
				r.GetTypeInformation().AllowedDirectRelations = append(types[:j:j], types[j+1:]...)
				return true
			}
		}
		if placeOf(r.GetSourcePosition()) == at {
			d.Relation = append(d.Relation[:i:i], d.Relation[i+1:]...)
			return true
		}
	}
	return false
}
