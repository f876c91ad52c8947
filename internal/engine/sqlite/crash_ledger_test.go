package sqlite_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// ledger is what is known of a file that writers have been killed on.
type ledger struct {
	t      testing.TB
	groups map[string]bool // by name: whether it is there; those never heard of are absent
	values [crashWriters]int
	head   sqlite.Revision

	transactions int // acknowledged
	unexplained  int // found without having been acknowledged: they were under way
}

// ack is a transaction that was acknowledged.
type ack struct {
	what, name string
	revision   sqlite.Revision
}

// acks reads what a killed child has said.
func acks(t testing.TB, lines []string) []ack {
	t.Helper()
	var all []ack
	for _, line := range lines {
		words := strings.Fields(line)
		if words[0] != "ack" {
			continue
		}
		n, err := strconv.ParseInt(words[3], 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, ack{what: words[1], name: words[2], revision: sqlite.Revision(n)})
	}
	return all
}

// settle compares a file with what was acknowledged since the last time, and takes note of
// what is there. under is how many transactions may have been under way when writers were killed.
func (l *ledger) settle(d *sqlite.Datastore, all []ack, under int) {
	l.t.Helper()
	wanted, values := map[string]bool{}, [crashWriters]int{}
	seen := map[sqlite.Revision]bool{}
	head := mustHead(l.t, d).(sqlite.Revision)
	for _, a := range all {
		switch {
		case a.revision <= l.head:
			l.t.Errorf("%s %s has revision %d; before the restart the head was %d already", a.what, a.name, a.revision, l.head)
		case a.revision > head:
			l.t.Errorf("%s %s was acknowledged at revision %d; the head is %d", a.what, a.name, a.revision, head)
		case seen[a.revision]:
			l.t.Errorf("%s %s shares revision %d with another transaction", a.what, a.name, a.revision)
		}
		seen[a.revision] = true
		switch a.what {
		case "create":
			if _, deleted := wanted[a.name]; !deleted { // the lines of one writer are in order, but be sure
				wanted[a.name] = true
			}
		case "delete":
			wanted[a.name] = false
		case "touch":
			self, value, _ := strings.Cut(a.name, "/")
			values[number(l.t, self)] = number(l.t, value)
		}
	}
	for name, there := range l.groups {
		if _, ok := wanted[name]; !ok {
			wanted[name] = there
		}
	}
	found := l.observed(d, head)
	surprises := 0
	for name, want := range wanted {
		got, ok := found[name]
		switch {
		case !ok && !want:
			l.t.Errorf("the mark of %s, whose deletion was acknowledged, is lost", name)
		case !ok:
			l.t.Errorf("%s was acknowledged, and is lost", name)
		case got && !want:
			l.t.Errorf("%s is there; its deletion was acknowledged", name)
		case !got && want:
			surprises++ // its deletion was under way
			if _, old := l.groups[name]; old {
				l.t.Errorf("%s is gone; it was there after an earlier crash, and nobody deletes it now", name)
			}
		}
	}
	for name := range found {
		if _, ok := wanted[name]; !ok {
			surprises++
		}
	}
	surprises += l.registers(d, head, values)
	if surprises > under {
		l.t.Errorf("%d transactions that were never acknowledged have happened; at most %d can have been under way", surprises, under)
	}
	l.groups, l.head = found, head
	l.transactions += len(all)
	l.unexplained += surprises
}

// observed is every group that a file knows of, whether it is there or was deleted. A group
// that is half there, or there in spite of its mark, ends the test.
func (l *ledger) observed(d *sqlite.Datastore, at datastore.Revision) map[string]bool {
	l.t.Helper()
	groups, tombs := count(l.t, d, at, "group"), count(l.t, d, at, "tomb")
	found := make(map[string]bool, len(groups)+len(tombs))
	for name, n := range groups {
		if n != size(name) {
			l.t.Fatalf("%s is half there: %d of %d", name, n, size(name))
		}
		found[name] = true
	}
	for name := range tombs {
		if found[name] {
			l.t.Fatalf("the deletion of %s is half there: it has its mark, and its relationships", name)
		}
		found[name] = false
	}
	return found
}

// registers checks that each register holds one value, the last acknowledged one or the one after it.
func (l *ledger) registers(d *sqlite.Datastore, at datastore.Revision, acknowledged [crashWriters]int) (surprises int) {
	l.t.Helper()
	found := map[string]map[int]int{} // register, value: slots
	err := each(soon(l.t), d, at, "register", func(r tuple.Relationship) {
		if found[r.Resource.ObjectID] == nil {
			found[r.Resource.ObjectID] = map[int]int{}
		}
		found[r.Resource.ObjectID][int(r.OptionalExpiration.Sub(dawn).Seconds())]++
	})
	if err != nil {
		l.t.Fatal(err)
	}
	for w := range crashWriters {
		values := found[strconv.Itoa(w)]
		if len(values) > 1 {
			l.t.Fatalf("a touch of register %d is half there: slots by value: %v", w, values)
		}
		got := 0
		for value, n := range values {
			got = value
			if n != slots {
				l.t.Fatalf("register %d has %d of %d slots", w, n, slots)
			}
		}
		want := max(acknowledged[w], l.values[w])
		switch {
		case got < want:
			l.t.Errorf("register %d holds %d; %d was acknowledged", w, got, want)
		case got > want:
			surprises++
			if acknowledged[w] != 0 && got != want+1 {
				l.t.Errorf("register %d holds %d; %d was acknowledged, so at most the next one can have been under way", w, got, want)
			}
		}
		l.values[w] = got
	}
	return surprises
}

// history checks that a whole file can be read at the revisions it gave out: an acknowledged
// creation shows at its revision and not at the one before.
func (l *ledger) history(d *sqlite.Datastore, some []ack) {
	l.t.Helper()
	for _, a := range some {
		if a.what != "create" {
			continue
		}
		if n := partsOf(l.t, d, a.revision, "group", a.name); n != size(a.name) {
			l.t.Errorf("at its revision %d, %s has %d relationships", a.revision, a.name, n)
		}
		if n := partsOf(l.t, d, a.revision-1, "group", a.name); n != 0 {
			l.t.Errorf("at revision %d, before it was made, %s has %d relationships", a.revision-1, a.name, n)
		}
	}
}

// replay follows the watch from the start to the head, and checks that what it tells adds up
// to what is there.
func (l *ledger) replay(d *sqlite.Datastore) {
	l.t.Helper()
	state := map[string]bool{}
	last := follow(l.t, d, sqlite.Revision(1), l.head, func(c datastore.RevisionChanges) {
		for _, u := range c.RelationshipChanges {
			key := tuple.StringWithoutCaveatOrExpiration(u.Relationship)
			if u.Operation == tuple.UpdateOperationDelete {
				delete(state, key)
			} else {
				state[key] = true
			}
		}
	})
	there := 0
	for _, kind := range []string{"group", "tomb", "register", "check"} {
		err := each(soon(l.t), d, l.head, kind, func(r tuple.Relationship) {
			there++
			if key := tuple.StringWithoutCaveatOrExpiration(r); !state[key] {
				l.t.Errorf("%s is there; the watch up to %s does not tell", key, last)
			}
		})
		if err != nil {
			l.t.Fatal(err)
		}
	}
	if there != len(state) {
		l.t.Errorf("the watch tells of %d relationships; %d are there", len(state), there)
	}
}

// follow calls fn for the changes after one revision up to another, in order, each once, and
// returns the last revision seen.
func follow(t testing.TB, d datastore.Datastore, after, through sqlite.Revision, fn func(datastore.RevisionChanges)) sqlite.Revision {
	t.Helper()
	if through <= after {
		return after
	}
	changes, errs := d.Watch(soon(t), after, datastore.WatchOptions{Content: datastore.WatchRelationships | datastore.WatchCheckpoints, WatchBufferWriteTimeout: 30e9})
	last := after
	for {
		select {
		case c, ok := <-changes:
			if !ok {
				t.Fatalf("the watch from %d ends at %d, before %d: %v", after, last, through, <-errs)
			}
			at := c.Revision.(sqlite.Revision)
			if !c.IsCheckpoint && at <= last && last != after {
				t.Errorf("the watch tells of revision %d after %d", at, last)
			}
			if !c.IsCheckpoint {
				fn(c)
			}
			last = max(last, at)
			if last >= through && (c.IsCheckpoint || at == through) {
				return last
			}
		case err := <-errs:
			t.Fatalf("the watch from %d ends at %d: %v", after, last, err)
		}
	}
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(fmt.Errorf("a number: %w", err))
	}
	return n
}
