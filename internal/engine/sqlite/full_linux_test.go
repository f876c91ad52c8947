package sqlite_test

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// insideEnv tells a test that it runs in a process of its own, and where it may write.
const insideEnv = "TENANTRY_TEST_INSIDE"

// TestFull_ADiskWithoutRoom fills a small file system in memory, which a process of its own
// mounts where only that process sees it. Where the kernel forbids that, a limit on the size of
// files takes its place.
func TestFull_ADiskWithoutRoom(t *testing.T) {
	if dir := os.Getenv(insideEnv); dir != "" {
		aDiskWithoutRoom(t, dir)
		return
	}
	// A user of its own, root in its own view, may mount in a view of its own.
	private := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	runInside(t, private)
}

// TestFull_FilesWithoutRoom limits how large the files of a process may become.
func TestFull_FilesWithoutRoom(t *testing.T) {
	if dir := os.Getenv(insideEnv); dir != "" {
		filesWithoutRoom(t, dir)
		return
	}
	runInside(t, nil)
}

// runInside runs the calling test in a process of its own. If attr cannot be had, it goes without.
func runInside(t *testing.T, attr *syscall.SysProcAttr) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	dir := t.TempDir()
	command := func(attr *syscall.SysProcAttr) *exec.Cmd {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), insideEnv+"="+dir)
		cmd.SysProcAttr = attr
		return cmd
	}
	out, err := command(attr).CombinedOutput()
	if attr != nil && out == nil && err != nil {
		t.Logf("without namespaces (%v)", err)
		out, err = command(nil).CombinedOutput()
	}
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

func aDiskWithoutRoom(t *testing.T, dir string) {
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Logf("no file system of its own (%v)", err)
		filesWithoutRoom(t, dir)
		return
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	whenFull(t, dir, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}

func filesWithoutRoom(t *testing.T, dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	set := func(soft uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: soft, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
	}
	set(2 << 20)
	defer set(limit.Cur)
	whenFull(t, dir, func() { set(limit.Cur) })
}

// whenFull fills a datastore, makes room, and expects that it goes on, without a restart and after one.
func whenFull(t *testing.T, dir string, makeRoom func()) {
	path := filepath.Join(dir, "engine.db")
	d := mustOpen(t, sqlite.Config{Path: path})
	f := fill(t, d)
	f.holds(d)
	f.refuses(d)
	makeRoom()
	f.goesOn(d)
	mustClose(t, d)
	intact(t, path)

	d = mustOpen(t, sqlite.Config{Path: path})
	f.holdsAtHead(d)
	mustClose(t, d)
}
