package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lines passes on what a command writes, line by line.
type lines struct{ to chan string }

func (l lines) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		l.to <- strings.TrimSuffix(string(line), "\n")
	}
	return len(p), nil
}

// TestSchemaTestWatches: each round is written below the time of day, and the end of the watch is no error.
func TestSchemaTestWatches(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		path := filepath.Join(dir, "one.yaml")
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write("accounts: [globex]\nexpect: nobody may open globex\n")
	ctx, stop := context.WithCancelCause(t.Context())
	out := lines{make(chan string, 100)}
	c := &console{out: out, err: io.Discard}
	cmd := c.schemaTest()
	cmd.SetArgs([]string{dir, "--watch"})
	done := make(chan error, 1)
	go func() { done <- cmd.ExecuteContext(ctx) }()
	deadline, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	await := func(part string) {
		t.Helper()
		for {
			select {
			case line := <-out.to:
				if strings.Contains(line, part) {
					return
				}
			case err := <-done:
				t.Fatalf("it ended: %v", err)
			case <-deadline.Done():
				t.Fatalf("%q did not come", part)
			}
		}
	}
	await("1 file, 1 assertion, 0 findings")
	write("accounts: [globex]\nexpect: nobody may fly globex\n")
	await("[invalid_sentence]")
	write("accounts: [globex]\nexpect: [nobody may open globex, nobody may read_users in globex]\n")
	await("1 file, 2 assertions, 0 findings")
	stop(errors.New("interrupt signal received"))
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("the end is an error: %v", err)
		}
	case <-deadline.Done():
		t.Fatal("it did not end")
	}
}
