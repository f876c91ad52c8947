package child

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestProcessEndsWhenStopped(t *testing.T) {
	p, err := Start(Command{Program: "sleep", Args: []string{"600"}})
	if err != nil {
		t.Fatal(err)
	}
	if bytes, err := Memory(p.PID()); err != nil || bytes <= 0 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
	if err := p.Await(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := Memory(p.PID()); err == nil {
		t.Error("a process that has ended has memory")
	}
	if err := (*Process)(nil).Stop(); err != nil {
		t.Error(err)
	}
}

func TestAwaitSaysWhatAProcessSaid(t *testing.T) {
	p, err := Start(Command{Program: "sh", Args: []string{"-c", "echo no room; exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	err = p.Await(t.Context(), func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "no room") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("it says %v", err)
	}
}

func TestRunReturnsWhatWasPrinted(t *testing.T) {
	out, err := Run(t.Context(), Command{Program: "sh", Args: []string{"-c", "echo $WORD"}, Env: []string{"WORD=hello"}})
	if err != nil || out != "hello\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := Run(t.Context(), Command{Program: "sh", Args: []string{"-c", "echo bad >&2; exit 1"}}); err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("it says %v", err)
	}
}
