package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/app"
)

// copyOf copies a folder of files.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// change replaces a text in a file, which has to be there.
func change(t *testing.T, path, old, with string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s is not in %s", old, text)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// damage calls fn with copies of a backup, each damaged in another way.
func damage(t *testing.T, dir string, fn func(damaged, what string)) {
	t.Helper()
	for _, name := range []string{"directory.db", "engine.db"} {
		for what, harm := range map[string]func(path string, content []byte) error{
			"a bit flipped in": func(path string, content []byte) error {
				content[len(content)/2] ^= 4
				return os.WriteFile(path, content, 0o600)
			},
			"the end missing of": func(path string, content []byte) error { return os.WriteFile(path, content[:len(content)-1], 0o600) },
			"too much in":        func(path string, content []byte) error { return os.WriteFile(path, append(content, 0), 0o600) },
			"no":                 func(path string, _ []byte) error { return os.Remove(path) },
		} {
			bad := copyOf(t, dir)
			path := filepath.Join(bad, name)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := harm(path, content); err != nil {
				t.Fatal(err)
			}
			fn(bad, what+" "+name)
		}
	}
	for what, harm := range map[string]func(*app.Manifest){
		"a file outside of the backup": func(m *app.Manifest) { m.Files[0].Name = "../engine.db" },
		"a file twice":                 func(m *app.Manifest) { m.Files[0] = m.Files[1] },
		"no directory":                 func(m *app.Manifest) { m.Files = m.Files[:1] },
		"no format":                    func(m *app.Manifest) { m.Format = 0 },
		"another version":              func(m *app.Manifest) { m.Environments[0].Version++ },
	} {
		bad := copyOf(t, dir)
		path := filepath.Join(bad, "manifest.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var m app.Manifest
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		harm(&m)
		if text, err = json.Marshal(m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		fn(bad, "a manifest with "+what)
	}
	bad := copyOf(t, dir)
	if err := os.WriteFile(filepath.Join(bad, "manifest.json"), []byte(`{"format":1`), 0o600); err != nil {
		t.Fatal(err)
	}
	fn(bad, "half a manifest")
}
