package zed

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/authzed/spicedb/pkg/caveats"
	"github.com/authzed/spicedb/pkg/caveats/types"
	"github.com/authzed/spicedb/pkg/namespace"
	corev1 "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/schemadsl/compiler"
	"github.com/authzed/spicedb/pkg/tuple"
)

// tree turns what the compiler made into a Schema.
type tree struct {
	text     Text
	compiled *compiler.CompiledSchema
	files    map[string]Text // by the compiler's name for them
}

func newTree(text Text, compiled *compiler.CompiledSchema) *Schema {
	t := &tree{text: text, compiled: compiled, files: map[string]Text{RootName: text}}
	s := &Schema{Text: text, Compiled: compiled, byName: map[string]*Definition{}}
	for _, d := range compiled.ObjectDefinitions { // all files are known before a relation of a partial is looked for
		t.file(d.GetName())
	}
	for name := range t.imports(text) {
		t.file(name)
	}
	for _, c := range compiled.CaveatDefinitions {
		s.Caveats = append(s.Caveats, t.caveat(c))
	}
	for _, d := range compiled.ObjectDefinitions {
		def := t.definition(d)
		s.Definitions = append(s.Definitions, def)
		s.byName[def.Name] = def
	}
	return s
}

// file returns the text that has the definition, partial or caveat of a name.
func (t *tree) file(name string) Text {
	in := t.compiled.GetPathToDefinitionOrPartialOrCaveat(name)
	if in == "" {
		in = RootName
	}
	return t.named(in)
}

func (t *tree) named(name string) Text {
	if known, ok := t.files[name]; ok {
		return known
	}
	t.files[name] = t.text.inFile(name)
	return t.files[name]
}

var importLine = regexp.MustCompile(`(?m)^\s*import\s+["']([^"']+)["']`)

// imports returns the names of the files that a text imports, and those that they
// import; each is looked for beside the file that names it.
func (t *tree) imports(text Text) map[string]Text {
	found := map[string]Text{}
	var add func(text Text, dir string)
	add = func(text Text, dir string) {
		for _, name := range Imports(text.Schema) {
			name = path.Join(dir, name)
			if _, seen := found[name]; seen {
				continue
			}
			if file := t.named(name); file.Schema != "" {
				found[name] = file
				add(file, path.Dir(name))
			}
		}
	}
	add(text, "")
	return found
}

// Imports returns the names of the files that a schema imports, as it writes them.
func Imports(schema string) []string {
	var names []string
	for _, m := range importLine.FindAllStringSubmatch(schema, -1) {
		names = append(names, m[1])
	}
	return names
}

func (t *tree) location(in Text, p *corev1.SourcePosition) Location {
	if p == nil {
		return Location{Source: in.Source}
	}
	return Location{Source: in.Source, Place: in.Placed(placeOf(p))}
}

func (t *tree) caveat(c *corev1.CaveatDefinition) *Caveat {
	out := &Caveat{
		Name: c.GetName(), At: t.location(t.file(c.GetName()), c.GetSourcePosition()),
		Comments: namespace.GetComments(c.GetMetadata()), Parameters: map[string]string{},
	}
	variables, err := types.DecodeParameterTypes(types.Default.TypeSet, c.GetParameterTypes())
	if err != nil {
		return out
	}
	for name, kind := range variables {
		out.Parameters[name] = kind.String()
	}
	if expression, err := caveats.DeserializeCaveatWithDefaultTypeSet(c.GetSerializedExpression(), variables); err == nil {
		out.Expression, _ = expression.ExprString() // for people; "" if there is none
	}
	return out
}

func (t *tree) definition(d *corev1.NamespaceDefinition) *Definition {
	in := t.file(d.GetName())
	def := &Definition{
		Name: d.GetName(), At: t.location(in, d.GetSourcePosition()),
		Comments: namespace.GetComments(d.GetMetadata()), byName: map[string]*Relation{},
	}
	for _, r := range d.GetRelation() {
		rel := t.relation(def, in, r)
		def.Relations = append(def.Relations, rel)
		def.byName[rel.Name] = rel
	}
	return def
}

func (t *tree) relation(def *Definition, in Text, r *corev1.Relation) *Relation {
	in = t.writtenIn(in, r)
	rel := &Relation{Definition: def, Name: r.GetName(), At: t.location(in, r.GetSourcePosition()), Comments: namespace.GetComments(r.GetMetadata())}
	for _, allowed := range r.GetTypeInformation().GetAllowedDirectRelations() {
		rel.Types = append(rel.Types, t.allowed(in, allowed))
	}
	if r.GetUsersetRewrite() != nil {
		rel.Expr = t.rewrite(in, r.GetUsersetRewrite())
		if rel.Expr.At.Line == 0 {
			rel.Expr.At = rel.At
		}
	}
	return rel
}

// writtenIn returns the text that a relation was written in: that of its
// definition, or, if it comes from a partial, the one that has it at its place.
func (t *tree) writtenIn(definition Text, r *corev1.Relation) Text {
	at := placeOf(r.GetSourcePosition())
	has := func(text Text) bool {
		lines := strings.Split(text.Schema, "\n")
		if at.Line < 1 || at.Line > len(lines) {
			return false
		}
		line := []rune(lines[at.Line-1])
		words := strings.FieldsFunc(string(line[min(at.Column-1, len(line)):]), func(r rune) bool { return r == ' ' || r == '\t' || r == ':' || r == '=' })
		return len(words) > 1 && (words[0] == "relation" || words[0] == "permission") && words[1] == r.GetName()
	}
	if has(definition) {
		return definition
	}
	for _, name := range slices.Sorted(maps.Keys(t.files)) {
		if has(t.files[name]) {
			return t.files[name]
		}
	}
	return definition
}

func (t *tree) allowed(in Text, a *corev1.AllowedRelation) Type {
	out := Type{
		Definition: a.GetNamespace(), Wildcard: a.GetPublicWildcard() != nil, Caveat: a.GetRequiredCaveat().GetCaveatName(),
		Expiration: a.GetRequiredExpiration() != nil, At: t.location(in, a.GetSourcePosition()),
	}
	if a.GetRelation() != tuple.Ellipsis {
		out.Relation = a.GetRelation()
	}
	return out
}

func (t *tree) rewrite(in Text, r *corev1.UsersetRewrite) *Expr {
	e := &Expr{At: t.location(in, r.GetSourcePosition())}
	var set *corev1.SetOperation
	switch op := r.GetRewriteOperation().(type) {
	case *corev1.UsersetRewrite_Union:
		e.Op, set = Union, op.Union
	case *corev1.UsersetRewrite_Intersection:
		e.Op, set = Intersection, op.Intersection
	case *corev1.UsersetRewrite_Exclusion:
		e.Op, set = Exclusion, op.Exclusion
	}
	for _, c := range set.GetChild() {
		e.Children = append(e.Children, t.child(in, c))
	}
	if len(e.Children) == 1 {
		return e.Children[0]
	}
	return e
}

func (t *tree) child(in Text, c *corev1.SetOperation_Child) *Expr {
	e := &Expr{At: t.location(in, c.GetSourcePosition())}
	switch kind := c.GetChildType().(type) {
	case *corev1.SetOperation_Child_ComputedUserset:
		e.Op, e.Relation = Reference, kind.ComputedUserset.GetRelation()
	case *corev1.SetOperation_Child_TupleToUserset:
		e.Op, e.Relation, e.Target = Arrow, kind.TupleToUserset.GetTupleset().GetRelation(), kind.TupleToUserset.GetComputedUserset().GetRelation()
	case *corev1.SetOperation_Child_FunctionedTupleToUserset:
		e.Op, e.Relation, e.Target = Arrow, kind.FunctionedTupleToUserset.GetTupleset().GetRelation(), kind.FunctionedTupleToUserset.GetComputedUserset().GetRelation()
		if kind.FunctionedTupleToUserset.GetFunction() == corev1.FunctionedTupleToUserset_FUNCTION_ALL {
			e.Op = All
		}
	case *corev1.SetOperation_Child_UsersetRewrite:
		at := e.At
		e = t.rewrite(in, kind.UsersetRewrite)
		if e.At.Line == 0 {
			e.At = at
		}
	case *corev1.SetOperation_Child_XSelf:
		e.Op = Self
	default: // nil; `this` is not written in schemas
		e.Op = Nil
	}
	return e
}
