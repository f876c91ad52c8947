// Command bench compares account-hierarchy systems in one run on one machine: Tenantry, SpiceDB, OpenFGA, SQL as people write it, and arrays in memory. It writes RESULTS.md and plots.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tenantry/tenantry/bench/internal/contest"
	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/peer/arrays"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/programs"
	"github.com/tenantry/tenantry/bench/internal/report"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

func main() {
	arrays.ServeIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if _, err := compare(ctx, os.Args[1:], os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

// compare measures the smaller contents, the main one and the large one, writes what they gave, and returns it.
func compare(ctx context.Context, args []string, log io.Writer) (out *report.Report, err error) {
	cfg, err := parse(args, log)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(filepath.Dir(cfg.results), cfg.plots), 0o755); err != nil { //nolint:gosec // for everybody to read; now, not after half an hour
		return nil, err
	}
	begun := time.Now()
	out = &report.Report{Whole: cfg.whole, Command: strings.TrimSpace("bench " + cfg.args), Machine: report.Machine()}
	dir, err := folder(cfg.dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	pg, err := postgres.Start(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pg.Close()) }()
	fmt.Fprintln(log, "building servers; the first time takes minutes")
	built, err := programs.Folder()
	if err != nil {
		return nil, err
	}
	field, err := contest.NewField(ctx, append(cfg.systems, cfg.largeSystems...), built, pg)
	if err != nil {
		return nil, err
	}
	if err := describe(ctx, out, pg); err != nil {
		return nil, err
	}
	b := bench{cfg: cfg, dir: dir, field: field, log: log, pg: pg, until: begun.Add(cfg.timeout * 3 / 5)}
	if err := b.measure(ctx, out); err != nil {
		return nil, err
	}
	out.Took = time.Since(begun)
	return out, write(out, cfg)
}

// folder makes one that PostgreSQL's user can get into.
func folder(below string) (string, error) {
	dir, err := os.MkdirTemp(below, "tenantry-bench-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711) //nolint:gosec // PostgreSQL's user must get in
}

// bench is one run.
type bench struct {
	cfg   config
	dir   string
	field *contest.Field
	log   io.Writer
	until time.Time

	pg *postgres.Server
}

func (b bench) measure(ctx context.Context, out *report.Report) error {
	cfg := b.cfg
	for _, accounts := range cfg.growth {
		if accounts == cfg.accounts {
			continue
		}
		r, err := b.contest(ctx, accounts, cfg.systems, contest.Config{Rounds: cfg.growthRounds, Growth: true})
		if err != nil {
			return err
		}
		out.Others = append(out.Others, r)
	}
	var err error
	out.Main, err = b.contest(ctx, cfg.accounts, cfg.systems, contest.Config{
		Rounds: cfg.rounds, Restarts: cfg.restarts, Until: b.until, Extent: peer.Extent{Checks: cfg.verifying, Users: cfg.verifying / 10},
	})
	out.Machine = append(out.Machine, report.Load("at the end of the rounds of the main comparison, its own included"))
	if err != nil || cfg.large == 0 {
		return err
	}
	large, err := b.contest(ctx, cfg.large, cfg.largeSystems, contest.Config{Rounds: cfg.growthRounds, Restarts: cfg.restarts, Growth: true})
	out.Others = append(out.Others, large)
	return err
}

func (b bench) contest(ctx context.Context, accounts int, systems []string, cfg contest.Config) (*contest.Result, error) {
	fmt.Fprintf(b.log, "%d accounts\n", accounts)
	w, err := tree.New(tree.SizeOf(accounts, b.cfg.seed))
	if err != nil {
		return nil, err
	}
	cfg.Each, cfg.Limit, cfg.Log = b.cfg.each, b.cfg.limit, b.log
	if cfg.Extent == (peer.Extent{}) {
		cfg.Extent = peer.Extent{Checks: 50, Users: 5}
	}
	cfg.Extent.Limit, cfg.Postmaster, cfg.Settle = cfg.Limit, b.pg.PID(), b.pg.Settle
	return contest.Run(ctx, w, b.field.Enter(b.dir, systems), cfg)
}

// describe adds versions and settings to a report.
func describe(ctx context.Context, out *report.Report, pg *postgres.Server) error {
	for _, p := range []programs.Program{programs.Tenantry(), programs.SpiceDB(), programs.OpenFGA()} {
		version, err := programs.Version(ctx, p)
		if err != nil {
			return err
		}
		out.Versions = append(out.Versions, report.Fact{Name: p.Name, Value: version})
	}
	version, settings, err := pg.Describe(ctx)
	if err != nil {
		return err
	}
	out.Versions = append(out.Versions, report.Fact{Name: "PostgreSQL", Value: version})
	out.Settings = []report.Fact{
		{Name: "PostgreSQL's settings", Value: strings.Join(settings, ", ")},
		{Name: "Tenantry's settings", Value: "defaults, but for --rate-limit 0, --address-rate-limit 0 and --log-level warn"},
		{Name: "SpiceDB's settings", Value: "defaults, with its caches; no telemetry, metrics, HTTP or memory protection"},
		{Name: "OpenFGA's settings", Value: "defaults, with at most 1,000 results and 3 s for a list; the other column has no limit of results and 60 s; no HTTP, metrics or playground"},
		{Name: "SQLite's settings", Value: "WAL, synchronous=FULL, 64 MB of cache a connection, mapped into memory"},
		{Name: "arrays", Value: "accounts as intervals in preorder, each user's list sorted by name and remembered; behind net/http and encoding/json with nothing else"},
	}
	return nil
}

// write writes the file and the plots beside it.
func write(out *report.Report, cfg config) error {
	file, err := os.Create(cfg.results)
	if err != nil {
		return err
	}
	out.Markdown(file, cfg.plots)
	return errors.Join(file.Close(), out.Plots(filepath.Join(filepath.Dir(cfg.results), cfg.plots)))
}
