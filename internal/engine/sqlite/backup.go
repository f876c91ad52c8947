package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	sqlite3 "zombiezen.com/go/sqlite"
)

// backupStep is how many pages a backup copies at a time.
const backupStep = 1024

// Backup copies the datastore as it is at one moment into a new file, while it is used. progress,
// if not nil, is told how many of how many pages are done. It works on a datastore that is open
// for reading only as well. ErrExists if the file is there; after another error it is not.
func (d *Datastore) Backup(ctx context.Context, path string, progress func(done, total int)) (err error) {
	if err := create(path); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	return d.read(ctx, func(from *conn) error {
		to, err := open(path, sqlite3.OpenReadWrite, nil, "synchronous = OFF")
		if err != nil {
			return err
		}
		err = d.copyPages(ctx, from, to, progress)
		if closing := to.Close(); err == nil {
			err = closing
		}
		if err == nil {
			err = flush(path)
		}
		return meaning(err)
	})
}

// copyPages copies a database. A read transaction keeps the source as it is at the beginning.
func (d *Datastore) copyPages(ctx context.Context, from, to *conn, progress func(done, total int)) (err error) {
	if err := from.exec("BEGIN"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.exec("COMMIT")) }()
	if err := from.query("SELECT count(*) FROM store", func(*sqlite3.Stmt) error { return nil }); err != nil {
		return err
	}
	b, err := sqlite3.NewBackup(to.Conn, "main", from.Conn, "main")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for more := true; more; {
		if err := d.goOn(ctx); err != nil {
			return err
		}
		if more, err = b.Step(backupStep); err != nil {
			return err
		}
		if progress != nil {
			progress(b.PageCount()-b.Remaining(), b.PageCount())
		}
	}
	return nil
}

// Restore makes a database file of a backup. The file must not be there (ErrExists), and is not
// until it is complete. It gets new revisions, later than any that were given out before, so that
// a token from after the backup is never taken for something else; the unique id stays.
//
// Errors: ErrCorrupt or ErrNoDatabase if the backup is damaged or none, ErrNewer, a *LockedError.
func Restore(ctx context.Context, from, to string) (err error) {
	held, err := lock(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock(held)) }()
	for _, name := range []string{to, to + "-wal"} {
		if _, err := os.Stat(name); err == nil {
			return fmt.Errorf("%s: %w", name, ErrExists)
		}
	}
	partial := to + ".partial"
	if err := errors.Join(remove(partial), remove(partial+"-wal"), remove(partial+"-shm")); err != nil {
		return err
	}
	if err := copyFile(ctx, from, partial); err != nil {
		return errors.Join(err, remove(partial))
	}
	if err := renumber(ctx, partial); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", from, err), remove(partial), remove(partial+"-wal"), remove(partial+"-shm"))
	}
	if err := flush(partial); err != nil {
		return err
	}
	if err := os.Rename(partial, to); err != nil {
		return err
	}
	return flush(filepath.Dir(to))
}

// renumber checks a restored file and gives it a revision that none of the original's can have
// reached: the nanoseconds of Unix time, for no transaction takes less than one.
func renumber(ctx context.Context, path string) (err error) {
	c, err := open(path, sqlite3.OpenReadWrite, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	switch have, err := version(c.Conn); {
	case err != nil:
		return err
	case have == 0:
		return ErrNoDatabase
	}
	if err := integrity(c); err != nil {
		return err
	}
	if err := migrate(ctx, c.Conn); err != nil {
		return err
	}
	now := time.Now().UnixNano()
	return c.exec(`INSERT INTO revision (tx, at, relationships)
		SELECT max(tx + 1, ?), max(at + 1, ?), relationships FROM revision ORDER BY tx DESC LIMIT 1`, now, now)
}

// create makes an empty file that only this user can read.
func create(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s: %w", path, ErrExists)
	}
	if err != nil {
		return err
	}
	return file.Close()
}

func copyFile(ctx context.Context, from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrNoDatabase, err)
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for err == nil && ctx.Err() == nil {
		_, err = io.CopyN(out, in, 16<<20)
	}
	if err == nil {
		err = ended(ctx)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, out.Close())
}

// flush waits until a file, or the names in a folder, are on the disk.
func flush(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
