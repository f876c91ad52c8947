package cover

import (
	"fmt"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// Kind says what part of a schema an item is.
type Kind string

// The kinds of items.
const (
	Relation   Kind = "relation"
	Type       Kind = "type" // of the subjects of a relation that has more than one
	Permission Kind = "permission"
	Branch     Kind = "branch" // of a permission's expression
)

// Item is a part of a schema, with the number of assertions that saw it come to
// each outcome. An assertion that saw it come to several, at several resources, counts for each.
type Item struct {
	Kind       Kind
	Definition string
	Relation   string // or permission
	Text       string // a type or branch, as it may be written; "" otherwise
	At         zed.Location
	End        finding.Place // after its last character
	CanAllow   bool          // some relationships would make it allow; any item can deny

	Reached, Allowed, Denied, Conditional int
}

// String returns what the item is: the relation, and the part of it.
func (i *Item) String() string {
	if i.Text == "" {
		return fmt.Sprintf("%s %s#%s", i.Kind, i.Definition, i.Relation)
	}
	return fmt.Sprintf("%s %s of %s#%s", i.Kind, i.Text, i.Definition, i.Relation)
}

// Possible returns how many outcomes the item can have: 1 or 2.
func (i *Item) Possible() int {
	if i.CanAllow {
		return 2
	}
	return 1
}

// Seen returns how many of its possible outcomes the item was seen to have.
func (i *Item) Seen() int {
	n := 0
	if i.CanAllow && i.Allowed > 0 {
		n++
	}
	if i.Denied > 0 {
		n++
	}
	return n
}

// Missing says which possible outcomes were not seen; "" if none.
func (i *Item) Missing() string {
	allowed := i.Allowed > 0 || !i.CanAllow
	switch {
	case allowed && i.Denied > 0:
		return ""
	case i.Reached == 0:
		return "never reached"
	case allowed:
		return "never denied"
	case i.Denied > 0:
		return "never allowed"
	default:
		return "only conditional"
	}
}

// key is the same for the same part of the same file, however often it is read.
func (i *Item) key(path string) string {
	return fmt.Sprintf("%s:%d:%d %s#%s %s", i.At.Source.Path, i.At.Line, i.At.Column, i.Definition, i.Relation, path)
}

func (i *Item) add(o *Item) {
	i.Reached += o.Reached
	i.Allowed += o.Allowed
	i.Denied += o.Denied
	i.Conditional += o.Conditional
}
