package switcher

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

// journal is a directory's database of one environment, as far as the index reads it.
type journal struct {
	mu      sync.Mutex
	entries []account.Entry
	states  []*naive // after each entry
	loads   int
	between func() // called once, after the next read of entries
}

// newJournal begins with the entry that makes the environment.
func newJournal() (*journal, *history) {
	j := &journal{}
	h := &history{n: newNaive(), version: 1}
	j.append(account.Entry{Environment: "prod", Version: 1, ID: "ent_1"}, h.n.clone())
	return j, h
}

func (j *journal) append(e account.Entry, after *naive) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries, j.states = append(j.entries, e), append(j.states, after)
}

// rewind goes back to a version, as a backup does.
func (j *journal) rewind(version account.Version) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries, j.states = slices.Clone(j.entries[:version]), slices.Clone(j.states[:version])
}

func (j *journal) at(version account.Version) *naive {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.states[version-1]
}

func (j *journal) head() account.Version {
	j.mu.Lock()
	defer j.mu.Unlock()
	return account.Version(len(j.entries))
}

func (j *journal) Heads(context.Context) (map[account.EnvironmentID]account.Version, error) {
	return map[account.EnvironmentID]account.Version{"prod": j.head()}, nil
}

func (j *journal) Reaching(
	_ context.Context, _ account.EnvironmentID, fn func(account.Entity) error, more func(account.Membership) error,
) (account.Version, error) {
	version := j.head()
	j.mu.Lock()
	j.loads++
	j.mu.Unlock()
	return version, j.at(version).reaching(fn, more)
}

func (j *journal) Entries(_ context.Context, _ account.EnvironmentID, after account.Version, limit int) ([]account.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	from := min(max(int(after), 0), len(j.entries))
	read := j.entries[from:min(from+limit, len(j.entries))]
	if j.between != nil {
		j.between()
		j.between = nil
	}
	return read, nil
}

// told is all that an index holds, as text.
func told(s *state) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version %d, enabled %t\n", s.version, s.enabled)
	for position := range s.tree.length() {
		at := s.tree.at(position)
		n := s.accounts.nodes.At(at)
		fmt.Fprintf(&b, "account %s %q %q at %d, branch of %d, made %d, flags %b\n",
			s.accounts.id(at), s.accounts.name(at), s.accounts.folded(at), s.tree.position(&s.accounts, at), s.accounts.sizes.At(at), n.created, n.flags)
		if n.parent != none {
			fmt.Fprintf(&b, "  below %s\n", s.accounts.id(n.parent))
		}
	}
	for _, c := range s.names.chunks {
		for _, at := range c.slots {
			fmt.Fprintf(&b, "then %s\n", s.accounts.id(at))
		}
	}
	var lines []string
	for at := range slot(s.subjects.info.Len()) {
		info := s.subjects.info.At(at)
		if info.kind == 0 {
			continue
		}
		lines = append(lines, fmt.Sprintf("subject %v, blocked %t, %d memberships", s.subjects.subject(at), info.blocked, info.count))
		for m := info.first; m != none; m = s.memberships.all.At(m).nextOfSubject {
			v := s.memberships.all.At(m)
			lines = append(lines, fmt.Sprintf("member %v of %s: %v, %d, until %d, holds %v",
				s.subjects.subject(at), s.accounts.id(v.account), s.roles.sets.At(v.roles).keys, v.branch, v.expires, len(s.roles.sets.At(v.roles).holds)))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.officers)) {
		lines = append(lines, fmt.Sprintf("officer %s: %v", id, s.officers[id]))
	}
	slices.Sort(lines)
	return b.String() + strings.Join(lines, "\n")
}

func TestReplayGivesTheSameIndex(t *testing.T) {
	m := testModel(t)
	rapid.Check(t, func(t *rapid.T) {
		h := &history{t: t, n: newNaive()}
		var entries []account.Entry
		states := []*naive{h.n.clone()}
		for range rapid.IntRange(1, 20).Draw(t, "entries") {
			entries = append(entries, h.entry())
			states = append(states, h.n.clone())
		}
		want := told(snapshot(t, m, h.n, h.version))
		for _, from := range []int{0, 0, rapid.IntRange(0, len(entries)).Draw(t, "from")} {
			l := newLoader("prod", m.bits)
			for _, e := range states[from].entities() {
				if err := l.add(e); err != nil {
					t.Fatal(err)
				}
			}
			w, err := l.finish(account.Version(from))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries[from:] {
				if err := w.apply(e); err != nil {
					t.Fatal(err)
				}
				w.publish()
			}
			if diff := cmp.Diff(want, told(w.publish())); diff != "" {
				t.Fatalf("replayed from version %d: (-snapshot +replayed)\n%s", from, diff)
			}
		}
	})
}

// running is an index that follows a journal until the test ends.
func running(t *testing.T, j *journal) *Index {
	t.Helper()
	return runningOn(t, j)
}

func runningOn(t *testing.T, j Journal) *Index {
	t.Helper()
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	x := New(j, catalogue, Config{Poll: 5 * time.Millisecond, Now: func() time.Time { return start }})
	x.Prove(true)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = x.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return x
}

// at waits for a version.
func at(t *testing.T, x *Index, version account.Version) *View {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		changed := x.Next("prod")
		v, err := x.View(ctx, "prod", version)
		if err == nil {
			return v
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func TestReadersSeeWholeVersions(t *testing.T) {
	m := testModel(t)
	rapid.Check(t, func(rt *rapid.T) {
		j, h := newJournal()
		h.t = rt
		x := running(t, j)
		at(t, x, 1)
		done := make(chan struct{})
		var readers sync.WaitGroup
		problems := make(chan string, 8)
		for range 4 {
			readers.Go(func() {
				for {
					v, err := x.View(t.Context(), "prod", 0)
					if err == nil {
						if problem := whole(v, m, j.at(v.Version())); problem != "" {
							select {
							case problems <- problem:
							default:
							}
							return
						}
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for range 30 {
			j.append(h.entry(), h.n.clone())
			x.Expect("prod", j.head())
		}
		at(t, x, j.head())
		close(done)
		readers.Wait()
		select {
		case problem := <-problems:
			rt.Fatal(problem)
		default:
		}
	})
}

// whole says what of a view is not as in the model of its version.
func whole(v *View, _ *model, n *naive) string {
	for id := range n.users {
		for _, by := range []Sort{ByTree, ByName, ByDate} {
			q := Query{Who: Subject{User, string(id)}, Sort: by}
			page, _ := v.Page(q)
			if diff := cmp.Diff(n.list(q, start), page.Accounts, sameReachable); diff != "" {
				return fmt.Sprintf("version %d, %+v: (-want +got)\n%s", v.Version(), q, diff)
			}
		}
	}
	return ""
}

// otherwise returns what the journal would be if it had gone on in another way after its third entry, by four.
func (j *journal) otherwise(t *rapid.T) ([]account.Entry, []*naive) {
	other := &history{t: t, n: j.at(3).clone(), version: 3}
	entries, states := slices.Clone(j.entries[:3]), slices.Clone(j.states[:3])
	for i := range 4 {
		e := other.entry()
		e.ID = fmt.Sprintf("other_%d", i)
		entries, states = append(entries, e), append(states, other.n.clone())
	}
	return entries, states
}

func TestAnotherJournalIsLoadedAnew(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		j, h := newJournal()
		h.t = rt
		x := running(t, j)
		for range 5 {
			j.append(h.entry(), h.n.clone())
		}
		at(t, x, 6)
		entries, states := j.otherwise(rt)
		j.rewind(3)
		for i := range 4 {
			j.append(entries[3+i], states[3+i])
		}
		x.Expect("prod", 7)
		if problem := whole(at(t, x, 7), nil, j.at(7)); problem != "" {
			rt.Fatal(problem)
		}
	})
}

// A backup may be restored, and written on, between any two looks at the journal.
func TestAnotherJournalBetweenTwoReads(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		j, h := newJournal()
		h.t = rt
		x := running(t, j)
		for range 5 {
			j.append(h.entry(), h.n.clone())
		}
		at(t, x, 6)
		entries, states := j.otherwise(rt)
		j.mu.Lock()
		j.between = func() { j.entries, j.states = entries, states }
		j.mu.Unlock()
		x.Expect("prod", 7)
		if problem := whole(at(t, x, 7), nil, states[6]); problem != "" {
			rt.Fatal(problem)
		}
	})
}

func TestViewWaitsForItsVersion(t *testing.T) {
	j, _ := newJournal()
	x := running(t, j)
	at(t, x, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := x.View(ctx, "prod", 2); !fault.HasCode(err, "index_behind") {
		t.Errorf("a version that does not come: %v; want index_behind", err)
	}
	if _, err := x.View(ctx, "qa", 0); !fault.HasCode(err, "index_loading") {
		t.Errorf("an environment that is not there: %v; want index_loading", err)
	}
	x.Withdraw("prod")
	if _, err := x.View(t.Context(), "prod", 0); !fault.HasCode(err, "index_withdrawn") {
		t.Errorf("a withdrawn environment: %v; want index_withdrawn", err)
	}
}
