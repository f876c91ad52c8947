package zed

import (
	"strings"

	"github.com/authzed/spicedb/pkg/schemadsl/compiler"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// Schema is a compiled schema. It does not change.
type Schema struct {
	Text        Text
	Definitions []*Definition // in the order in which they were written
	Caveats     []*Caveat     // in the order in which they were written
	Compiled    *compiler.CompiledSchema

	byName map[string]*Definition
}

// Definition returns the definition of a name, nil if there is none.
func (s *Schema) Definition(name string) *Definition { return s.byName[name] }

// Relation returns a relation or permission of a definition, nil if there is none.
func (s *Schema) Relation(definition, name string) *Relation {
	return s.byName[definition].Relation(name)
}

// Location is a place in one of the files that a schema was read from.
type Location struct {
	Source *finding.Source
	finding.Place
}

// Finding makes a finding there.
func (l Location) Finding(severity finding.Severity, code, text string, args ...any) finding.Finding {
	return l.Source.Finding(l.Place, severity, code, text, args...)
}

// Caveat is a named condition.
type Caveat struct {
	Name       string
	At         Location
	Comments   []string // before it, each as it was written
	Parameters map[string]string
	Expression string // in CEL, as SpiceDB shows it
}

// Definition is a type of objects.
type Definition struct {
	Name      string
	At        Location
	Comments  []string    // before it, each as it was written
	Relations []*Relation // relations and permissions, in the order in which they were written

	byName map[string]*Relation
}

// Relation returns a relation or permission, nil if there is none. It may be called on nil.
func (d *Definition) Relation(name string) *Relation {
	if d == nil {
		return nil
	}
	return d.byName[name]
}

// Relation is a relation, which has types of subjects, or a permission, which has an expression.
type Relation struct {
	Definition *Definition
	Name       string
	At         Location
	Comments   []string // before it, each as it was written
	Types      []Type   // of a relation
	Expr       *Expr    // of a permission; nil if it is a relation
}

// IsPermission reports whether it is a permission.
func (r *Relation) IsPermission() bool { return r.Expr != nil }

// Kind is the word of the schema language for it: relation or permission.
func (r *Relation) Kind() string {
	if r.IsPermission() {
		return "permission"
	}
	return "relation"
}

// String returns definition#name.
func (r *Relation) String() string { return r.Definition.Name + "#" + r.Name }

// Type is one kind of subject that a relation takes.
type Type struct {
	Definition string
	Relation   string // of a set of subjects, as member in group#member; "" for the object itself
	Wildcard   bool   // every object of the definition, as user:*
	Caveat     string // "" without
	Expiration bool
	At         Location
}

// String returns the type as it is written in a schema.
func (t Type) String() string {
	var s strings.Builder
	s.WriteString(t.Definition)
	switch {
	case t.Wildcard:
		s.WriteString(":*")
	case t.Relation != "":
		s.WriteString("#" + t.Relation)
	}
	traits := []string{}
	if t.Caveat != "" {
		traits = append(traits, t.Caveat)
	}
	if t.Expiration {
		traits = append(traits, "expiration")
	}
	if len(traits) > 0 {
		s.WriteString(" with " + strings.Join(traits, " and "))
	}
	return s.String()
}

// Op is what an expression does.
type Op int

// The operations. The first three have children, the others are leaves.
const (
	Union        Op = iota // a + b + …
	Intersection           // a & b & …
	Exclusion              // a - b: two children
	Reference              // a
	Arrow                  // a->b
	All                    // a.all(b)
	Nil                    // nil
	Self                   // self
)

// Expr is an expression of a permission, or a branch of one. Unions of unions
// are one union, as are intersections; one child alone stands for itself.
type Expr struct {
	Op       Op
	Children []*Expr
	Relation string // of Reference, Arrow and All: the relation or permission named first
	Target   string // of Arrow and All: what is asked of the objects found
	At       Location
}

// Walk calls visit for an expression and all below it, from the left, until visit returns false for one.
func (e *Expr) Walk(visit func(*Expr) bool) bool {
	if e == nil {
		return true
	}
	if !visit(e) {
		return false
	}
	for _, c := range e.Children {
		if !c.Walk(visit) {
			return false
		}
	}
	return true
}

// String returns the expression as it may be written in a schema.
func (e *Expr) String() string {
	switch e.Op { //nolint:exhaustive // the others are made of parts
	case Reference:
		return e.Relation
	case Arrow:
		return e.Relation + "->" + e.Target
	case All:
		return e.Relation + ".all(" + e.Target + ")"
	case Nil:
		return "nil"
	case Self:
		return "self"
	}
	parts := make([]string, len(e.Children))
	for i, c := range e.Children {
		parts[i] = c.String()
		if len(c.Children) > 0 {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, map[Op]string{Union: " + ", Intersection: " & ", Exclusion: " - "}[e.Op])
}
