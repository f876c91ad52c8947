package diff

import (
	"cmp"
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// Kind says what happened to a part of a schema.
type Kind string

// The kinds of changes; stable.
const (
	DefinitionAdded       Kind = "definition_added"
	DefinitionRemoved     Kind = "definition_removed"
	RelationAdded         Kind = "relation_added"
	RelationRemoved       Kind = "relation_removed"
	RelationWidened       Kind = "relation_widened"  // by what its sets of subjects lead to
	RelationNarrowed      Kind = "relation_narrowed" // the same
	RelationChanged       Kind = "relation_changed"  // the same, both ways or nobody can tell which
	RelationToPermission  Kind = "relation_to_permission"
	PermissionToRelation  Kind = "permission_to_relation"
	SubjectTypeAdded      Kind = "subject_type_added"
	SubjectTypeRemoved    Kind = "subject_type_removed"
	SubjectTypeConditions Kind = "subject_type_conditions" // another caveat or expiration on a type that stays
	PermissionAdded       Kind = "permission_added"
	PermissionRemoved     Kind = "permission_removed"
	PermissionWidened     Kind = "permission_widened"
	PermissionNarrowed    Kind = "permission_narrowed"
	PermissionChanged     Kind = "permission_changed"   // both ways, or nobody can tell which
	PermissionRewritten   Kind = "permission_rewritten" // other words for the same
	CaveatAdded           Kind = "caveat_added"
	CaveatRemoved         Kind = "caveat_removed"
	CaveatChanged         Kind = "caveat_changed"
)

// Place is where a change can be seen.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`   // counted from 1; 0 if unknown
	Column int    `json:"column,omitempty"` // in characters, counted from 1; 0 if unknown
	Old    bool   `json:"old,omitempty"`    // in the old schema, as of what was removed
}

// Change is one thing that differs.
type Change struct {
	Kind     Kind     `json:"kind"`
	Breaking bool     `json:"breaking"`          // somebody may lose access, or a request that worked may fail
	Subject  string   `json:"subject"`           // a definition, definition#relation, or the name of a caveat
	Before   string   `json:"before,omitempty"`  // the expression or type of subject that was
	After    string   `json:"after,omitempty"`   // the one that is
	Through  []string `json:"through,omitempty"` // what it leads to and has itself changed; at most some
	Indirect bool     `json:"indirect,omitempty"`
	Message  string   `json:"message"` // a sentence
	Place    Place    `json:"place"`

	Removal *Removal `json:"-"`                 // the relationships that the new schema has no place for; nil if there can be none
	Orphans *Orphans `json:"orphans,omitempty"` // how many of them there are; nil if nobody has counted
}

// Removal selects relationships that a schema has no place for any more.
type Removal struct {
	Definition string    // of the resource
	Relation   string    // "" is every one
	Type       *zed.Type // of the subject; nil is every one
}

// Orphans is a number of relationships, counted up to a limit.
type Orphans struct {
	Count int  `json:"count"`
	More  bool `json:"more,omitempty"` // there are more than Count
}

// Result is the difference between two schemas.
type Result struct {
	Changes []Change `json:"changes"` // the breaking ones first, then by subject and kind; never nil
}

// Breaking returns how many changes are breaking.
func (r Result) Breaking() int {
	n := 0
	for _, c := range r.Changes {
		if c.Breaking {
			n++
		}
	}
	return n
}

// Compare returns what changes in terms of access when one schema takes the place of another.
func Compare(before, after *zed.Schema) Result {
	c := newComparison(before, after)
	c.settle()
	for _, name := range names(before.Definitions, after.Definitions, func(d *zed.Definition) string { return d.Name }) {
		c.definition(before.Definition(name), after.Definition(name))
	}
	c.caveats()
	slices.SortStableFunc(c.changes, func(a, b Change) int {
		return cmp.Or(first(a.Breaking, b.Breaking), first(!a.Indirect, !b.Indirect), cmp.Compare(a.Subject, b.Subject),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Before, b.Before), cmp.Compare(a.After, b.After))
	})
	return Result{Changes: append([]Change{}, c.changes...)}
}

// first orders what is true before what is not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// names returns the names in two lists, sorted, each once.
func names[T any](a, b []T, name func(T) string) []string {
	var all []string
	for _, list := range [][]T{a, b} {
		for _, v := range list {
			all = append(all, name(v))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// place is a location as a change has it.
func place(at zed.Location, old bool) Place {
	p := Place{Line: at.Line, Column: at.Column, Old: old}
	if at.Source != nil {
		p.File = at.Source.Path
	}
	return p
}
