package relation

import (
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// Update is one change of the engine. There are only these two, so that applying an entry again does no harm.
type Update struct {
	Delete bool // otherwise touch: make it so
	Relationship
}

// Updates returns what a journal entry asks of the engine, in the order in which
// it is safe to do it piece by piece: first what takes access away, then what
// gives it, then the ends of always_on, whose holders have by then been given
// grants of their own (S4). What has expired by now is taken away rather than
// touched (U6).
func (p *Projector) Updates(entry account.Entry, now time.Time) ([]Update, error) {
	last := make(map[Key]int, 2*len(entry.Changes)) // index into updates
	var updates []Update
	note := func(u Update) {
		if i, seen := last[u.Key]; seen {
			updates[i] = u
			return
		}
		last[u.Key] = len(updates)
		updates = append(updates, u)
	}
	for _, c := range entry.Changes {
		before, err := p.implied(entry.Environment, c.Before)
		if err != nil {
			return nil, err
		}
		after, err := p.implied(entry.Environment, c.After)
		if err != nil {
			return nil, err
		}
		for _, r := range before {
			if !slices.ContainsFunc(after, func(o Relationship) bool { return o.Key == r.Key }) {
				note(Update{Delete: true, Relationship: r})
			}
		}
		for _, r := range after {
			if !slices.Contains(before, r) {
				note(Update{Delete: r.expired(now), Relationship: r})
			}
		}
	}
	inSafeOrder(updates)
	return updates, nil
}

func (p *Projector) implied(env account.EnvironmentID, e *account.Entity) ([]Relationship, error) {
	if e == nil {
		return nil, nil
	}
	return p.Implied(env, *e)
}

func (r Relationship) expired(now time.Time) bool {
	return r.Expires != 0 && r.Expires <= now.Unix()
}

func inSafeOrder(updates []Update) {
	slices.SortStableFunc(updates, func(a, b Update) int { return a.rank() - b.rank() })
}

func (u Update) rank() int {
	switch {
	case u.Delete && u.SubjectRelation != "": // always_on
		return 2
	case u.Delete != u.withholds():
		return 0
	default:
		return 1
	}
}

// withholds reports whether the relationship takes away what others give, so that
// its end is what gives.
func (r Relationship) withholds() bool {
	switch r.Relation {
	case "blocked", "own_plan", "feature_off", "branch_feature_off":
		return true
	default:
		return false
	}
}

// Set is a set of relationships with their expiry: what a directory implies, or what an engine holds.
type Set map[Key]int64

// Add puts relationships into the set.
func (s Set) Add(rels ...Relationship) {
	for _, r := range rels {
		s[r.Key] = r.Expires
	}
}

// Apply does to the set what the updates do to the engine.
func (s Set) Apply(updates []Update) {
	for _, u := range updates {
		if u.Delete {
			delete(s, u.Key)
		} else {
			s[u.Key] = u.Expires
		}
	}
}

// Drift is how an engine differs from what the directory implies.
type Drift struct {
	Missing []Relationship // implied, not held
	Extra   []Relationship // held, not implied
	Wrong   []Relationship // held with another expiry than the one given here
}

// Empty reports whether there is no drift.
func (d Drift) Empty() bool { return d.Len() == 0 }

// Len is the number of relationships that differ.
func (d Drift) Len() int { return len(d.Missing) + len(d.Extra) + len(d.Wrong) }

// Repairs returns the updates that remove the drift, in the order of Updates.
func (d Drift) Repairs() []Update {
	out := make([]Update, 0, d.Len())
	for _, r := range d.Extra {
		out = append(out, Update{Delete: true, Relationship: r})
	}
	for _, r := range slices.Concat(d.Wrong, d.Missing) {
		out = append(out, Update{Relationship: r})
	}
	inSafeOrder(out)
	return out
}

// Compare returns how held differs from implied. What is implied only up to
// settled, or expired before, is not missed: the engine may have dropped it already.
func Compare(implied, held Set, settled time.Time) Drift {
	var d Drift
	for key, expires := range implied {
		r := Relationship{Key: key, Expires: expires}
		switch at, ok := held[key]; {
		case !ok && !r.expired(settled):
			d.Missing = append(d.Missing, r)
		case ok && at != expires:
			d.Wrong = append(d.Wrong, r)
		}
	}
	for key, expires := range held {
		if _, ok := implied[key]; !ok {
			d.Extra = append(d.Extra, Relationship{Key: key, Expires: expires})
		}
	}
	byText := func(a, b Relationship) int {
		switch as, bs := a.String(), b.String(); {
		case as < bs:
			return -1
		case as > bs:
			return 1
		default:
			return 0
		}
	}
	for _, list := range [][]Relationship{d.Missing, d.Extra, d.Wrong} {
		slices.SortFunc(list, byText)
	}
	return d
}
