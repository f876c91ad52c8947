package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"golang.org/x/sync/errgroup"
	_ "modernc.org/sqlite" // the driver of a program that knows nothing of the datastore

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// isLocked wants the error that names who has the file.
func isLocked(t testing.TB, err error, pid int) {
	t.Helper()
	var locked *sqlite.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("got %v, want a LockedError", err)
	}
	if locked.PID != pid {
		t.Errorf("the file is said to be in use by process %d, want %d", locked.PID, pid)
	}
}

func TestForeign_TheSecondWriterIsTurnedAway(t *testing.T) {
	path := fresh(t)
	d := mustOpen(t, sqlite.Config{Path: path})
	mustUpdate(t, d, group("group", "a-n3", 3)...)

	_, err := sqlite.Open(soon(t), sqlite.Config{Path: path})
	isLocked(t, err, os.Getpid())

	// Being turned away must not have lost the lock to others.
	other := start(t, order{Role: "serve", Path: path})
	if answer, want := other.ask("open"), fmt.Sprint("locked ", os.Getpid()); answer != want {
		t.Errorf("another process is told %q, want %q", answer, want)
	}
	mustUpdate(t, d, group("group", "b-n3", 3)...)
	mustClose(t, d)

	pid := number(t, other.must("open")) // there is no trace of the first
	_, err = sqlite.Open(soon(t), sqlite.Config{Path: path})
	isLocked(t, err, pid)
	other.must("write c-n3 3")
	other.must("close")
	other.leave()

	d = running(t, sqlite.Config{Path: path})
	if found := count(t, d, mustHead(t, d), "group"); len(found) != 3 {
		t.Errorf("groups: %v, want three", found)
	}
}

func TestForeign_TheLockDiesWithItsHolder(t *testing.T) {
	path := fresh(t)
	for i := range 5 {
		holder := start(t, order{Role: "serve", Path: path})
		pid := number(t, holder.must("open"))
		_, err := sqlite.Open(soon(t), sqlite.Config{Path: path})
		isLocked(t, err, pid)
		holder.must(fmt.Sprintf("write g%d-n3 3", i))
		holder.kill()
		d := mustOpen(t, sqlite.Config{Path: path})
		if found := count(t, d, mustHead(t, d), "group"); len(found) != i+1 {
			t.Errorf("after %d crashes: %v", i+1, found)
		}
		mustClose(t, d)
	}
}

// A reader beside the process that writes knows of a write as soon as that was acknowledged.
func TestForeign_AReaderFollows(t *testing.T) {
	path := fresh(t)
	const quantum = 50 * time.Millisecond
	holder := start(t, order{Role: "serve", Path: path})
	holder.must("open")
	holder.must("write first-n3 3")
	d := running(t, sqlite.Config{Path: path, ReadOnly: true, Quantum: quantum})

	// A query that is never finished holds back neither the writer nor the reader's other queries.
	next, stop := pull(t, d, mustHead(t, d), "group")
	defer stop()
	next()
	var changes []string
	var watching errgroup.Group
	writes := sized(200, 50)
	watching.Go(func() error {
		follow(t, d, mustHead(t, d).(sqlite.Revision), sqlite.Revision(2+writes), func(c datastore.RevisionChanges) {
			changes = append(changes, c.RelationshipChanges[0].Relationship.Resource.ObjectID)
		})
		return nil
	})
	for i := range writes {
		name := fmt.Sprintf("g%d-n3", i)
		revision := sqlite.Revision(number(t, holder.must("write "+name+" 3")))
		if head := mustHead(t, d); head.LessThan(revision) {
			t.Fatalf("the head of the reader is %s; %d was acknowledged", head, revision)
		}
		if err := d.CheckRevision(soon(t), revision); err != nil {
			t.Fatalf("revision %d: %v", revision, err)
		}
		if n := partsOf(t, d, revision, "group", name); n != 3 {
			t.Fatalf("%s has %d relationships at %d", name, n, revision)
		}
	}
	last := mustHead(t, d)
	for began := time.Now(); ; {
		shared, err := d.OptimizedRevision(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		if shared.Revision.Equal(last) {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the shared revision stays at %s; the head is %s", shared.Revision, last)
		}
	}
	if err := watching.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(changes) != writes {
		t.Errorf("the watch tells of %d writes, want %d", len(changes), writes)
	}

	if _, err := update(soon(t), d, group("group", "mine-n1", 1)...); !errors.Is(err, sqlite.ErrReadOnly) {
		t.Errorf("a write of the reader: %v, want ErrReadOnly", err)
	}
	holder.kill() // and what is there can be read on
	if found := count(t, d, mustHead(t, d), "group"); len(found) != writes+1 {
		t.Errorf("after the end of the writer: %d groups", len(found))
	}
	again := mustOpen(t, sqlite.Config{Path: path}) // and a new writer is not held up
	revision := mustUpdate(t, again, group("group", "again-n1", 1)...)
	if head := mustHead(t, d); !head.Equal(revision) {
		t.Errorf("the head of the reader is %s, want that of the new writer, %s", head, revision)
	}
	mustClose(t, again)
}

func TestForeign_AReaderNeedsADatabase(t *testing.T) {
	path := fresh(t)
	if _, err := sqlite.Open(soon(t), sqlite.Config{Path: path, ReadOnly: true}); !errors.Is(err, sqlite.ErrNoDatabase) {
		t.Errorf("got %v, want ErrNoDatabase", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("it leaves %v (%v)", left, err)
	}
}

// foreign runs a statement in the way of a program that opens the file with SQLite alone.
func foreign(t testing.TB, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(soon(t), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestForeign_AWriteOfAnotherProgramIsNoticed(t *testing.T) {
	for _, statement := range []string{
		"CREATE TABLE intruder (x)",
		"DELETE FROM live",
		"INSERT INTO revision (tx, at, relationships) SELECT max(tx) + 1, max(at) + 1, 0 FROM revision",
	} {
		t.Run(statement, func(t *testing.T) {
			path := fresh(t)
			d := mustOpen(t, sqlite.Config{Path: path})
			mustUpdate(t, d, group("group", "a-n3", 3)...)
			foreign(t, path, statement)
			for range 3 {
				if _, err := update(soon(t), d, group("group", "b-n3", 3)...); !errors.Is(err, sqlite.ErrForeign) {
					t.Fatalf("the next write: %v, want ErrForeign", err)
				}
			}
			if state, err := d.ReadyState(soon(t)); err != nil || state.IsReady {
				t.Errorf("it calls itself ready (%v)", err)
			}
			mustClose(t, d)

			d = mustOpen(t, sqlite.Config{Path: path}) // who restarts it accepts what was done
			if n := partsOf(t, d, mustHead(t, d), "group", "b-n3"); n != 0 {
				t.Errorf("a refused write has left %d relationships", n)
			}
			mustUpdate(t, d, group("group", "c-n3", 3)...)
			mustClose(t, d)
			intact(t, path)
		})
	}
}

// What another program does without changing anything is no cause for alarm.
func TestForeign_LookingOnIsHarmless(t *testing.T) {
	for _, statement := range []string{
		"SELECT count(*) FROM live",
		"PRAGMA wal_checkpoint(PASSIVE)",
		"PRAGMA integrity_check",
	} {
		t.Run(statement, func(t *testing.T) {
			path := fresh(t)
			d := running(t, sqlite.Config{Path: path})
			for i := range 3 {
				mustUpdate(t, d, group("group", fmt.Sprintf("%d-n50", i), 50)...)
				foreign(t, path, statement)
			}
			mustUpdate(t, d, group("group", "after-n3", 3)...)
		})
	}
}

func TestForeign_ANewerFileIsLeftAlone(t *testing.T) {
	path := fresh(t)
	d := mustOpen(t, sqlite.Config{Path: path})
	mustUpdate(t, d, group("group", "a-n3", 3)...)
	mustClose(t, d)
	var version int
	read(t, path, "PRAGMA user_version", &version)
	foreign(t, path, "PRAGMA user_version = "+strconv.Itoa(version+1))
	leftAlone(t, path, sqlite.ErrNewer)
	foreign(t, path, "PRAGMA user_version = "+strconv.Itoa(version))
	d = running(t, sqlite.Config{Path: path})
	if n := partsOf(t, d, mustHead(t, d), "group", "a-n3"); n != 3 {
		t.Errorf("%d relationships, want 3", n)
	}
}

// read asks a file a question that has one number as its answer.
func read(t testing.TB, path, question string, into *int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	err = db.QueryRowContext(soon(t), question).Scan(into)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatalf("%s: %v", question, err)
	}
}

// leftAlone wants an error of Open, for writing and for reading, that leaves the file as it is.
func leftAlone(t *testing.T, path string, want error) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		if _, err := sqlite.Open(soon(t), sqlite.Config{Path: path, ReadOnly: readOnly, CheckWait: time.Minute}); !errors.Is(err, want) {
			t.Errorf("read only %t: got %v, want %v", readOnly, err, want)
		}
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the refused file was changed")
	}
}

func TestForeign_AFileOfAnotherKindIsLeftAlone(t *testing.T) {
	t.Run("text", func(t *testing.T) {
		path := fresh(t)
		if err := os.WriteFile(path, []byte("these are my notes, not a database; they are longer than the header of one, which has a hundred bytes\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		leftAlone(t, path, sqlite.ErrNoDatabase)
	})
	t.Run("another program's database", func(t *testing.T) {
		path := fresh(t)
		foreign(t, path, "CREATE TABLE notes (x)")
		leftAlone(t, path, sqlite.ErrNoDatabase)
	})
	t.Run("a folder that is not there", func(t *testing.T) {
		_, err := sqlite.Open(soon(t), sqlite.Config{Path: filepath.Join(t.TempDir(), "nowhere", "engine.db")})
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v, want that it does not exist", err)
		}
	})
}
