package mutate

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/fault"

	"github.com/tenantry/tenantry/internal/schemacheck/atonce"
	"github.com/tenantry/tenantry/internal/schemacheck/eval"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// File is a validation file.
type File struct {
	Path          string
	Relationships []Relationship
	Assertions    []Assertion
}

// Relationship is one that a validation file has.
type Relationship struct {
	tuple.Relationship
	At finding.Place
}

// Assertion is a check with the outcome that it must have.
type Assertion struct {
	Text              string
	At                finding.Place
	Resource, Subject tuple.ObjectAndRelation
	Context           map[string]any // for caveats
	Want              eval.Outcome
}

// Run makes the mutants of a schema and finds out which of them the validation
// files kill, several at a time. Relationships expired at a time are left out.
// Assertions that do not hold for the schema kill nothing, nor do relationships that
// it refuses. progress, if not nil, is told of how many of the mutants are done. The error is that of
// [Generate], or an Unavailable fault (code "interrupted") if ctx ended.
func Run(ctx context.Context, s *zed.Schema, files []File, at time.Time, progress func(done, total int)) (Score, error) {
	mutants, err := Generate(ctx, s)
	if err != nil {
		return Score{}, err
	}
	h := newHunt(s, files, at)
	var mu sync.Mutex
	done := 0
	atonce.Each(ctx, len(mutants), func(i int) {
		h.decide(ctx, mutants[i])
		mu.Lock()
		defer mu.Unlock()
		if done++; progress != nil {
			progress(done, len(mutants))
		}
	})
	if ctx.Err() != nil {
		return Score{}, fault.New(fault.Unavailable, "interrupted", "the mutants were interrupted before the last").Because(context.Cause(ctx))
	}
	compiled := slices.DeleteFunc(mutants, func(m *Mutant) bool { return m.Fate == "" })
	return Score{Mutants: compiled, Assertions: h.assertions, Failing: h.failing}, nil
}

// hunt has what all mutants of a schema are held against.
type hunt struct {
	files      []ground
	at         time.Time
	assertions int
	failing    int
}

// ground is a validation file, with what its assertions reach in the schema.
type ground struct {
	File
	relationships []tuple.Relationship // those that the schema allows
	places        map[string]finding.Place
	reaching      map[*zed.Relation][]int // assertions that reach it, in order
}

func newHunt(s *zed.Schema, files []File, at time.Time) *hunt {
	h := &hunt{at: at}
	for _, f := range files {
		h.files = append(h.files, h.survey(s, f))
	}
	return h
}

// survey runs the assertions of a file against the schema itself.
func (h *hunt) survey(s *zed.Schema, f File) ground {
	g := ground{File: f, places: map[string]finding.Place{}, reaching: map[*zed.Relation][]int{}}
	for _, r := range f.Relationships {
		g.relationships = append(g.relationships, r.Relationship)
		g.places[tuple.MustString(r.Relationship)] = r.At
	}
	world := eval.New(s, g.relationships, h.at)
	refused := map[string]bool{}
	for _, r := range world.Refused() {
		refused[tuple.MustString(r)] = true
	}
	g.relationships = slices.DeleteFunc(g.relationships, func(r tuple.Relationship) bool { return refused[tuple.MustString(r)] })
	for i, a := range f.Assertions {
		h.assertions++
		reached := map[*zed.Relation]bool{}
		if set := s.Relation(a.Subject.ObjectType, a.Subject.Relation); set != nil {
			reached[set] = true
		}
		got := world.Check(a.Resource, a.Subject, a.Context, func(step eval.Step) { reached[step.Relation] = true })
		if got.Outcome != a.Want {
			h.failing++
			continue
		}
		for r := range reached {
			g.reaching[r] = append(g.reaching[r], i)
		}
	}
	return g
}

// decide finds out what becomes of a mutant; nothing if it does not compile.
func (h *hunt) decide(ctx context.Context, m *Mutant) {
	s, _ := zed.Compile(ctx, zed.File(finding.NewSource(m.At.Source.Path, m.Text)))
	if s == nil {
		return
	}
	m.Fate = Survived
	if m.Kind == TypeAdded {
		m.Fate = Unnoticeable
	}
	for i := range h.files {
		f := &h.files[i]
		asked := f.asked(m.changed)
		if len(asked) == 0 && !m.refuses() {
			continue
		}
		world := eval.New(s, f.relationships, h.at)
		if refused := world.Refused(); len(refused) > 0 {
			text := tuple.MustString(refused[0])
			m.Fate, m.Killer = Refused, &Killer{File: f.Path, At: f.places[text], Text: text}
			return
		}
		if m.Killer != nil {
			continue // by an assertion, unless a file after it refuses
		}
		for _, n := range asked {
			a := f.Assertions[n]
			if got := world.Check(a.Resource, a.Subject, a.Context, nil); got.Outcome != a.Want {
				m.Fate, m.Killer = Killed, &Killer{f.Path, a.At, a.Text, a.Want.String(), got.String()}
				break
			}
		}
		if m.Killer != nil && !m.refuses() {
			return
		}
	}
}

// refuses reports whether the mutant may refuse relationships that the schema allows.
func (m *Mutant) refuses() bool {
	return m.Kind == TypeDropped || m.Kind == TypeReplaced || m.Kind == RelationDropped
}

// asked returns the assertions that reach any of some relations and permissions, in order.
func (f *ground) asked(changed []*zed.Relation) []int {
	if len(changed) == 1 {
		return f.reaching[changed[0]]
	}
	var all []int
	for _, r := range changed {
		all = append(all, f.reaching[r]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
