package testspice

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const (
	module = "github.com/authzed/spicedb"
	tool   = module + "/cmd/spicedb"
)

// Build returns the path of a spicedb binary of the version in go.mod, and compiles it if no
// earlier run has. Test processes that ask at once wait for the first of them, and none ever
// sees a binary that is half written. It ends the test if it cannot.
func Build(tb testing.TB) string {
	tb.Helper()
	version := run(tb, "go", "list", "-m", "-f", "{{.Version}}", module)
	cache, err := os.UserCacheDir()
	if err != nil {
		tb.Fatalf("testspice: no cache directory: %v", err)
	}
	dir := filepath.Join(cache, "tenantry-test")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatalf("testspice: %v", err)
	}
	binary := filepath.Join(dir, strings.Join([]string{"spicedb", version, runtime.GOOS, runtime.GOARCH}, "-"))
	if isFile(binary) {
		return binary
	}

	unlock, err := lock(binary + ".lock")
	if err != nil {
		tb.Fatalf("testspice: %v", err)
	}
	defer unlock()
	if isFile(binary) { // the one before us has built it
		return binary
	}
	work, err := os.MkdirTemp(dir, "build-") //nolint:usetesting // the rename needs the same file system
	if err != nil {
		tb.Fatalf("testspice: %v", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	built := filepath.Join(work, "spicedb")
	run(tb, "go", "build", "-o", built, tool)
	if err := os.Rename(built, binary); err != nil {
		tb.Fatalf("testspice: %v", err)
	}
	return binary
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// run returns what a command prints, trimmed; it ends the test if the command fails.
func run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	var errors strings.Builder
	cmd := exec.CommandContext(tb.Context(), name, args...)
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("testspice: %s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, errors.String())
	}
	return strings.TrimSpace(string(out))
}
