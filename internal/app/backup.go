package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/store"
)

// Progress is told how far each part of a long task has come.
type Progress func(part string, done, total int)

// Backup copies the databases of the one-machine shape into the new folder dir,
// while a server runs on them or not. The folder has that name only once it is complete.
//
// The engine is copied first: so the directory is never behind it, and the relay
// brings a restored engine up to where the directory is. An engine that has not
// been made yet is left out; a restored directory fills one.
//
// Errors: Invalid faults (backup_elsewhere) for the other shapes, and (database_missing,
// unwritable_file); a Conflict fault (backup_exists); those of engine.Backup; ctx's.
func Backup(ctx context.Context, cfg Config, dir string, progress Progress) (_ Manifest, err error) {
	cfg = cfg.withDefaults()
	if _, err := cfg.directoryFile(); err != nil {
		return Manifest{}, err
	}
	partial := filepath.Clean(dir) + ".partial"
	if err := claimFolder(dir, partial); err != nil {
		return Manifest{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(partial))
		}
	}()
	m := Manifest{Format: backupFormat, Tenantry: Version()}
	if err := m.copy(ctx, cfg, partial, progress); err != nil {
		return Manifest{}, err
	}
	m.Created = cfg.Now().UTC().Truncate(time.Second)
	if err := m.write(partial); err != nil {
		return Manifest{}, err
	}
	if err := os.Rename(partial, dir); err != nil {
		return Manifest{}, err
	}
	return m, syncFile(filepath.Dir(filepath.Clean(dir)))
}

// directoryFile is the file of the directory's database; an Invalid fault
// (backup_elsewhere) if not everything is in files on this machine.
func (c Config) directoryFile() (string, error) {
	path, err := store.File(c.DatabaseName())
	switch {
	case err != nil:
		return "", err
	case path == "":
		return "", fault.New(fault.Invalid, "backup_elsewhere",
			"the directory is in PostgreSQL, which has backups of its own: use pg_dump; after restoring it run tenantry reconcile, which makes the engine right")
	case !c.Embedded():
		return "", fault.New(fault.Invalid, "backup_elsewhere",
			"the engine is a SpiceDB elsewhere, whose database has backups of its own; copy %s with sqlite3's .backup, and after restoring either run tenantry reconcile", path)
	}
	return path, nil
}

// claimFolder makes the folder partial, to be dir when it is complete.
func claimFolder(dir, partial string) error {
	for _, path := range []string{dir, partial} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Conflict, "backup_exists",
				"%s is there already, and a backup is never written over: name another folder, or remove it if it is of a backup that was broken off", path).Because(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(partial), 0o700); err != nil {
		return unwritable(partial, err)
	}
	if err := os.Mkdir(partial, 0o700); err != nil {
		return unwritable(partial, err)
	}
	return nil
}

func unwritable(path string, cause error) error {
	return fault.New(fault.Invalid, "unwritable_file", "cannot create %s", path).Because(cause)
}

// copy copies the databases into a folder and notes what they hold.
func (m *Manifest) copy(ctx context.Context, cfg Config, into string, progress Progress) error {
	part := func(name string) func(done, total int) {
		return func(done, total int) { progress(name, done, total) }
	}
	copied := []string{}
	switch _, err := os.Stat(cfg.EngineFile()); {
	case err == nil:
		if err := engine.Backup(ctx, cfg.EngineFile(), filepath.Join(into, engineFile), part(engineFile)); err != nil {
			return err
		}
		copied = append(copied, engineFile)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	versions, err := store.Backup(ctx, cfg.Database, filepath.Join(into, directoryFile), part(directoryFile))
	if err != nil {
		return err
	}
	m.Environments = environments(versions)
	for _, name := range append(copied, directoryFile) {
		if err := finish(filepath.Join(into, name)); err != nil {
			return err
		}
		file, err := sum(ctx, into, name, func(int64) {})
		if err != nil {
			return err
		}
		m.Files = append(m.Files, file)
	}
	return nil
}

// write puts the manifest into a backup's folder, and the folder onto the disk.
func (m Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, manifestFile)
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return unwritable(path, err)
	}
	return errors.Join(syncFile(path), syncFile(dir))
}

// finish makes a file the owner's alone, and waits until the disk has it.
func finish(path string) error {
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	return syncFile(path)
}

// syncFile waits until the disk has a file, or the names in a folder.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// Version is the version of this program, as far as it was built with one.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
