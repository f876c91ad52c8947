package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/store"
)

// unfinished ends the names of what a restore is still writing.
const unfinished = ".restoring"

// Restore puts the backup in the folder dir in place, where there are no
// databases yet. Every file is checked before anything is written, and has its
// name only once it is complete; the directory comes first, so that whatever
// breaks a restore off leaves nothing, or a directory that fills an engine when a server starts.
//
// Errors: Invalid faults (backup_elsewhere, no_backup, backup_damaged); Conflict
// faults (restore_occupied, backup_newer, database_too_new, engine_in_use); those of
// engine.Restore; ctx's.
func Restore(ctx context.Context, cfg Config, dir string, progress Progress) (_ Manifest, err error) {
	cfg = cfg.withDefaults()
	directory, err := cfg.directoryFile()
	if err != nil {
		return Manifest{}, err
	}
	m, err := readManifest(dir)
	if err != nil {
		return Manifest{}, err
	}
	places := map[string]string{directoryFile: directory, engineFile: cfg.EngineFile()}
	if err := errors.Join(engine.InUse(cfg.EngineFile()), vacant(places)); err != nil {
		return Manifest{}, err
	}
	verifying := func(done, total int64) { progress("checking", int(done>>10), int(total>>10)) }
	if err := m.verify(ctx, dir, verifying); err != nil {
		return Manifest{}, err
	}
	for _, place := range places {
		if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
			return Manifest{}, unwritable(filepath.Dir(place), err)
		}
		if err := forget(place + unfinished); err != nil { // of a restore that was broken off
			return Manifest{}, err
		}
	}
	defer func() {
		for _, place := range places {
			err = errors.Join(err, forget(place+unfinished))
		}
	}()
	if err := m.stage(ctx, cfg, dir, places, progress); err != nil {
		return Manifest{}, err
	}
	if err := errors.Join(engine.InUse(cfg.EngineFile()), vacant(places)); err != nil { // still
		return Manifest{}, err
	}
	return m, m.place(places)
}

// companions end the names of the files that SQLite keeps beside a database. One
// that is left of a database which is gone would be taken for a part of the new one.
var companions = []string{"", "-wal", "-shm", "-journal"}

// vacant returns a Conflict fault (restore_occupied) if there is a database, or a part of one, in one of the places.
func vacant(places map[string]string) error {
	var found []string
	for _, place := range places {
		for _, suffix := range companions {
			if _, err := os.Lstat(place + suffix); !errors.Is(err, fs.ErrNotExist) {
				found = append(found, place+suffix)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	return fault.New(fault.Conflict, "restore_occupied",
		"there is data already, and a restore never replaces any: %s; stop the server, if one runs there, and move the files away, or restore to another --data", strings.Join(found, ", "))
}

// forget removes a file that is not complete, with its companions.
func forget(path string) error {
	var errs []error
	for _, suffix := range append([]string{".lock", ".partial"}, companions...) {
		if err := os.Remove(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// stage writes every file under its unfinished name, and checks that it can be used.
func (m Manifest) stage(ctx context.Context, cfg Config, dir string, places map[string]string, progress Progress) error {
	if m.holds(engineFile) {
		to := places[engineFile] + unfinished
		if err := engine.Restore(ctx, filepath.Join(dir, engineFile), to); err != nil {
			return err
		}
		if err := finish(to); err != nil {
			return err
		}
	}
	to := places[directoryFile] + unfinished
	written := func(done int64) { progress("restoring", int(done>>10), int(m.size(directoryFile)>>10)) }
	if err := copyFile(ctx, filepath.Join(dir, directoryFile), to, written); err != nil {
		return err
	}
	db, err := store.Open(ctx, to, store.Config{Now: cfg.Now, MustExist: true})
	if err != nil {
		return err
	}
	versions, err := db.Heads(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if !slices.Equal(environments(versions), m.Environments) {
		return damaged(dir, directoryFile+" holds other environments than "+manifestFile+" says")
	}
	return finish(to)
}

// size is the size of a file of the backup.
func (m Manifest) size(name string) int64 {
	for _, f := range m.Files {
		if f.Name == name {
			return f.Bytes
		}
	}
	return 0
}

func copyFile(ctx context.Context, from, to string, progress func(done int64)) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return unwritable(to, err)
	}
	_, err = io.Copy(&counter{Writer: out, ctx: ctx, progress: progress}, in)
	return errors.Join(err, out.Close())
}

// place gives the files their names, the directory first.
func (m Manifest) place(places map[string]string) error {
	for _, name := range []string{directoryFile, engineFile} {
		if !m.holds(name) {
			continue
		}
		if err := os.Rename(places[name]+unfinished, places[name]); err != nil {
			return err
		}
		if err := syncFile(filepath.Dir(places[name])); err != nil {
			return err
		}
	}
	return nil
}
