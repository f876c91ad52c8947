package sqlite

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// lock takes the right to write a database file, for as long as this process lives. It is a lock
// on a file beside it, which names the process that holds it.
//
// SQLite's own locks last for a transaction only, and closing any handle of the database file
// would lose them; so the lock has a file of its own.
func lock(path string) (*flock.Flock, error) {
	name := path + ".lock"
	l := flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	got, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	if !got {
		content, _ := os.ReadFile(name)                            // what it says is a help only
		pid, _ := strconv.Atoi(strings.TrimSpace(string(content))) // 0 if it is not known
		return nil, errors.Join(&LockedError{Path: path, PID: pid}, l.Close())
	}
	if err := os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", name, err), l.Close())
	}
	return l, nil
}

// unlock gives the right back. The file stays: who deletes it may delete another's lock.
func unlock(l *flock.Flock) error {
	return errors.Join(os.Truncate(l.Path(), 0), l.Close())
}

// leftovers reports whether the last process did not close the file.
func leftovers(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}
