package scenario_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck/scenario"
	"github.com/tenantry/tenantry/schema"
)

const holds = `
roles: {reader: read_users}
accounts: [globex]
members: {ada: {globex: reader}}
expect: ada may open globex
`

// desk is a folder that is watched.
type desk struct {
	t      *testing.T
	dir    string
	rounds chan scenario.Round
}

// write puts a file in the place of the one there is, as editors do: nobody sees half of it.
func (d *desk) write(name, text string) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err != nil {
		d.t.Fatal(err)
	}
}

// add writes to the end of a file.
func (d *desk) add(name, text string) {
	d.t.Helper()
	f, err := os.OpenFile(filepath.Join(d.dir, name), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		d.t.Fatal(err)
	}
}

// next waits for a round, and says which files were run and how many findings there are.
func (d *desk) next() (files []string, findings int, err error) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	select {
	case <-ctx.Done():
		d.t.Fatal("no round")
	case r := <-d.rounds:
		for _, f := range r.Report.Files {
			name, err := filepath.Rel(d.dir, f.Path)
			if err != nil {
				d.t.Fatal(err)
			}
			files = append(files, name)
		}
		return files, len(r.Report.Findings()), r.Err
	}
	return nil, 0, nil
}

// expect waits for a round with these files.
func (d *desk) expect(findings int, files ...string) {
	d.t.Helper()
	got, n, err := d.next()
	if err != nil || n != findings || len(got) != len(files) {
		d.t.Fatalf("ran %v with %d findings (%v); want %v with %d", got, n, err, files, findings)
	}
	for i := range files {
		if got[i] != filepath.FromSlash(files[i]) {
			d.t.Fatalf("ran %v; want %v", got, files)
		}
	}
}

func watched(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), rounds: make(chan scenario.Round)}
	d.write("a.yaml", holds)
	d.write("b.yaml", holds)
	d.write("shop.perms", "permissions: [{key: shop.read, relation: read_shop, description: Read.}]")
	permissions := filepath.Join(d.dir, "shop.perms")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- scenario.Watch(ctx, scenario.Watched{
			Paths: []string{d.dir}, Files: []string{permissions},
			Model: func() (*scenario.Model, error) {
				text, err := os.ReadFile(permissions)
				if err != nil {
					return nil, err
				}
				return scenario.NewModel([]schema.Source{{Name: "shop.perms", Text: text}}, nil)
			},
		}, func(r scenario.Round) {
			select {
			case d.rounds <- r:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the end of the watch is an error: %v", err)
		}
	})
	return d
}

func TestWatchRunsWhatChanged(t *testing.T) {
	d := watched(t)
	d.expect(0, "a.yaml", "b.yaml")

	d.write("b.yaml", holds+"steps: [{when: block ada, expect: ada may open globex}]\n")
	d.expect(1, "b.yaml")

	// What is written anew without being changed is no reason to run: the round that comes next is of the change after it.
	d.write("a.yaml", holds)
	d.write("b.yaml", holds)
	d.expect(0, "b.yaml")

	d.add("a.yaml", "steps:\n  - {when: block ada}\n")
	d.expect(0, "a.yaml")
	d.add("a.yaml", "  - {expect: ada may open globex}\n")
	d.expect(1, "a.yaml")
}

func TestWatchSeesNewFolders(t *testing.T) {
	d := watched(t)
	d.expect(0, "a.yaml", "b.yaml")
	if err := os.MkdirAll(filepath.Join(d.dir, "more", "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.write("more/deep/c.yaml", holds)
	d.expect(0, "more/deep/c.yaml")
	d.write("more/deep/c.yaml", holds+"# changed\n")
	d.expect(0, "more/deep/c.yaml")
}

func TestWatchRunsAllWhenTheModelChanges(t *testing.T) {
	d := watched(t)
	d.expect(0, "a.yaml", "b.yaml")
	d.write("shop.perms", "permissions: [{key: shop.read, relation: NO, description: Read.}]")
	_, _, err := d.next()
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != "invalid_catalogue" {
		t.Fatalf("a broken catalogue: %v", err)
	}
	d.write("a.yaml", holds+"# changed while nothing can be run\n")
	d.write("shop.perms", "permissions: [{key: shop.read, relation: see_shop, description: Read.}]")
	d.expect(0, "a.yaml", "b.yaml")
}
