package cover

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/schemacheck/eval"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// Profile counts what assertions reached. It must not be used by two goroutines at once.
type Profile struct {
	items   map[string]*Item
	schemas map[*zed.Schema]index
}

// index has the items of the parts of one compiled schema.
type index map[any]*Item // by *zed.Relation, *zed.Type and *zed.Expr

// New makes a profile of a schema that no assertion has reached yet.
func New(s *zed.Schema) *Profile {
	p := &Profile{items: map[string]*Item{}, schemas: map[*zed.Schema]index{}}
	p.indexOf(s)
	return p
}

// Items returns all parts, by file, line and column; what contains others at the same place comes before them.
func (p *Profile) Items() []*Item {
	keys := make([]string, 0, len(p.items))
	for key := range p.items {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		x, y := p.items[a], p.items[b]
		return cmp.Or(cmp.Compare(x.At.Source.Path, y.At.Source.Path), cmp.Compare(x.At.Line, y.At.Line), cmp.Compare(x.At.Column, y.At.Column),
			cmp.Compare(x.Definition, y.Definition), cmp.Compare(a, b))
	})
	all := make([]*Item, len(keys))
	for i, key := range keys {
		all[i] = p.items[key]
	}
	return all
}

// Add runs a check and counts what it reached. The world may be of any schema;
// one that the profile does not have yet is taken in. It returns the verdict.
func (p *Profile) Add(w *eval.World, resource, subject tuple.ObjectAndRelation, context map[string]any) eval.Verdict {
	parts := p.indexOf(w.Schema())
	type seen struct {
		item    *Item
		outcome eval.Outcome
	}
	reached, outcomes := map[*Item]bool{}, map[seen]bool{}
	v := w.Check(resource, subject, context, func(s eval.Step) {
		var part any = s.Relation
		switch {
		case s.Expr != nil:
			part = s.Expr
		case s.Type != nil:
			part = s.Type
		}
		if item := parts[part]; item != nil {
			reached[item] = true
			outcomes[seen{item, s.Outcome}] = true
		}
	})
	for item := range reached {
		item.Reached++
	}
	for s := range outcomes {
		switch s.outcome {
		case eval.Allowed:
			s.item.Allowed++
		case eval.Denied:
			s.item.Denied++
		case eval.Conditional:
			s.item.Conditional++
		case eval.Undecided: // reached, no more
		}
	}
	return v
}

// Merge adds what another profile counted. Parts at the same place of the same
// file are the same part, whichever validation file led to it.
func (p *Profile) Merge(o *Profile) {
	for key, theirs := range o.items {
		if ours, ok := p.items[key]; ok {
			ours.add(theirs)
			continue
		}
		c := *theirs
		p.items[key] = &c
	}
}

// indexOf returns the items of a schema, which it makes if the profile has none for them.
func (p *Profile) indexOf(s *zed.Schema) index {
	if known, ok := p.schemas[s]; ok {
		return known
	}
	c := collector{profile: p, schema: s, can: newPossible(s), found: index{}}
	for _, d := range s.Definitions {
		for _, r := range d.Relations {
			c.relation(r)
		}
	}
	p.schemas[s] = c.found
	return c.found
}

type collector struct {
	profile *Profile
	schema  *zed.Schema
	can     possible
	found   index
}

func (c *collector) relation(r *zed.Relation) {
	kind := Relation
	if r.IsPermission() {
		kind = Permission
	}
	c.item(r, Item{Kind: kind, At: r.At, End: endOf(r.At, relationText), CanAllow: c.can[r]}, r, "")
	if len(r.Types) > 1 { // one alone is the relation
		for i := range r.Types {
			t := &r.Types[i]
			c.item(t, Item{Kind: Type, Text: t.String(), At: t.At, End: endOf(t.At, typeText), CanAllow: c.can.kind(c.schema, *t)}, r, fmt.Sprintf("type/%03d", i))
		}
	}
	if r.IsPermission() { // the whole expression is the permission
		c.children(r, r.Expr, "branch")
	}
}

func (c *collector) children(r *zed.Relation, e *zed.Expr, path string) {
	for i, child := range e.Children {
		path := fmt.Sprintf("%s/%03d", path, i)
		if child.Op != zed.Nil {
			c.item(child, Item{Kind: Branch, Text: child.String(), At: child.At, End: endOfBranch(child), CanAllow: c.can.branch(c.schema, r, child)}, r, path)
		}
		c.children(r, child, path)
	}
}

// item takes in an item for a part of a relation or permission.
func (c *collector) item(part any, item Item, of *zed.Relation, path string) {
	item.Definition, item.Relation = of.Definition.Name, of.Name
	key := item.key(path)
	if c.profile.items[key] == nil {
		c.profile.items[key] = &item
	}
	c.found[part] = c.profile.items[key]
}
