package zed

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

var (
	noDefinition = regexp.MustCompile("^(?:could not lookup definition `[^`]+` for relation `[^`]+`: )?object definition `([^`]+)` not found$")
	noRelation   = regexp.MustCompile("^relation/permission `([^`]+)` not found under definition `([^`]+)`$")
	noCaveat     = regexp.MustCompile("^(?:could not lookup caveat `[^`]+` for relation `[^`]+`: )?caveat with name `([^`]+)` not found$")
	notAllowed   = regexp.MustCompile("^subjects of type `([^`]+)` are not allowed on relation `([^`#]+)#([^`]+)`(?:.*)$")
	toPermission = regexp.MustCompile("^cannot write a relationship to permission `([^`]+)` under definition `([^`]+)`$")
	leftOfArrow  = regexp.MustCompile("^under permission `[^`]+` under definition `([^`]+)`: permissions cannot be used on the left hand side of an arrow \\(found `([^`]+)`\\)$")
)

// Explain turns what SpiceDB says about the names of a schema into words that
// also say what there is instead.
func (s *Schema) Explain(message string) string {
	if m := noDefinition.FindStringSubmatch(message); m != nil {
		return "there is no definition `" + m[1] + "`" + finding.Suggest(m[1], s.definitionNames())
	}
	if m := noRelation.FindStringSubmatch(message); m != nil {
		return "`" + m[2] + "` has no relation or permission `" + m[1] + "`" + finding.Suggest(m[1], s.Definition(m[2]).names())
	}
	if m := noCaveat.FindStringSubmatch(message); m != nil {
		var names []string
		for _, c := range s.Caveats {
			names = append(names, c.Name)
		}
		return "there is no caveat `" + m[1] + "`" + finding.Suggest(m[1], names)
	}
	if m := notAllowed.FindStringSubmatch(message); m != nil {
		if r := s.Relation(m[2], m[3]); r != nil && len(r.Types) > 0 {
			return "`" + r.String() + "` takes no `" + m[1] + "`; it takes " + r.types()
		}
	}
	if m := toPermission.FindStringSubmatch(message); m != nil {
		return "`" + m[1] + "` is a permission of `" + m[2] + "`, which follows from relationships; write them to relations" + s.Definition(m[2]).relationNames()
	}
	if m := leftOfArrow.FindStringSubmatch(message); m != nil {
		return "`" + m[2] + "` is a permission; an arrow begins with a relation" + s.Definition(m[1]).relationNames()
	}
	return message
}

func (s *Schema) definitionNames() []string {
	names := make([]string, len(s.Definitions))
	for i, d := range s.Definitions {
		names[i] = d.Name
	}
	return names
}

// names returns the names of a definition's relations and permissions; none of nil.
func (d *Definition) names() []string {
	if d == nil {
		return nil
	}
	names := make([]string, len(d.Relations))
	for i, r := range d.Relations {
		names[i] = r.Name
	}
	return names
}

// relationNames lists some relations of a definition, for the end of a sentence.
func (d *Definition) relationNames() string {
	const most = 5
	var names []string
	if d != nil {
		for _, r := range d.Relations {
			if !r.IsPermission() {
				names = append(names, "`"+r.Name+"`")
			}
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case len(names) > most:
		return ", as " + strings.Join(names[:most], ", ") + ", …"
	default:
		return ", as " + strings.Join(names, ", ")
	}
}

// types lists what a relation takes.
func (r *Relation) types() string {
	names := make([]string, len(r.Types))
	for i, t := range r.Types {
		names[i] = "`" + t.String() + "`"
	}
	return strings.Join(slices.Compact(names), ", ")
}
