package paged_test

import (
	"fmt"
	"hash/maphash"
	"maps"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/switcher/paged"
)

// version is an array, a table over it and texts, with what they should hold.
type version struct {
	numbers paged.Array[uint64]
	texts   paged.Texts
	table   paged.Table
	want    []string
	present map[string]uint32
}

var seed = maphash.MakeSeed()

func (v version) hashOf(i uint32) uint64 { return maphash.String(seed, v.texts.At(i, 0)) }

func (v version) find(name string) (uint32, bool) {
	return v.table.Find(maphash.String(seed, name), func(i uint32) bool { return v.texts.At(i, 0) == name })
}

func (v version) check(t interface {
	Helper()
	Fatalf(string, ...any)
},
) {
	t.Helper()
	if v.texts.Len() != len(v.want) || v.numbers.Len() != len(v.want) || v.table.Len() != len(v.present) {
		t.Fatalf("%d texts, %d numbers and %d in the table; want %d, %d, %d",
			v.texts.Len(), v.numbers.Len(), v.table.Len(), len(v.want), len(v.want), len(v.present))
	}
	for i, want := range v.want {
		at := uint32(i)
		if got := v.texts.At(at, 0) + "|" + v.texts.At(at, 1) + "|" + v.texts.At(at, 2); got != want+"|"+strings.ToUpper(want)+"|" {
			t.Fatalf("item %d is %q; want %q", i, got, want)
		}
		if v.numbers.At(at) != uint64(len(want)) {
			t.Fatalf("number %d is %d; want %d", i, v.numbers.At(at), len(want))
		}
		at, there := v.find(want)
		if wantAt, wanted := v.present[want]; there != wanted || there && at != wantAt {
			t.Fatalf("%q is at %d, %t; want %d, %t", want, at, there, wantAt, wanted)
		}
	}
}

func (v *version) set(e *paged.Edit, i uint32, name string) {
	v.texts.Set(e, i, [paged.Fields]string{name, strings.ToUpper(name)})
	v.numbers.Set(e, i, uint64(len(name)))
	v.want[i] = name
}

func (v *version) change(t *rapid.T, e *paged.Edit, n int) {
	name := fmt.Sprintf("%s-%d", rapid.StringMatching(`[a-z]{0,12}`).Draw(t, "name"), n)
	if len(v.want) == 0 || rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
		at := v.texts.Add(e, [paged.Fields]string{name, strings.ToUpper(name)})
		v.numbers.Add(e, uint64(len(name)))
		v.want = append(v.want, name)
		v.table.Add(e, at, v.hashOf(at))
		v.present[name] = at
		return
	}
	at := uint32(rapid.IntRange(0, len(v.want)-1).Draw(t, "at"))
	if before := v.want[at]; v.present[before] == at {
		v.table.Remove(e, at, v.hashOf(at))
		delete(v.present, before)
	}
	v.set(e, at, name)
	if rapid.Bool().Draw(t, "again") {
		v.table.Add(e, at, v.hashOf(at))
		v.present[name] = at
	}
}

func TestVersionsStayAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := version{present: map[string]uint32{}}
		var kept []version
		n := 0
		for range rapid.IntRange(1, 8).Draw(t, "edits") {
			e := &paged.Edit{}
			for range rapid.IntRange(1, 400).Draw(t, "changes") {
				now.change(t, e, n)
				n++
			}
			keep := now
			keep.want, keep.present = append([]string(nil), now.want...), maps.Clone(now.present)
			kept = append(kept, keep)
		}
		for _, v := range kept {
			v.check(t)
		}
	})
}

func TestReadersBesideTheWriter(t *testing.T) {
	now := version{present: map[string]uint32{}}
	var readers sync.WaitGroup
	for n := range 60 {
		e := &paged.Edit{}
		for i := range 100 {
			name := fmt.Sprintf("name-%d-%d", n, i)
			if n%3 == 2 {
				at := uint32((n * i) % len(now.want))
				if before := now.want[at]; now.present[before] == at {
					now.table.Remove(e, at, now.hashOf(at))
					delete(now.present, before)
				}
				now.set(e, at, name)
				continue
			}
			at := now.texts.Add(e, [paged.Fields]string{name, strings.ToUpper(name)})
			now.numbers.Add(e, uint64(len(name)))
			now.want = append(now.want, name)
			now.table.Add(e, at, now.hashOf(at))
			now.present[name] = at
		}
		keep := now
		keep.want, keep.present = append([]string(nil), now.want...), maps.Clone(now.present)
		readers.Go(func() { keep.check(t) })
	}
	readers.Wait()
}
