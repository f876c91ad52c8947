// Package postgres runs a private PostgreSQL server on the loopback interface, as durable as PostgreSQL is by default, for as long as the benchmark runs.
package postgres

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser = "tenantry"
	patience  = time.Minute // to start or to stop
)

// Server is a running PostgreSQL. Its folder is removed when it is closed.
type Server struct {
	dir, password string
	port          int
	process       *os.Process
	ended         chan struct{}
	databases     atomic.Int64
}

// changed are the settings that differ from PostgreSQL's defaults. Those of durability do not.
func changed() []string {
	return []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300",
		"shared_buffers=1GB",        // instead of 128 MB: the content fits
		"max_wal_size=4GB",          // instead of 1 GB: imports meet no forced checkpoint
		"track_commit_timestamp=on", // SpiceDB asks for it
		"logging_collector=off", "log_destination=stderr", "lc_messages=C",
	}
}

// Start makes a cluster in a new folder below dir and starts it. The newest PostgreSQL of
// the machine is taken: Debian's, or the one in PATH.
func Start(ctx context.Context, dir string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	as, err := serverOwner()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: filepath.Join(dir, "postgres"), password: rand.Text(), ended: make(chan struct{})}
	if err := s.create(ctx, bin, as); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := s.run(ctx, bin, as); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

func (s *Server) create(ctx context.Context, bin string, as owner) error {
	secret := filepath.Join(s.dir, "password")
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return err
	}
	for _, path := range []string{s.dir, secret} {
		if err := as.own(path); err != nil {
			return err
		}
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), //nolint:gosec // PostgreSQL's own program
		"--pgdata", s.data(), "--username", superuser,
		"--pwfile", secret, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = s.dir, as.attributes()
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) run(ctx context.Context, bin string, as owner) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	args := []string{"-D", s.data(), "-c", "port=" + strconv.Itoa(port)}
	for _, setting := range changed() {
		args = append(args, "-c", setting)
	}
	server := exec.Command(filepath.Join(bin, "postgres"), args...) //nolint:gosec,noctx // PostgreSQL's own program, which Close ends
	server.Dir, server.SysProcAttr = s.dir, as.attributes()
	output, err := server.StderrPipe()
	if err != nil {
		return err
	}
	started, ready := make(chan error, 1), make(chan struct{})
	go func() {
		// The kernel ends the server with the thread that started it, so this goroutine keeps its thread.
		runtime.LockOSThread()
		err := server.Start()
		started <- err
		if err != nil {
			return
		}
		lines, said := bufio.NewScanner(output), false
		for lines.Scan() {
			if !said && strings.Contains(lines.Text(), "ready to accept connections") {
				close(ready)
				said = true
			}
		}
		_ = server.Wait()
		close(s.ended)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	s.port, s.process = port, server.Process
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-ready:
		return nil
	case <-s.ended:
		return errors.New("postgres ended at once")
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("postgres was not ready: %w", ctx.Err()), s.stop())
	}
}

// Close ends the server and removes its folder.
func (s *Server) Close() error { return errors.Join(s.stop(), os.RemoveAll(s.dir)) }

func (s *Server) stop() error {
	for _, signal := range []os.Signal{fastShutdown, os.Kill} {
		_ = s.process.Signal(signal) // fails only if it has ended already
		late := time.NewTimer(patience)
		defer late.Stop()
		select {
		case <-s.ended:
			return nil
		case <-late.C:
		}
	}
	return fmt.Errorf("postgres, process %d, does not end", s.process.Pid)
}

// PID returns the id of the server's first process, of which all others are children.
func (s *Server) PID() int { return s.process.Pid }

// Create makes an empty database and returns its URL.
func (s *Server) Create(ctx context.Context) (string, error) {
	name := "bench_" + strconv.FormatInt(s.databases.Add(1), 10)
	return s.url(name), s.do(ctx, "postgres", "CREATE DATABASE "+name)
}

// Copy makes a database that is like another, to which nobody is connected, file by file, and returns its URL.
func (s *Server) Copy(ctx context.Context, database string) (string, error) {
	u, err := url.Parse(database)
	if err != nil {
		return "", err
	}
	name := "bench_" + strconv.FormatInt(s.databases.Add(1), 10)
	return s.url(name), s.do(ctx, "postgres", "CREATE DATABASE "+name+" TEMPLATE "+strings.TrimPrefix(u.Path, "/")+" STRATEGY file_copy")
}

// Drop removes a database that Create made.
func (s *Server) Drop(ctx context.Context, database string) error {
	u, err := url.Parse(database)
	if err != nil {
		return err
	}
	return s.do(ctx, "postgres", "DROP DATABASE "+strings.TrimPrefix(u.Path, "/")+" WITH (FORCE)")
}

// Analyze does at once what autovacuum would do in a while after an import.
func (s *Server) Analyze(ctx context.Context, database string) error {
	u, err := url.Parse(database)
	if err != nil {
		return err
	}
	return s.do(ctx, strings.TrimPrefix(u.Path, "/"), "VACUUM ANALYZE")
}

// Settle writes what is in memory to the disks, PostgreSQL's pages and the system's, so that nobody does it later.
func (s *Server) Settle(ctx context.Context) error {
	err := s.do(ctx, "postgres", "CHECKPOINT")
	syscall.Sync()
	return err
}

func (s *Server) do(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, s.url(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// Describe returns the version and the settings that bear on speed and durability.
func (s *Server) Describe(ctx context.Context) (version string, settings []string, err error) {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if err := conn.QueryRow(ctx, "SHOW server_version").Scan(&version); err != nil {
		return "", nil, err
	}
	for _, name := range []string{
		"fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "commit_delay", "default_transaction_isolation",
		"shared_buffers", "max_wal_size", "checkpoint_timeout", "work_mem", "jit", "autovacuum", "track_commit_timestamp",
	} {
		var value string
		if err := conn.QueryRow(ctx, "SHOW "+name).Scan(&value); err != nil {
			return "", nil, err
		}
		settings = append(settings, name+"="+value)
	}
	return version, settings, nil
}

func (s *Server) url(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
