package report_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// xmlErrors validates documents against the XML schema of JUnit reports, and returns what is wrong with them.
func xmlErrors(t *testing.T, documents ...string) []string {
	t.Helper()
	type file struct {
		Name string `json:"fileName"`
		Text string `json:"contents"`
	}
	var files []file
	for i, text := range documents {
		files = append(files, file{fmt.Sprintf("%d.xml", i), text})
	}
	given, err := json.Marshal(map[string]any{"schema": read(t, "testdata/xsd/junit.xsd"), "documents": files})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", xmlValidator(t))
	node.Stdin = bytes.NewReader(given)
	var problems bytes.Buffer
	node.Stderr = &problems
	out, err := node.Output()
	if err != nil {
		t.Fatalf("validating XML: %v\n%s", err, problems.String())
	}
	var result struct {
		Valid  bool
		Errors []string
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("validating XML: %v\n%s", err, out)
	}
	if !result.Valid && len(result.Errors) == 0 {
		result.Errors = []string{"not valid, for no reason given"}
	}
	return result.Errors
}

// xmlValidator returns the path of the program that validates XML, in a folder
// with the packages that it needs, which is made once and kept in the user's cache.
func xmlValidator(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatal("the validator of XML schemas runs on Node.js: install node and npm, on Debian or Ubuntu with " +
				"`apt-get install nodejs npm`, on macOS with `brew install node`")
		}
	}
	files := map[string]string{}
	all := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json", "validate.mjs"} {
		files[name] = read(t, filepath.Join("testdata/xsd", name))
		all.Write([]byte(files[name]))
	}
	cache, err := os.UserCacheDir()
	must(t, err)
	dir := filepath.Join(cache, "tenantry-test", "xsd-"+hex.EncodeToString(all.Sum(nil))[:16])
	must(t, os.MkdirAll(dir, 0o755))
	guard := flock.New(dir + ".lock")
	must(t, guard.Lock())
	defer func() { _ = guard.Close() }()
	script, done := filepath.Join(dir, "validate.mjs"), filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err == nil {
		return script
	}
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	must(t, os.WriteFile(done, nil, 0o600))
	return script
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

// The validator that other tests rely on tells right from wrong.
func TestXMLValidator(t *testing.T) {
	const right = `<testsuites><testsuite name="a" tests="1"><testcase name="b"/></testsuite></testsuites>`
	if errs := xmlErrors(t, right); len(errs) > 0 {
		t.Errorf("errors of what is right: %q", errs)
	}
	errs := xmlErrors(t, right, strings.Replace(right, "testcase name", "testcase title", 1), right[1:])
	for _, want := range []string{"1.xml:1: Schemas validity error", "2.xml:1: parser error"} {
		if !slices.ContainsFunc(errs, func(e string) bool { return strings.HasPrefix(e, want) }) {
			t.Errorf("no error like %q among %q", want, errs)
		}
	}
}
