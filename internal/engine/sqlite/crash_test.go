package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// crashFiles is how many files are crashed, each again and again, so that it grows.
const crashFiles = 10

func crashRounds() int { return sized(20, 4) }

// TestCrash_AcknowledgedIsThereWholly kills writers at random moments, and compares what the
// file holds then with what they were told: all that was acknowledged is there, and nothing is
// half there. A third of the files is being collected all the while, and a third backed up.
func TestCrash_AcknowledgedIsThereWholly(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var mu sync.Mutex
	began, transactions, unexplained := time.Now(), 0, 0
	t.Cleanup(func() {
		t.Logf("%d crashes in %s: %d transactions acknowledged, %d more were under way and happened",
			crashFiles*crashRounds(), time.Since(began).Round(time.Millisecond), transactions, unexplained)
	})
	for file := range crashFiles {
		o := order{Role: "write"}
		switch file % 3 {
		case 1:
			o.GCWindow, o.GCInterval = time.Millisecond, 3*time.Millisecond
		case 2:
			o.Backup = "backup"
		}
		t.Run(fmt.Sprint(file), func(t *testing.T) {
			t.Parallel() // a crash is mostly waiting
			l := crashOften(t, rand.New(rand.NewPCG(seed, uint64(file))), o)
			mu.Lock()
			defer mu.Unlock()
			transactions += l.transactions
			unexplained += l.unexplained
		})
	}
}

func crashOften(t *testing.T, dice *rand.Rand, o order) *ledger {
	dir := t.TempDir()
	o.Path = filepath.Join(dir, "engine.db")
	backups := o.Backup != ""
	l := &ledger{t: t, head: 1}
	for round := range crashRounds() {
		o.Round, o.Seed = round+1, dice.Uint64()
		if backups {
			o.Backup = filepath.Join(dir, fmt.Sprintf("backup-%d-", round))
		}
		all, under := crashOnce(t, o, time.Duration(5+dice.IntN(116))*time.Millisecond), crashWriters
		if round%4 == 3 { // once more, while it recovers from the first time
			crashOpening(t, o, time.Duration(dice.IntN(20_000))*time.Microsecond)
		}
		d := mustOpen(t, sqlite.Config{Path: o.Path})
		l.settle(d, all, under)
		if o.GCWindow == 0 {
			l.history(d, all[:min(len(all), 5)])
			l.history(d, all[max(0, len(all)-5):])
		}
		revision := mustUpdate(t, d, tuple.Touch(tuple.MustParse(fmt.Sprintf("check:%d#mark@thing:0", round))))
		if revision.(sqlite.Revision) <= l.head {
			t.Errorf("a write after the crash has revision %s; the head was %d", revision, l.head)
		}
		l.head = revision.(sqlite.Revision)
		if o.GCWindow == 0 && round == crashRounds()-1 {
			l.replay(d)
		}
		intact(t, o.Path)
		mustClose(t, d)
		if backups {
			wholeBackups(t, o.Backup)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	return l
}

// crashOnce lets a child write, kills it so long after its first transaction, and returns all
// that it acknowledged.
func crashOnce(t *testing.T, o order, after time.Duration) []ack {
	t.Helper()
	c := start(t, o)
	c.next() // it is opening
	first := c.next()
	<-time.After(after)
	return acks(t, append([]string{first}, c.kill()...))
}

// crashOpening kills a child so long after it began to open the file. What it wrote, if it got
// so far, is of a round that nobody looks at.
func crashOpening(t *testing.T, o order, after time.Duration) {
	t.Helper()
	o.Role = "open"
	c := start(t, o)
	c.next()
	<-time.After(after)
	c.kill()
}

// wholeBackups checks the last backups that a child made, of which it was making one when it was
// killed: each can be restored and holds nothing by half, or is refused.
func wholeBackups(t *testing.T, prefix string) {
	t.Helper()
	made := 0
	for exists(t, prefix+strconv.Itoa(made)) {
		made++
	}
	for i := max(0, made-2); i < made; i++ {
		to := fmt.Sprintf("%srestored-%d.db", prefix, i)
		if err := sqlite.Restore(soon(t), prefix+strconv.Itoa(i), to); err != nil {
			if i < made-1 {
				t.Errorf("a backup that was finished is refused: %v", err)
			}
			if exists(t, to) {
				t.Error("the refused restore has left a file")
			}
			continue
		}
		d := mustOpen(t, sqlite.Config{Path: to})
		l := &ledger{t: t}
		l.observed(d, mustHead(t, d))
		l.registers(d, mustHead(t, d), [crashWriters]int{})
		mustClose(t, d)
	}
}

func exists(t testing.TB, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// TestCrash_WhileTheFileIsMade kills a process while it makes a new file: the next one starts
// with what is there, and finds an empty datastore.
func TestCrash_WhileTheFileIsMade(t *testing.T) {
	dice := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	made, rounds := 0, sized(20, 5)
	for range rounds {
		path := fresh(t)
		crashOpening(t, order{Path: path}, time.Duration(dice.IntN(15_000))*time.Microsecond)
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			made++
		}
		d := mustOpen(t, sqlite.Config{Path: path})
		revision := mustUpdate(t, d, group("group", "a-n3", 3)...)
		if n := partsOf(t, d, revision, "group", "a-n3"); n != 3 {
			t.Errorf("after the crash a write of 3 relationships gives %d", n)
		}
		intact(t, path)
		mustClose(t, d)
	}
	t.Logf("%d of %d had begun to write", made, rounds)
}
