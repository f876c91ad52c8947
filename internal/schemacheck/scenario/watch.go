package scenario

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck"
)

// settle is how long a change has to be the last for the files to be read: editors write one file in several steps.
const settle = 100 * time.Millisecond

// Watched says what to run, and what to run it against.
type Watched struct {
	Paths []string               // as for Run
	Model func() (*Model, error) // builds the model from the files as they are now
	Files []string               // that Model reads
}

// Round is one run of a watch.
type Round struct {
	At     time.Time
	Report schemacheck.Report // of the files that were run: all in the first round and after the model changed, otherwise those that changed
	Err    error              // why nothing could be run: as a rule the model cannot be built
}

// Watch runs the scenarios, and those concerned again whenever a file changes, until ctx
// ends, which is no error. It calls show with each round, one at a time. A round in which nothing changed is not shown.
//
// Errors are of what cannot be watched: an Unavailable fault (code "cannot_watch").
func Watch(ctx context.Context, what Watched, show func(Round)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fault.New(fault.Unavailable, "cannot_watch", "files cannot be watched here: %s", err)
	}
	defer func() { _ = watcher.Close() }() // nothing is lost by what it could say
	w := &watch{Watched: what, watcher: watcher, folders: map[string]bool{}}
	if err := w.follow(); err != nil { // before the first run, so that no change falls between
		return err
	}
	w.round(ctx, show)
	quiet := time.NewTimer(settle)
	quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-watcher.Events:
			if event.Op != fsnotify.Chmod {
				quiet.Reset(settle)
			}
		case <-watcher.Errors: //nolint:errcheck // events were lost, however: everything is looked at
			quiet.Reset(settle)
		case <-quiet.C:
			if err := w.follow(); err != nil {
				return err
			}
			w.round(ctx, show)
		}
	}
}

// watch is a Watch under way. Events only say that it is time to look: what has
// changed is told by what the files hold, so that no event of its own or of
// others makes it run again.
type watch struct {
	Watched
	watcher *fsnotify.Watcher
	folders map[string]bool // that are watched: editors replace files, and with a file its own watch would go

	model  *Model
	inputs string            // what the model was built from
	seen   map[string]string // path to what it held in the last round
}

// follow watches the folders of all files, and those below the directories named, as they are now.
func (w *watch) follow() error {
	var wanted []string
	for _, f := range w.Files {
		wanted = append(wanted, filepath.Dir(f))
	}
	for _, f := range schemacheck.Files(w.Paths, files()) {
		wanted = append(wanted, filepath.Dir(f.Path()))
	}
	for _, path := range w.Paths {
		if strings.ContainsAny(path, `*?[`) {
			wanted = append(wanted, filepath.Dir(path))
		}
		wanted = append(wanted, foldersBelow(path)...)
	}
	slices.Sort(wanted)
	for _, folder := range slices.Compact(wanted) {
		if w.folders[folder] {
			continue
		}
		err := w.watcher.Add(folder)
		if errors.Is(err, fs.ErrNotExist) { // a path that leads nowhere is a finding of the run
			continue
		}
		if err != nil {
			return fault.New(fault.Unavailable, "cannot_watch", "%s cannot be watched: %s", folder, err)
		}
		w.folders[folder] = true
	}
	for folder := range w.folders { // one that is gone may come back, with another watch
		if _, err := os.Stat(folder); err != nil {
			delete(w.folders, folder)
		}
	}
	return nil
}

// foldersBelow returns a directory and those below it that are not hidden; none for anything else.
func foldersBelow(dir string) []string {
	var all []string
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error { // what cannot be read is a finding of the run
		switch {
		case err != nil:
			return nil //nolint:nilerr // the same
		case !entry.IsDir():
			return nil
		case path != dir && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		}
		all = append(all, path)
		return nil
	})
	return all
}

// round runs what has changed since the last round, and shows it.
func (w *watch) round(ctx context.Context, show func(Round)) {
	r := Round{At: time.Now()}
	inputs := contents(w.Files)
	again := w.seen == nil || inputs != w.inputs
	if again {
		w.inputs, w.seen = inputs, map[string]string{}
		if w.model, r.Err = w.Model(); r.Err != nil {
			show(r)
			return
		}
	}
	if w.model == nil {
		return // what is wrong with it was shown, and is as it was
	}
	now := map[string]string{}
	var changed []schemacheck.File
	for _, f := range schemacheck.Files(w.Paths, files()) {
		now[f.Path()] = contents([]string{f.Path()})
		if before, known := w.seen[f.Path()]; !known || before != now[f.Path()] {
			changed = append(changed, f)
		}
	}
	w.seen = now
	if len(changed) == 0 && !again {
		return
	}
	r.Report, r.Err = run(ctx, changed, w.model)
	if ctx.Err() == nil {
		show(r)
	}
}

// contents returns what files hold, as something to compare; what cannot be read counts as why.
func contents(paths []string) string {
	var all strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			text = []byte(err.Error())
		}
		all.WriteString(path + "\x00" + string(text) + "\x00")
	}
	return all.String()
}
