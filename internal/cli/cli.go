// Package cli is the command line: it reads flags, calls the use cases, and prints what they answer.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/client"
	"github.com/tenantry/tenantry/internal/fault"
)

// The exit codes, as docs/cli.md has them.
const (
	exitOK       = 0
	exitNegative = 1 // the answer is no: denied, findings, drift
	exitUsage    = 2 // the command or its input is wrong
	exitFailure  = 3 // something did not work
)

// negative is an answer that is no, which has been printed already.
type negative struct{}

func (negative) Error() string { return "the answer is no" }

// usage is a wrong use of the command line.
type usage struct{ error }

// console is where a command reads and writes.
type console struct {
	program  string // as the user called it, for commands to paste
	in       io.Reader
	out, err io.Writer
}

// Main runs the command that args name, and returns the process's exit code.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &console{program: program(args[0]), in: in, out: out, err: errOut}
	root := c.root()
	root.SetArgs(args[1:])
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitCode(err)
	if code != exitNegative {
		fmt.Fprintln(errOut, "tenantry: "+strings.TrimPrefix(explain(err), "tenantry: ")) // the client says so itself
	}
	return code
}

// program is how the user can call this program again.
func program(arg string) string {
	if filepath.Base(arg) == arg {
		return arg
	}
	if abs, err := filepath.Abs(arg); err == nil {
		if wd, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(wd, abs); err == nil && filepath.IsLocal(rel) {
				return "./" + rel
			}
		}
		return abs
	}
	return arg
}

func exitCode(err error) int {
	var problem *client.Problem
	switch {
	case errors.As(err, new(negative)):
		return exitNegative
	case errors.As(err, new(usage)):
		return exitUsage
	case errors.As(err, &problem):
		if problem.Temporary() || problem.Status >= 500 {
			return exitFailure
		}
		return exitUsage
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return exitFailure
	}
	switch f.Kind {
	case fault.Limited, fault.Unavailable, fault.Internal:
		return exitFailure
	default:
		return exitUsage
	}
}

// explain returns an error's text with its stable code, if it has one.
func explain(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code != "" {
		return fmt.Sprintf("%s [%s]", err, f.Code)
	}
	return err.Error()
}

func (c *console) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tenantry",
		Short: "Who may do what in which account, for trees of accounts",
		Long: `Tenantry answers two questions for software whose customers have customers:
may this person do this here, and which accounts may this person open?

Try it:          tenantry demo
Run it:          tenantry environment create production && tenantry serve
Every flag can also be given in the environment: --data as TENANTRY_DATA.

Exit codes: 0 yes or done, 1 the answer is no (denied, findings, drift),
2 the command or its input is wrong, 3 something did not work.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return fromEnvironment(cmd)
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage{fmt.Errorf("%w\nSee '%s --help'", err, cmd.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		c.serveCommand(), c.demoCommand(),
		c.checkCommand(), c.explainCommand(), c.accountsCommand(), c.moveCommand(), c.journalCommand(),
		c.environmentCommand(), c.clientCommand(), c.keysCommand(), c.issuerCommand(), c.operatorCommand(),
		c.loadCommand(), c.exportCommand(), c.generateCommand(),
		c.schemaCommand(), c.reconcileCommand(),
		c.backupCommand(), c.restoreCommand(), c.mailCommand(),
		c.openapiCommand(), c.versionCommand(),
	)
	for _, cmd := range root.Commands() {
		requireUsage(cmd)
	}
	return root
}

// requireUsage makes wrong arguments of a command and those below it count as wrong use.
func requireUsage(cmd *cobra.Command) {
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			if err := args(cmd, given); err != nil {
				return usage{fmt.Errorf("%w\nSee '%s --help'", err, cmd.CommandPath())}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		requireUsage(sub)
	}
}
