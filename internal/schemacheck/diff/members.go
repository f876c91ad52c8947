package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// mostThrough is how many of those that lead to a change are named.
const mostThrough = 8

func (c *comparison) add(change Change) { c.changes = append(c.changes, change) }

// definition adds what changed in a definition; either is nil if there is none.
func (c *comparison) definition(old, now *zed.Definition) {
	switch {
	case old == nil:
		c.add(Change{Kind: DefinitionAdded, Subject: now.Name, Place: place(now.At, false), Message: "definition " + now.Name + " is new"})
		return
	case now == nil:
		c.add(Change{
			Kind: DefinitionRemoved, Breaking: true, Subject: old.Name, Place: place(old.At, true), Removal: &Removal{Definition: old.Name},
			Message: "definition " + old.Name + " is gone, with everything in it",
		})
		return
	}
	for _, name := range names(old.Relations, now.Relations, func(r *zed.Relation) string { return r.Name }) {
		c.member(old.Relation(name), now.Relation(name))
	}
}

// member adds what changed in a relation or permission; either is nil if there is none.
func (c *comparison) member(old, now *zed.Relation) {
	switch {
	case old == nil:
		kind := RelationAdded
		if now.IsPermission() {
			kind = PermissionAdded
		}
		c.add(Change{
			Kind: kind, Subject: now.String(), After: written(now), Place: place(now.At, false),
			Message: fmt.Sprintf("%s %s is new", now.Kind(), now),
		})
	case now == nil:
		change := Change{
			Kind: PermissionRemoved, Breaking: true, Subject: old.String(), Before: written(old), Place: place(old.At, true),
			Message: fmt.Sprintf("%s %s is gone: whoever asks for it gets an error", old.Kind(), old),
		}
		if !old.IsPermission() {
			change.Kind, change.Removal = RelationRemoved, &Removal{Definition: old.Definition.Name, Relation: old.Name}
			change.Message = fmt.Sprintf("relation %s is gone, with what it granted", old)
		}
		c.add(change)
	case old.IsPermission() != now.IsPermission():
		c.turned(old, now)
	case now.IsPermission():
		c.permission(old, now)
	default:
		c.relation(old, now)
	}
}

// turned adds that a relation has become a permission, or the reverse.
func (c *comparison) turned(old, now *zed.Relation) {
	change := Change{
		Kind: PermissionToRelation, Breaking: true, Subject: old.String(), Before: written(old), After: written(now), Place: place(now.At, false),
		Message: fmt.Sprintf("permission %s is a relation now: what granted it does so no more", old),
	}
	if now.IsPermission() {
		change.Kind, change.Removal = RelationToPermission, &Removal{Definition: old.Definition.Name, Relation: old.Name}
		change.Message = fmt.Sprintf("relation %s is a permission now: no relationship can be written to it", old)
	}
	c.add(change)
}

// relation adds what changed in the types of a relation's subjects, and in what these lead to.
func (c *comparison) relation(old, now *zed.Relation) {
	fresh := slices.DeleteFunc(slices.Clone(now.Types), func(t zed.Type) bool { return takes(old, t) })
	for _, t := range old.Types {
		if takes(now, t) {
			continue
		}
		change := Change{
			Kind: SubjectTypeRemoved, Breaking: true, Subject: old.String(), Before: t.String(), Place: place(t.At, true),
			Removal: &Removal{Definition: old.Definition.Name, Relation: old.Name, Type: &t},
			Message: fmt.Sprintf("relation %s does not take %s any more", old, t),
		}
		if t.Wildcard {
			change.Message += ": nobody has it by being one of them"
		}
		same := slices.IndexFunc(fresh, func(f zed.Type) bool {
			return f.Definition == t.Definition && f.Relation == t.Relation && f.Wildcard == t.Wildcard
		})
		if same >= 0 {
			change.Kind, change.After, change.Place = SubjectTypeConditions, fresh[same].String(), place(fresh[same].At, false)
			change.Message = fmt.Sprintf("relation %s takes %s where it took %s: relationships written before do not fit", old, fresh[same], t)
			fresh = slices.Delete(fresh, same, same+1)
		}
		c.add(change)
	}
	for _, t := range fresh {
		message := fmt.Sprintf("relation %s takes %s too", now, t)
		if t.Wildcard {
			message += ": one relationship can let in every one of them"
		}
		c.add(Change{Kind: SubjectTypeAdded, Subject: now.String(), After: t.String(), Place: place(t.At, false), Message: message})
	}
	if v := c.ofSets(old, now); v != 0 {
		c.add(Change{
			Kind: map[verdict]Kind{mayNarrow: RelationNarrowed, mayWiden: RelationWidened, mayBoth: RelationChanged}[v], Breaking: v&mayNarrow != 0, Indirect: true,
			Subject: now.String(), Place: place(now.At, false), Through: c.through(old, now),
			Message: fmt.Sprintf("relation %s is %s by the sets of subjects in it", now, words(v)),
		})
	}
}

// permission adds what became of a permission.
func (c *comparison) permission(old, now *zed.Relation) {
	v, rewritten := c.verdicts[old.String()], old.Expr.String() != now.Expr.String()
	if v == 0 && !rewritten {
		return
	}
	change := Change{Subject: now.String(), Before: written(old), After: written(now), Place: place(now.Expr.At, false)}
	if v == 0 {
		change.Kind, change.Message = PermissionRewritten, fmt.Sprintf("permission %s is written in another way, and means the same", now)
		c.add(change)
		return
	}
	change.Kind = map[verdict]Kind{mayNarrow: PermissionNarrowed, mayWiden: PermissionWidened, mayBoth: PermissionChanged}[v]
	change.Breaking, change.Indirect, change.Through = v&mayNarrow != 0, !rewritten, c.through(old, now)
	change.Message = fmt.Sprintf("permission %s is %s", now, words(v))
	switch {
	case c.unsure[old.String()]:
		change.Message = fmt.Sprintf("permission %s may be %s: it is too large to tell", now, words(v))
	case !rewritten:
		change.Message = fmt.Sprintf("permission %s is %s too, through what it refers to", now, words(v))
	}
	c.add(change)
}

func words(v verdict) string {
	switch v {
	case mayNarrow:
		return "narrowed"
	case mayWiden:
		return "widened"
	default:
		return "narrowed for some and widened for others"
	}
}

// through returns what a relation or permission leads to directly and has itself
// another meaning now, sorted; only some if there are many.
func (c *comparison) through(old, now *zed.Relation) []string {
	var all []string
	note := func(definition, name string) {
		if c.of(definition, name) != 0 {
			all = append(all, definition+"#"+name)
		}
	}
	for _, t := range slices.Concat(old.Types, now.Types) {
		if t.Relation != "" {
			note(t.Definition, t.Relation)
		}
	}
	for _, r := range []*zed.Relation{old, now} {
		r.Expr.Walk(func(e *zed.Expr) bool {
			if e.Relation == "" {
				return true
			}
			to := r.Definition.Relation(e.Relation)
			if e.Op == zed.Reference {
				note(r.Definition.Name, e.Relation)
			} else if to != nil {
				note(r.Definition.Name, e.Relation)
				for _, t := range to.Types {
					note(t.Definition, e.Target)
				}
			}
			return true
		})
	}
	slices.Sort(all)
	all = slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == old.String() })
	return all[:min(len(all), mostThrough)]
}

// written is a relation's types or a permission's expression, as a schema has them.
func written(r *zed.Relation) string {
	if r.IsPermission() {
		return r.Expr.String()
	}
	types := make([]string, len(r.Types))
	for i, t := range r.Types {
		types[i] = t.String()
	}
	return strings.Join(types, " | ")
}
