package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/bench/internal/plan"
	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/bench/internal/world"
)

// config is what the flags say.
type config struct {
	plan.Config
	small   world.Size // of the comparison with memory
	timeout time.Duration
}

func parse(args []string, log io.Writer) (config, error) {
	cfg := config{Config: plan.Config{Log: log}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.IntVar(&cfg.Size.Accounts, "accounts", 100_000, "accounts to generate, and nine users for ten of them")
	flags.IntVar(&cfg.small.Accounts, "memory-accounts", 10_000, "accounts at most for the comparison with memory, which is too slow for many")
	flags.Uint64Var(&cfg.Size.Seed, "seed", 1, "of the generated content")
	flags.IntVar(&cfg.Rounds, "rounds", 5, "rounds, in each of which the stores take turns")
	flags.IntVar(&cfg.Checks, "checks", 500, "checks a round, for each consistency")
	flags.DurationVar(&cfg.Writing, "writing", 3*time.Second, "how long to write in a round, for each number of writers")
	flags.IntVar(&cfg.Imported, "imported", 150_000, "most relationships to import in a round")
	flags.DurationVar(&cfg.Limit, "limit", time.Minute, "for a lookup, and for the checks of a round")
	flags.DurationVar(&cfg.timeout, "timeout", 15*time.Minute, "for everything; rounds are left out when time is short")
	flags.IntVar(&cfg.Restarts, "restarts", 3, "starts of a process for each footprint")
	flags.StringVar(&cfg.Dir, "dir", os.TempDir(), "where the stores keep their files: on the disk that is to be measured")
	flags.StringVar(&cfg.Profile, "profile", "", "folder for CPU profiles of the first round")
	names := flags.String("stores", join(plan.Stores()), "stores to compare")
	cases := flags.String("cases", join(plan.Cases()), "cases to measure")
	footprints := flags.String("footprints", "10000,100000,1000000", "relationships for which to measure memory and start")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if flags.NArg() > 0 {
		return cfg, fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	cfg.Stores, cfg.Cases = split[wire.Kind](*names), split[plan.Case](*cases)
	for _, text := range split[string](*footprints) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return cfg, fmt.Errorf("-footprints are numbers of relationships, not %q", text)
		}
		cfg.Footprint = append(cfg.Footprint, n)
	}
	if cfg.Size.Accounts < 1 || cfg.small.Accounts < 1 {
		return cfg, errors.New("-accounts and -memory-accounts are at least 1")
	}
	cfg.Size.Users = users(cfg.Size.Accounts)
	cfg.small.Accounts = min(cfg.small.Accounts, cfg.Size.Accounts)
	cfg.small.Users, cfg.small.Seed = users(cfg.small.Accounts), cfg.Size.Seed
	return cfg, cfg.Check()
}

func users(accounts int) int { return max(1, accounts*9/10) }

func join[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, t := range all {
		texts[i] = string(t)
	}
	return strings.Join(texts, ",")
}

func split[T ~string](text string) []T {
	var all []T
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, T(part))
		}
	}
	return all
}
