package diff

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

func caveatNamed(s *zed.Schema, name string) *zed.Caveat {
	i := slices.IndexFunc(s.Caveats, func(c *zed.Caveat) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return s.Caveats[i]
}

// sameCaveat reports whether two caveats of one name are written the same; of
// those that cannot be shown, whether they were compiled to the same.
func sameCaveat(before, after *zed.Schema, old, now *zed.Caveat) bool {
	if !maps.Equal(old.Parameters, now.Parameters) || old.Expression != now.Expression {
		return false
	}
	return old.Expression != "" || bytes.Equal(serialised(before, old.Name), serialised(after, now.Name))
}

func serialised(s *zed.Schema, name string) []byte {
	for _, c := range s.Compiled.CaveatDefinitions {
		if c.GetName() == name {
			return c.GetSerializedExpression()
		}
	}
	return nil
}

// caveats adds what changed among the caveats.
func (c *comparison) caveats() {
	for _, name := range names(c.before.Caveats, c.after.Caveats, func(c *zed.Caveat) string { return c.Name }) {
		old, now := caveatNamed(c.before, name), caveatNamed(c.after, name)
		switch {
		case old == nil:
			c.add(Change{Kind: CaveatAdded, Subject: name, After: signature(now), Place: place(now.At, false), Message: "caveat " + name + " is new"})
		case now == nil:
			c.add(Change{Kind: CaveatRemoved, Breaking: true, Subject: name, Before: signature(old), Place: place(old.At, true), Message: "caveat " + name + " is gone"})
		case c.caveat[name]:
			c.add(Change{
				Kind: CaveatChanged, Breaking: true, Subject: name, Before: signature(old), After: signature(now), Place: place(now.At, false),
				Message: "caveat " + name + " is another condition: whether fewer subjects meet it cannot be told from the schema",
			})
		}
	}
}

// signature is a caveat on one line.
func signature(c *zed.Caveat) string {
	parameters := make([]string, 0, len(c.Parameters))
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		parameters = append(parameters, name+" "+c.Parameters[name])
	}
	return c.Name + "(" + strings.Join(parameters, ", ") + ") { " + strings.Join(strings.Fields(c.Expression), " ") + " }"
}
