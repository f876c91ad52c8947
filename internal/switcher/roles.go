package switcher

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/switcher/paged"
	"github.com/tenantry/tenantry/schema"
)

// rights is a set of permissions of the catalogue, a bit for each, by its place there. It is never changed.
type rights []uint64

func (r rights) has(permission int) bool {
	return permission>>6 < len(r) && r[permission>>6]&(1<<(permission&63)) != 0
}

func (r rights) with(permission int) rights {
	out := slices.Clone(r)
	for len(out) <= permission>>6 {
		out = append(out, 0)
	}
	out[permission>>6] |= 1 << (permission & 63)
	return out
}

// union adds other rights to a set that is still being made.
func (r rights) union(other rights) rights {
	for len(r) < len(other) {
		r = append(r, 0)
	}
	for i, word := range other {
		r[i] |= word
	}
	return r
}

// roles are the roles of an environment, and the sets of them that memberships carry.
type roles struct {
	all   paged.Array[role]
	byKey map[account.RoleKey]slot // copied when it changes
	sets  paged.Array[roleSet]
	by    *paged.Edit
}

type role struct {
	key   account.RoleKey
	holds rights
}

// roleSet is what one or more memberships carry.
type roleSet struct {
	roles []slot // in the order of their keys
	keys  []account.RoleKey
	holds rights // all together
}

// catalogued numbers the permissions of a catalogue.
type catalogued map[string]int // by key, alias and relation

func number(c *schema.Catalogue) catalogued {
	out := catalogued{}
	for i, p := range c.Permissions {
		out[p.Relation], out[string(p.Key)] = i, i
		for _, alias := range p.Aliases {
			out[string(alias)] = i
		}
	}
	return out
}

// set adds a role, or changes what it holds. A Conflict fault (permission_gone) if the catalogue does not have all of that.
func (r *roles) set(e *paged.Edit, names catalogued, v account.Role) error {
	var holds rights
	for _, key := range v.Permissions {
		i, ok := names[string(key)]
		if !ok {
			return fault.New(fault.Conflict, "permission_gone",
				"role %s has the permission %s, which is not in the catalogue; start with the catalogue that has it (--permissions)", v.Key, account.Quote(string(key)))
		}
		holds = holds.with(i)
	}
	at, known := r.byKey[v.Key]
	if !known {
		r.own(e)
		r.byKey[v.Key] = r.all.Add(e, role{v.Key, holds})
		return nil
	}
	r.all.Set(e, at, role{v.Key, holds})
	for i := range uint32(r.sets.Len()) { //nolint:gosec // G115: a length
		if set := r.sets.At(i); slices.Contains(set.roles, at) {
			set.holds = r.together(set.roles)
			r.sets.Set(e, i, set)
		}
	}
	return nil
}

// remove forgets a role, which nothing carries any more. Its slot stays, so that no set can mean another role.
func (r *roles) remove(e *paged.Edit, key account.RoleKey) {
	r.own(e)
	delete(r.byKey, key)
}

func (r *roles) own(e *paged.Edit) {
	if r.by == e {
		return
	}
	copied := make(map[account.RoleKey]slot, len(r.byKey)+1)
	maps.Copy(copied, r.byKey)
	r.by, r.byKey = e, copied
}

func (r *roles) together(of []slot) rights {
	var all rights
	for _, at := range of {
		all = all.union(r.all.At(at).holds)
	}
	return all
}

// isWorn returns an outOfStep fault when most sets of roles, or most roles, are ones that nothing has any more:
// loading anew is how they are forgotten.
func (w *writer) isWorn() error {
	const spare = 4096
	if w.roles.sets.Len() > spare+2*w.memberships.byPair.Len() || w.roles.all.Len() > spare+2*len(w.roles.byKey) {
		return outOfStep("the index keeps %d sets of %d roles, more than are in use", w.roles.sets.Len(), w.roles.all.Len())
	}
	return nil
}

// setNumbers finds the sets of roles that there are; the writer's.
type setNumbers map[string]uint32

// carried returns the number of a set of roles, all of which must be known.
func (r *roles) carried(e *paged.Edit, known setNumbers, keys []account.RoleKey) (uint32, error) {
	if !slices.IsSorted(keys) {
		keys = slices.Sorted(slices.Values(keys))
	}
	name := make([]byte, 0, 64) // of few roles, which stays on the stack
	for _, key := range keys {
		at, ok := r.byKey[key]
		if !ok {
			return 0, outOfStep("role %s is carried and not there", key)
		}
		name = binary.LittleEndian.AppendUint32(name, at)
	}
	if n, ok := known[string(name)]; ok {
		return n, nil
	}
	set := roleSet{keys: slices.Clone(keys)}
	for _, key := range keys {
		set.roles = append(set.roles, r.byKey[key])
	}
	set.holds = r.together(set.roles)
	n := r.sets.Add(e, set)
	known[string(name)] = n
	return n, nil
}

const codeOutOfStep = "index_out_of_step"

// outOfStep is the Internal fault (index_out_of_step) of an entry that does not fit what the index holds.
func outOfStep(format string, args ...any) error {
	return fault.New(fault.Internal, codeOutOfStep, format, args...)
}
