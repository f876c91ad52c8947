// Package testpg is a test helper: it starts one private PostgreSQL cluster for a test binary and hands out empty databases in it.
//
// The cluster lives in a temporary directory, listens on a free port of the
// loopback address, and writes nothing to disk for safety's sake (no fsync).
// It starts with the first [Database] and ends with the last user of it; a test
// binary that wants one cluster for all of its tests says so with [Main]:
//
//	func TestMain(m *testing.M) { testpg.Main(m) }
//
// Should the test binary die, the kernel takes the cluster down with it (on Linux).
package testpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// shared is the cluster of this process. One to a test binary is the point of the
// package, so this is a variable of the package, guarded by its mutex.
var shared struct {
	sync.Mutex
	cluster   *cluster
	users     int // tests that hold a database, and Main
	databases int // handed out so far; makes the names distinct
}

// Main runs the tests with one cluster for all of them, stops it, and exits with their result.
func Main(m *testing.M) {
	hold()
	code := m.Run()
	if err := release(); err != nil {
		fmt.Fprintln(os.Stderr, "testpg:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Database returns the URL of a new, empty database, which is dropped when tb ends.
// It fails tb, saying how to install PostgreSQL, if there is none on the machine.
func Database(tb testing.TB) string {
	tb.Helper()
	c, name := keep(tb)
	if err := c.do("CREATE DATABASE " + name); err != nil {
		tb.Fatalf("testpg: create a database: %v", err)
	}
	return c.lend(tb, name)
}

// Copy is as [Database], but the new database is a copy of the one called what, which fill
// fills before the first copy of it. Nobody may be connected to that one when fill returns.
func Copy(tb testing.TB, what string, fill func(url string)) string {
	tb.Helper()
	c, name := keep(tb)
	original := "original_" + what
	c.filling.Lock()
	defer c.filling.Unlock()
	if !c.filled[original] {
		if err := c.do("CREATE DATABASE " + original); err != nil {
			tb.Fatalf("testpg: create a database: %v", err)
		}
		fill(c.url(original))
		c.filled[original] = true
	}
	if err := c.do("CREATE DATABASE " + name + " TEMPLATE " + original); err != nil {
		tb.Fatalf("testpg: copy a database: %v", err)
	}
	return c.lend(tb, name)
}

// keep returns the cluster, which stays until tb ends, and the name of a database to create.
func keep(tb testing.TB) (*cluster, string) {
	tb.Helper()
	hold()
	tb.Cleanup(func() {
		if err := release(); err != nil {
			tb.Errorf("testpg: %v", err)
		}
	})
	c, name, err := next()
	if err != nil {
		tb.Fatalf("testpg: %v", err)
	}
	return c, name
}

// lend drops a database when tb ends, and returns its URL.
func (c *cluster) lend(tb testing.TB, name string) string {
	tb.Cleanup(func() {
		if err := c.do("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("testpg: drop a database: %v", err)
		}
	})
	return c.url(name)
}

func hold() {
	shared.Lock()
	defer shared.Unlock()
	shared.users++
}

// release stops the cluster when nobody uses it any more.
func release() error {
	shared.Lock()
	defer shared.Unlock()
	shared.users--
	if shared.users > 0 || shared.cluster == nil {
		return nil
	}
	c := shared.cluster
	shared.cluster = nil
	return c.stop()
}

// next returns the running cluster, after starting it if need be, and the name of a database to create.
func next() (*cluster, string, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		c, err := start()
		if err != nil {
			return nil, "", err
		}
		shared.cluster = c
	}
	shared.databases++
	return shared.cluster, fmt.Sprintf("test_%d", shared.databases), nil
}

// do runs one statement as the superuser.
func (c *cluster) do(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
