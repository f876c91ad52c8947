package diff

import (
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// comparison is the comparing of two schemas.
type comparison struct {
	before, after *zed.Schema
	verdicts      map[string]verdict   // by definition#name, of what is in both schemas
	unsure        map[string]bool      // too large to tell more than the form does
	formulas      map[string]*formulas // the same
	caveat        map[string]bool      // those that mean something else now
	changes       []Change
}

func newComparison(before, after *zed.Schema) *comparison {
	c := &comparison{
		before: before, after: after, verdicts: map[string]verdict{}, unsure: map[string]bool{},
		formulas: map[string]*formulas{}, caveat: map[string]bool{},
	}
	for _, old := range before.Caveats {
		if now := caveatNamed(after, old.Name); now != nil && !sameCaveat(before, after, old, now) {
			c.caveat[old.Name] = true
		}
	}
	return c
}

// settle gives everything that is in both schemas its verdict. At first all
// counts as unchanged; a verdict only ever grows, so that this ends.
func (c *comparison) settle() {
	for grown := true; grown; {
		grown = false
		for _, old := range c.before.Definitions {
			now := c.after.Definition(old.Name)
			for _, r := range old.Relations {
				to := now.Relation(r.Name)
				if to == nil {
					continue
				}
				v := c.verdicts[r.String()] | c.judge(r, to)
				if v != c.verdicts[r.String()] {
					c.verdicts[r.String()], grown = v, true
				}
			}
		}
	}
}

// judge says what may become of a relation or permission, by the verdicts so far.
func (c *comparison) judge(old, now *zed.Relation) verdict {
	if !old.IsPermission() && !now.IsPermission() {
		return c.ofTypes(old, now) | c.ofSets(old, now)
	}
	both, ok := c.formulas[old.String()]
	if !ok {
		both = newFormulas(old, now)
		c.formulas[old.String()] = both
	}
	v, sure := both.became(func(leaf string) verdict { return c.ofLeaf(old.Definition, now.Definition, leaf) })
	c.unsure[old.String()] = !sure
	return v
}

// of is the verdict on a relation or permission, wherever it is.
func (c *comparison) of(definition, name string) verdict {
	old, now := c.before.Relation(definition, name), c.after.Relation(definition, name)
	switch {
	case old == nil && now == nil:
		return 0
	case old == nil:
		return mayWiden
	case now == nil:
		return mayNarrow
	default:
		return c.verdicts[old.String()]
	}
}

// ofLeaf is the verdict on a leaf of a formula of a definition. What only one of
// the schemas has means nothing in the other, where no formula asks for it.
func (c *comparison) ofLeaf(old, now *zed.Definition, leaf string) verdict {
	relation, target, all := arrow(leaf)
	if relation == "" {
		if old.Relation(leaf) == nil || now.Relation(leaf) == nil { // also self
			return 0
		}
		return c.verdicts[old.Name+"#"+leaf]
	}
	was, is := old.Relation(relation), now.Relation(relation)
	if was == nil || is == nil {
		return 0
	}
	if was.IsPermission() || is.IsPermission() {
		return mayBoth
	}
	v := c.ofTypes(was, is)
	if v != 0 && all { // one object more to agree can take access, too
		v = mayBoth
	}
	for _, definition := range targets(was, is) {
		v |= c.of(definition, target)
	}
	return v
}

// arrow reads a leaf that is an arrow, and returns no relation for others.
func arrow(leaf string) (relation, target string, all bool) {
	if relation, target, found := strings.Cut(leaf, "->"); found {
		return relation, target, false
	}
	if relation, target, found := strings.Cut(leaf, ".all("); found {
		return relation, strings.TrimSuffix(target, ")"), true
	}
	return "", "", false
}

// targets returns the definitions of the subjects of a relation, before and after.
func targets(old, now *zed.Relation) []string {
	return names(old.Types, now.Types, func(t zed.Type) string { return t.Definition })
}

// ofTypes is what the types of subjects make of a relation: those that a relation
// does not take any more narrow it, those that it did not take yet widen it.
func (c *comparison) ofTypes(old, now *zed.Relation) (v verdict) {
	for _, t := range old.Types {
		if !takes(now, t) {
			v |= mayNarrow
		}
		if c.caveat[t.Caveat] {
			v |= mayBoth
		}
	}
	for _, t := range now.Types {
		if !slices.ContainsFunc(old.Types, func(o zed.Type) bool { return covers(o, t) }) {
			v |= mayWiden
		}
	}
	return v
}

// ofSets is what sets of subjects make of a relation, as group#member does when it has changed.
func (c *comparison) ofSets(old, now *zed.Relation) (v verdict) {
	for _, t := range slices.Concat(old.Types, now.Types) {
		if t.Relation != "" && takes(old, t) && takes(now, t) {
			v |= c.of(t.Definition, t.Relation)
		}
	}
	return v
}

// takes reports whether a relation takes exactly a type of subject.
func takes(r *zed.Relation, t zed.Type) bool {
	return slices.ContainsFunc(r.Types, func(o zed.Type) bool { return o.String() == t.String() })
}

// covers reports whether whoever can be let in by type t can be let in by type o.
func covers(o, t zed.Type) bool {
	return o.Definition == t.Definition && o.Relation == t.Relation && o.Wildcard == t.Wildcard &&
		(o.Caveat == "" || o.Caveat == t.Caveat) && (!o.Expiration || t.Expiration)
}
