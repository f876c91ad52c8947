package testpg

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	superuser    = "tenantry"
	startTimeout = time.Minute      // from the start of the server to its being ready
	stopTimeout  = 20 * time.Second // of a fast shutdown, before a harder one
	ports        = 5                // free ports tried, as another process may take one first
)

// cluster is a running PostgreSQL server with its data directory.
type cluster struct {
	dir      string // holds everything; removed by stop
	port     int
	password string
	process  *os.Process
	exited   chan struct{} // closed when the server has ended
	log      *tail

	filling sync.Mutex
	filled  map[string]bool // databases that others are copies of; guarded by filling
}

// start makes a cluster and returns once it takes connections.
func start() (*cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	sweep()
	owner, err := serverOwner()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", dirPrefix, os.Getpid()))
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, password: rand.Text(), log: &tail{}, filled: map[string]bool{}}
	if err := c.create(bin, owner); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	for range ports {
		if err = c.run(bin, owner); err == nil {
			return c, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(dir))
}

// create fills the data directory.
func (c *cluster) create(bin string, o owner) error {
	secret := filepath.Join(c.dir, "password")
	if err := os.WriteFile(secret, []byte(c.password), 0o600); err != nil {
		return err
	}
	for _, path := range []string{c.dir, secret} {
		if err := o.own(path); err != nil {
			return err
		}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"),
		"--pgdata", c.data(), "--username", superuser, "--pwfile", secret, "--auth", "password",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	initdb.Dir = c.dir
	initdb.SysProcAttr = o.attributes()
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// run starts the server on a free port and waits until it says that it is ready.
func (c *cluster) run(bin string, o owner) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	settings := []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(port), "unix_socket_directories=",
		"fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum_naptime=10s",
		"shared_buffers=64MB", "max_connections=200", "track_commit_timestamp=on",
		"log_destination=stderr", "logging_collector=off", "lc_messages=C",
	}
	args := []string{"-D", c.data()}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	server := exec.Command(filepath.Join(bin, "postgres"), args...)
	server.Dir = c.dir
	server.SysProcAttr = o.attributes()
	output, err := server.StderrPipe()
	if err != nil {
		return err
	}

	started, exited, ready := make(chan error, 1), make(chan struct{}), make(chan struct{})
	go func() {
		// The kernel's promise to end the server is tied to the thread that
		// started it, so this goroutine keeps its thread until the server ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := server.Start()
		started <- err
		if err != nil {
			return
		}
		c.log.follow(output, "database system is ready to accept connections", ready)
		_ = server.Wait() // how it ended is in its log
		close(exited)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	c.port, c.process, c.exited = port, server.Process, exited
	select {
	case <-ready:
		return nil
	case <-exited:
		return fmt.Errorf("postgres ended at once:\n%s", c.log)
	case <-time.After(startTimeout):
		_ = c.process.Kill()
		<-exited
		return fmt.Errorf("postgres was not ready within %s:\n%s", startTimeout, c.log)
	}
}

// stop ends the server, ever more firmly, and removes its data.
func (c *cluster) stop() error {
	var errs []error
	for i, signal := range []os.Signal{fastShutdown, immediateShutdown, os.Kill} {
		if i > 0 {
			errs = append(errs, fmt.Errorf("postgres did not stop within %s, sent %v", stopTimeout, signal))
		}
		_ = c.process.Signal(signal) // fails only if it has ended already
		select {
		case <-c.exited:
			return errors.Join(append(errs, os.RemoveAll(c.dir))...)
		case <-time.After(stopTimeout):
		}
	}
	return errors.Join(append(errs, fmt.Errorf("process %d does not end", c.process.Pid))...)
}

// url returns the address of a database of the cluster.
func (c *cluster) url(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, c.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)),
		Path:     database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// binaries returns the folder with PostgreSQL's programs: the newest of Debian's, or the one in PATH.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is well formed
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })
		return filepath.Dir(newest), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", errors.New("PostgreSQL is not installed, and these tests need its server: " +
			"on Debian or Ubuntu run `apt-get install postgresql`, on Fedora `dnf install postgresql-server`, " +
			"on macOS `brew install postgresql`; or put initdb and postgres into PATH")
	}
	return filepath.Dir(path), nil
}

func major(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // /usr/lib/postgresql/<major>/bin/postgres
	return n
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// tail keeps the last lines that the server wrote.
type tail struct {
	mu    sync.Mutex
	lines []string
}

// follow reads to the end and closes seen at the first line that holds the text.
func (l *tail) follow(r io.Reader, text string, seen chan<- struct{}) {
	const most = 40
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		l.mu.Lock()
		l.lines = append(l.lines, lines.Text())
		l.lines = l.lines[max(0, len(l.lines)-most):]
		l.mu.Unlock()
		if seen != nil && strings.Contains(lines.Text(), text) {
			close(seen)
			seen = nil
		}
	}
	_, _ = io.Copy(io.Discard, r) // a line too long for the scanner must not block the server
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
