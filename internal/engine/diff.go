package engine

import (
	"slices"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
)

// removes begins the description of every difference that takes something away.
const removes = "removes "

// describe puts the differences between two schemas into words, sorted and without repeats.
// It leaves out comments, which mean nothing to SpiceDB.
func describe(diffs []*v1.ReflectionSchemaDiff) []string {
	var out []string
	for _, d := range diffs {
		if s := difference(d); s != "" {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func difference(d *v1.ReflectionSchemaDiff) string {
	switch d := d.GetDiff().(type) {
	case *v1.ReflectionSchemaDiff_DefinitionDocCommentChanged,
		*v1.ReflectionSchemaDiff_RelationDocCommentChanged,
		*v1.ReflectionSchemaDiff_PermissionDocCommentChanged,
		*v1.ReflectionSchemaDiff_CaveatDocCommentChanged:
		return ""
	case *v1.ReflectionSchemaDiff_DefinitionAdded:
		return "adds definition " + d.DefinitionAdded.GetName()
	case *v1.ReflectionSchemaDiff_DefinitionRemoved:
		return removes + "definition " + d.DefinitionRemoved.GetName()
	case *v1.ReflectionSchemaDiff_RelationAdded:
		return "adds relation " + relation(d.RelationAdded)
	case *v1.ReflectionSchemaDiff_RelationRemoved:
		return removes + "relation " + relation(d.RelationRemoved)
	case *v1.ReflectionSchemaDiff_RelationSubjectTypeAdded:
		return "adds a type of subject to relation " + relation(d.RelationSubjectTypeAdded.GetRelation()) +
			": " + subject(d.RelationSubjectTypeAdded.GetChangedSubjectType())
	case *v1.ReflectionSchemaDiff_RelationSubjectTypeRemoved:
		return removes + "a type of subject from relation " + relation(d.RelationSubjectTypeRemoved.GetRelation()) +
			": " + subject(d.RelationSubjectTypeRemoved.GetChangedSubjectType())
	case *v1.ReflectionSchemaDiff_PermissionAdded:
		return "adds permission " + permission(d.PermissionAdded)
	case *v1.ReflectionSchemaDiff_PermissionRemoved:
		return removes + "permission " + permission(d.PermissionRemoved)
	case *v1.ReflectionSchemaDiff_PermissionExprChanged:
		return "changes permission " + permission(d.PermissionExprChanged)
	default:
		return caveatDifference(d)
	}
}

func caveatDifference(d any) string {
	switch d := d.(type) {
	case *v1.ReflectionSchemaDiff_CaveatAdded:
		return "adds caveat " + d.CaveatAdded.GetName()
	case *v1.ReflectionSchemaDiff_CaveatRemoved:
		return removes + "caveat " + d.CaveatRemoved.GetName()
	case *v1.ReflectionSchemaDiff_CaveatExprChanged:
		return "changes caveat " + d.CaveatExprChanged.GetName()
	case *v1.ReflectionSchemaDiff_CaveatParameterAdded:
		return "adds parameter " + parameter(d.CaveatParameterAdded)
	case *v1.ReflectionSchemaDiff_CaveatParameterRemoved:
		return removes + "parameter " + parameter(d.CaveatParameterRemoved)
	case *v1.ReflectionSchemaDiff_CaveatParameterTypeChanged:
		return "changes parameter " + parameter(d.CaveatParameterTypeChanged.GetParameter())
	default: // a kind of difference from a later SpiceDB: unknown is not the same as equal
		return "changes something that this version of Tenantry cannot name"
	}
}

func relation(r *v1.ReflectionRelation) string {
	return r.GetParentDefinitionName() + "#" + r.GetName()
}

func permission(p *v1.ReflectionPermission) string {
	return p.GetParentDefinitionName() + "#" + p.GetName()
}

func parameter(p *v1.ReflectionCaveatParameter) string {
	return p.GetParentCaveatName() + "(" + p.GetName() + ")"
}

func subject(t *v1.ReflectionTypeReference) string {
	s := t.GetSubjectDefinitionName()
	switch {
	case t.GetIsPublicWildcard():
		s += ":*"
	case t.GetOptionalRelationName() != "":
		s += "#" + t.GetOptionalRelationName()
	}
	if t.GetOptionalCaveatName() != "" {
		s += " with " + t.GetOptionalCaveatName()
	}
	return s
}
