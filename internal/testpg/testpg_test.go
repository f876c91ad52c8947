package testpg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// asVictim names the environment variable that turns this test binary into one that is killed.
const asVictim = "TENANTRY_TESTPG_VICTIM"

func TestDatabasesAreEmptyAndDistinct(t *testing.T) {
	first, second := connect(t, Database(t)), connect(t, Database(t))
	if _, err := first.Exec(t.Context(), "CREATE TABLE thing (id INT)"); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Exec(t.Context(), "CREATE TABLE thing (id INT)"); err != nil {
		t.Errorf("the second database is not empty: %v", err)
	}
	var setting string
	if err := first.QueryRow(t.Context(), "SHOW track_commit_timestamp").Scan(&setting); err != nil || setting != "on" {
		t.Errorf("track_commit_timestamp = %q, %v; SpiceDB's watch needs it on", setting, err)
	}
}

func TestCopiesAreFilledOnceAndDistinct(t *testing.T) {
	Database(t) // so that the cluster stays
	filled := 0
	fill := func(url string) {
		filled++
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), "CREATE TABLE thing (id INT); INSERT INTO thing VALUES (1)"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		conn := connect(t, Copy(t, "things", fill))
		var id int
		if err := conn.QueryRow(t.Context(), "DELETE FROM thing RETURNING id").Scan(&id); err != nil || id != 1 {
			t.Errorf("a copy has %d: %v", id, err)
		}
	}
	if filled != 1 {
		t.Errorf("filled %d times", filled)
	}
}

func TestClusterEndsWithItsLastUser(t *testing.T) {
	var c *cluster
	t.Run("user", func(t *testing.T) {
		Database(t)
		c = shared.cluster
	})
	select {
	case <-c.exited:
	default:
		t.Error("the server still runs")
	}
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is still there: %v", err)
	}
}

// TestClusterDiesWithTheTests kills a test binary that has a cluster, and sees the cluster go.
func TestClusterDiesWithTheTests(t *testing.T) {
	if os.Getenv(asVictim) != "" {
		url := Database(t)
		fmt.Printf("\n%s%s %s\n", answer, url, shared.cluster.dir)
		select {} // the parent kills this process
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	victim := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestClusterDiesWithTheTests$")
	victim.Env = append(os.Environ(), asVictim+"=1")
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	url, dir := firstAnswer(t, output)
	t.Cleanup(func() { os.RemoveAll(dir) })
	conn := connect(t, url)
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // killed, so it fails
	if _, err := conn.WaitForNotification(ctx); ctx.Err() != nil {
		t.Fatalf("the server outlived the tests: %v", err)
	}
}

// answer begins the line in which the victim names its database and its directory.
const answer = "victim: "

func firstAnswer(t *testing.T, r io.Reader) (url, dir string) {
	t.Helper()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), answer); ok {
			url, dir, _ = strings.Cut(rest, " ")
			return url, dir
		}
	}
	t.Fatalf("the victim ended early: %v", lines.Err())
	return "", ""
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}
