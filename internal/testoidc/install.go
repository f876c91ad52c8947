package testoidc

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

//go:embed package.json
var manifest []byte

//go:embed package-lock.json
var lock []byte

//go:embed provider.mjs
var program []byte

// install returns the path of the provider's program, in a folder with the
// packages that it needs. They are installed by the first who asks for them;
// test processes that ask at once wait for it.
func install(tb testing.TB) string {
	tb.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			tb.Fatalf("testoidc: these tests need an OpenID provider, which runs on Node.js: install node and npm, " +
				"on Debian or Ubuntu with `apt-get install nodejs npm`, on macOS with `brew install node`")
		}
	}
	cache, err := os.UserCacheDir()
	must(tb, err)
	dir := filepath.Join(cache, "tenantry-test", "oidc-"+digest(manifest, lock))
	must(tb, os.MkdirAll(dir, 0o755))
	guard := flock.New(dir + ".lock")
	must(tb, guard.Lock())
	defer func() { _ = guard.Close() }()
	done := filepath.Join(dir, "installed")
	if !isThere(done) {
		must(tb, os.WriteFile(filepath.Join(dir, "package.json"), manifest, 0o600))
		must(tb, os.WriteFile(filepath.Join(dir, "package-lock.json"), lock, 0o600))
		packages(tb, dir)
		must(tb, os.WriteFile(done, nil, 0o600))
	}
	script := filepath.Join(dir, "provider-"+digest(program)+".mjs")
	if !isThere(script) {
		must(tb, os.WriteFile(script, program, 0o600))
	}
	return script
}

// packages lets npm install exactly what the lock file names, and run nothing of it.
func packages(tb testing.TB, dir string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		tb.Fatalf("testoidc: npm ci: %v\n%s", err, out)
	}
}

func digest(files ...[]byte) string {
	all := sha256.New()
	for _, text := range files {
		all.Write(text)
	}
	return hex.EncodeToString(all.Sum(nil))[:16]
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("testoidc: %v", err)
	}
}
