// Command engine compares SpiceDB embedded on Tenantry's SQLite datastore with SpiceDB on PostgreSQL and with SpiceDB's memory datastore, in one run on one machine, and prints the figures as Markdown.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/tenantry/tenantry/bench/internal/plan"
	"github.com/tenantry/tenantry/bench/internal/process"
	"github.com/tenantry/tenantry/bench/internal/wire"
)

func main() {
	process.Worker()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

// run measures the large content, the footprints, and the content that is small enough for memory.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	cfg, err := parse(args, log)
	if err != nil {
		return err
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, cfg.timeout)
	defer cancel()

	plan.Head(out, args)
	durable := slices.DeleteFunc(slices.Clone(cfg.Stores), func(k wire.Kind) bool { return k == wire.Memory })
	if cfg.small.Accounts < cfg.Size.Accounts && len(durable) > 0 {
		large := cfg.Config
		large.Stores, large.Until = durable, begun.Add(cfg.timeout/2)
		if err := rounds(ctx, large, out); err != nil {
			return err
		}
	}
	if cfg.Has(plan.Footprint) && slices.Contains(cfg.Stores, wire.SQLite) {
		all, err := plan.Footprints(ctx, cfg.Config)
		if err != nil {
			return err
		}
		plan.FootprintTable(out, all)
	}
	if slices.Contains(cfg.Stores, wire.Memory) || cfg.small == cfg.Size {
		small := cfg.Config
		small.Size, small.Until = cfg.small, begun.Add(cfg.timeout*9/10)
		if small.Size != cfg.Size {
			small.Profile = ""                                                      // those of the large content are there
			small.Rounds, small.Checks = min(3, cfg.Rounds), max(1, cfg.Checks*2/5) // memory takes its time
		}
		return rounds(ctx, small, out)
	}
	return nil
}

// rounds measures everything but footprints.
func rounds(ctx context.Context, cfg plan.Config, out io.Writer) error {
	if !slices.ContainsFunc(cfg.Cases, func(c plan.Case) bool { return c != plan.Footprint }) {
		return nil
	}
	result, err := plan.Run(ctx, cfg)
	if err != nil {
		return err
	}
	result.Markdown(out)
	return nil
}
