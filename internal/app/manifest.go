package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// The files of a backup.
const (
	manifestFile  = "manifest.json"
	directoryFile = "directory.db"
	engineFile    = "engine.db"
)

// backupFormat is the version of a backup's layout.
const backupFormat = 1

// Manifest says what a backup holds.
type Manifest struct {
	Format       int                 `json:"format"`
	Created      time.Time           `json:"created"`  // when the copies were complete
	Tenantry     string              `json:"tenantry"` // the version that made it
	Files        []BackupFile        `json:"files"`
	Environments []BackupEnvironment `json:"environments"` // in the order of their ids
}

// BackupFile is one file of a backup.
type BackupFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// BackupEnvironment is how far an environment's journal goes in a backup.
type BackupEnvironment struct {
	ID      account.EnvironmentID `json:"id"`
	Version account.Version       `json:"version"`
}

// holds reports whether the backup has a file of a name.
func (m Manifest) holds(name string) bool {
	return slices.ContainsFunc(m.Files, func(f BackupFile) bool { return f.Name == name })
}

// bytes is the size of all files.
func (m Manifest) bytes() (sum int64) {
	for _, f := range m.Files {
		sum += f.Bytes
	}
	return sum
}

// environments lists versions in the order of the ids.
func environments(versions map[account.EnvironmentID]account.Version) []BackupEnvironment {
	all := make([]BackupEnvironment, 0, len(versions))
	for id, version := range versions {
		all = append(all, BackupEnvironment{ID: id, Version: version})
	}
	slices.SortFunc(all, func(a, b BackupEnvironment) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

// readManifest reads a backup's manifest. Errors: Invalid faults (no_backup,
// backup_damaged), and a Conflict fault (backup_newer).
func readManifest(dir string) (Manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return Manifest{}, fault.New(fault.Invalid, "no_backup", "%s is not a folder that tenantry backup has made: its %s cannot be read", dir, manifestFile).Because(err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return Manifest{}, damaged(dir, manifestFile+" is not readable").Because(err)
	}
	if m.Format > backupFormat {
		return Manifest{}, fault.New(fault.Conflict, "backup_newer", "a newer Tenantry (%s) has made the backup in %s: use that version", m.Tenantry, dir)
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		known := f.Name == directoryFile || f.Name == engineFile
		if !known || seen[f.Name] || f.Bytes < 1 || len(f.SHA256) != 2*sha256.Size {
			return Manifest{}, damaged(dir, manifestFile+" does not make sense")
		}
		seen[f.Name] = true
	}
	if m.Format != backupFormat || !seen[directoryFile] {
		return Manifest{}, damaged(dir, manifestFile+" does not make sense")
	}
	return m, nil
}

func damaged(dir, what string) *fault.Error {
	return fault.New(fault.Invalid, "backup_damaged", "the backup in %s is damaged: %s; use another", dir, what)
}

// verify reads all files of a backup and compares them with its manifest: an Invalid fault (backup_damaged).
func (m Manifest) verify(ctx context.Context, dir string, progress func(done, total int64)) error {
	done := int64(0)
	for _, f := range m.Files {
		info, err := os.Stat(filepath.Join(dir, f.Name))
		if err != nil {
			return damaged(dir, f.Name+" cannot be read").Because(err)
		}
		if info.Size() != f.Bytes {
			return damaged(dir, fmt.Sprintf("%s has %d bytes, and should have %d", f.Name, info.Size(), f.Bytes))
		}
		got, err := sum(ctx, dir, f.Name, func(n int64) { progress(done+n, m.bytes()) })
		if err != nil {
			return err
		}
		if got.SHA256 != f.SHA256 {
			return damaged(dir, f.Name+" is not what was backed up: its sum is another")
		}
		done += f.Bytes
	}
	return nil
}

// sum reads a file and says what it is.
func sum(ctx context.Context, dir, name string, progress func(done int64)) (_ BackupFile, err error) {
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return BackupFile{}, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := sha256.New()
	n, err := io.Copy(&counter{Writer: hash, ctx: ctx, progress: progress}, file)
	return BackupFile{Name: name, Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

// counter tells how much was written through it, and fails when ctx ends.
type counter struct {
	io.Writer
	ctx      context.Context //nolint:containedctx // an io.Writer has no other way to get it
	progress func(done int64)
	done     int64
}

func (c *counter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.Writer.Write(p)
	c.done += int64(n)
	c.progress(c.done)
	return n, err
}
