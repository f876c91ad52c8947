package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
	"github.com/tenantry/tenantry/internal/fault"
)

// openFile opens an engine's file, and makes it unless cfg is read-only. Errors are as of Embedded.
func openFile(ctx context.Context, cfg sqlite.Config) (*sqlite.Datastore, error) {
	if !cfg.ReadOnly {
		if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o700); err != nil {
			return nil, fileFault(err, cfg.Path)
		}
	}
	store, err := sqlite.Open(ctx, cfg)
	if err != nil {
		return nil, fileFault(err, cfg.Path)
	}
	return store, nil
}

// Backup copies an embedded engine's file, as it is at one moment, into the new file to. It
// takes no lock: a server may be writing meanwhile. progress, unless nil, is told how many
// pages of how many are done.
//
// Errors are ctx's; a NotFound fault (engine_missing) if there is no engine in the file, a
// Conflict fault (engine_newer) if a newer Tenantry has written it; Unavailable (engine_full)
// if there is no room for the copy; Internal faults (engine_corrupt, engine_file) else.
func Backup(ctx context.Context, file, to string, progress func(done, total int)) error {
	store, err := openFile(ctx, sqlite.Config{Path: file, ReadOnly: true})
	if err != nil {
		return err
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	err = store.Backup(ctx, to, progress)
	if errors.Is(err, sqlite.ErrFull) {
		err = fault.New(fault.Unavailable, CodeFull, "there is no room for the copy %s", to).Because(err)
	}
	return errors.Join(fileFault(err, file), fileFault(store.Close(), file))
}

// Restore makes the new file to from a backup's file. The engine keeps its name; no token that
// it gave out after the backup means anything to it. Errors are as of [Backup].
func Restore(ctx context.Context, from, to string) error {
	return fileFault(sqlite.Restore(ctx, from, to), from)
}

// InUse returns a Conflict fault (engine_in_use) while a process has an engine's file open
// for writing, also if the file itself was deleted under it.
func InUse(file string) error {
	lock := file + ".lock"
	if _, err := os.Stat(lock); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	l := flock.New(lock)
	free, err := l.TryLock()
	if err == nil && !free {
		err = &sqlite.LockedError{Path: file}
	}
	return errors.Join(fileFault(err, file), fileFault(l.Close(), file))
}

// fileFault puts an error about the file at path into a fault. It leaves nil, faults and those of contexts alone.
func fileFault(err error, path string) error {
	locked, inUse := errors.AsType[*sqlite.LockedError](err)
	_, known := errors.AsType[*fault.Error](err)
	switch {
	case err == nil, known, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case inUse && locked.PID > 0:
		return fault.New(fault.Conflict, CodeInUse,
			"process %d has %s open, and only one process may write to it: stop that one first, or ask it with --server", locked.PID, path)
	case inUse:
		return fault.New(fault.Conflict, CodeInUse,
			"another process has %s open, and only one may write to it: stop that one first, or ask it with --server", path)
	case errors.Is(err, sqlite.ErrNoDatabase):
		return fault.New(fault.NotFound, CodeMissing, "%s is not there, or is no engine's file", path).Because(err)
	case errors.Is(err, sqlite.ErrCorrupt):
		return fault.New(fault.Internal, CodeCorrupt,
			"%s is damaged: move it out of the way and start again, and it is made anew from the directory; or restore a backup", path).Because(err)
	case errors.Is(err, sqlite.ErrNewer):
		return fault.New(fault.Conflict, CodeNewer, "a newer Tenantry has written %s: use that version", path).Because(err)
	case errors.Is(err, sqlite.ErrFull):
		return noRoom(err)
	default:
		return fault.New(fault.Internal, CodeFile, "the engine's file %s cannot be used", path).Because(err)
	}
}
