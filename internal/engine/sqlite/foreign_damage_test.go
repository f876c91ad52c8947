package sqlite_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// abandoned is a file with some thousand relationships whose process was killed, with all of
// them in the file itself rather than beside it, save the last transaction.
func abandoned(t testing.TB) string {
	t.Helper()
	path := fresh(t)
	d := mustOpen(t, sqlite.Config{Path: path})
	load(t, d, "group", 5000)
	mustClose(t, d)
	c := start(t, order{Role: "serve", Path: path})
	c.must("open")
	c.must("write last-n3 3")
	c.kill()
	return path
}

// unclean is what the log says before a check.
const unclean = "did not close the database file; checking it"

func TestForeign_AnUncleanStopIsFollowedByACheck(t *testing.T) {
	path := abandoned(t)
	var first, second, third journal
	mustClose(t, mustOpen(t, sqlite.Config{Path: path, Log: first.log()}))
	if !strings.Contains(first.String(), unclean) {
		t.Errorf("after an unclean stop the log tells of no check:\n%s", first.String())
	}
	mustClose(t, mustOpen(t, sqlite.Config{Path: path, Log: second.log()}))
	if strings.Contains(second.String(), unclean) {
		t.Errorf("after a clean stop the log tells of a check:\n%s", second.String())
	}
	d := mustOpen(t, sqlite.Config{Path: path, Log: third.log()})
	if found := count(t, d, mustHead(t, d), "group"); len(found) != 51 {
		t.Errorf("%d groups, want 51", len(found))
	}
	mustClose(t, d)
}

// A reader that looks at the file in between must not hide that the stop was unclean, nor change anything.
func TestForeign_AReaderDoesNotTidyUp(t *testing.T) {
	path := abandoned(t)
	wal, err := os.ReadFile(path + "-wal")
	if err != nil || len(wal) == 0 {
		t.Fatalf("a killed process leaves nothing to tidy up: %v", err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, sqlite.Config{Path: path, ReadOnly: true})
	if found := count(t, d, mustHead(t, d), "group"); len(found) != 51 {
		t.Errorf("the reader finds %d groups, want 51", len(found))
	}
	mustClose(t, d)
	for name, was := range map[string][]byte{path: before, path + "-wal": wal} {
		if is, err := os.ReadFile(name); err != nil || !bytes.Equal(is, was) {
			t.Errorf("the reader has changed %s: %d bytes before, %d after (%v)", filepath.Base(name), len(was), len(is), err)
		}
	}
	var log journal
	mustClose(t, mustOpen(t, sqlite.Config{Path: path, Log: log.log()}))
	if !strings.Contains(log.String(), unclean) {
		t.Errorf("after an unclean stop and a reader the log tells of no check:\n%s", log.String())
	}
}

// page is where a table begins in the file, and how long its pages are.
func page(t testing.TB, path, table string) (offset, length int64) {
	t.Helper()
	var root, size int
	read(t, path, "SELECT rootpage FROM sqlite_schema WHERE name = '"+table+"'", &root)
	read(t, path, "PRAGMA page_size", &size)
	return int64(root-1) * int64(size), int64(size)
}

// damage changes bytes of a file.
func damage(t testing.TB, path string, at int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(with, at)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A damaged file is found by the check after an unclean stop, before it is used.
func TestForeign_DamageIsFoundAfterAnUncleanStop(t *testing.T) {
	for name, hurt := range map[string]func(t *testing.T, path, copied string){
		"the root of live": func(t *testing.T, path, copied string) {
			at, length := page(t, copied, "live")
			damage(t, path, at, bytes.Repeat([]byte{0xa5}, int(length)))
		},
		"the root of the index": func(t *testing.T, path, copied string) {
			at, length := page(t, copied, "live_by_subject")
			damage(t, path, at+8, bytes.Repeat([]byte{0xff}, int(length/2)))
		},
		"one letter of one relationship": func(t *testing.T, path, _ string) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			at := bytes.Index(content, []byte("000001742"))
			if at < 0 {
				t.Fatal("the relationship is not where it ought to be")
			}
			damage(t, path, int64(at), []byte("9"))
		},
		"the end is missing": func(t *testing.T, path, _ string) {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()/2); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := abandoned(t)
			hurt(t, path, copyOf(t, path))
			var log journal
			d, err := sqlite.Open(soon(t), sqlite.Config{Path: path, CheckWait: time.Minute, Log: log.log()})
			if !errors.Is(err, sqlite.ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt; the log:\n%s", err, log.String())
			}
			if err == nil {
				mustClose(t, d)
			}
		})
	}
}

// copyOf copies a file with what belongs to it, for questions whose asking would change it.
func copyOf(t testing.TB, path string) string {
	t.Helper()
	to := fresh(t)
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// Damage that nobody has looked for shows as what it is when it is met.
func TestForeign_DamageThatIsMet(t *testing.T) {
	path := fresh(t)
	d := mustOpen(t, sqlite.Config{Path: path})
	load(t, d, "group", sized(50_000, 10_000))
	mustClose(t, d)
	for _, table := range []string{"live", "live_by_subject"} {
		at, length := page(t, path, table)
		damage(t, path, at, bytes.Repeat([]byte{0xa5}, int(length)))
	}

	d, err := sqlite.Open(soon(t), sqlite.Config{Path: path})
	if err == nil {
		err = each(soon(t), d, mustHead(t, d), "group", func(tuple.Relationship) {})
		mustClose(t, d)
	}
	if !errors.Is(err, sqlite.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}
