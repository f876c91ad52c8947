package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/bench/internal/contest"
)

// config is what the flags say.
type config struct {
	accounts, large         int
	growth                  []int
	systems, largeSystems   []string
	rounds, restarts        int
	each, limit, timeout    time.Duration
	seed                    uint64
	dir, results, plots     string
	whole                   bool   // all flags of weight have their defaults
	args                    string // as they were given
	growthRounds, verifying int
}

// flags that may differ in a whole run: where it works and writes to, and how long it may take.
func harmless() []string {
	return []string{"dir", "results", "plots", "timeout"}
}

func parse(args []string, log io.Writer) (config, error) {
	c := config{args: strings.Join(args, " ")}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.IntVar(&c.accounts, "accounts", 100_000, "accounts of the main comparison; two users an account")
	growth := flags.String("growth", "1000,10000", "other numbers of accounts, for the plots of growth; none if empty")
	flags.IntVar(&c.large, "large", 1_000_000, "accounts of a last, large one for the plots of growth; 0 is none")
	largeSystems := flags.String("large-systems", join([]string{
		contest.Tenantry, contest.Recursive, contest.Ltree, contest.ArraysOverHTTP, contest.Index, contest.ArraysInProcess,
	}), "systems of that one: those that load a million accounts in minutes")
	systems := flags.String("systems", join(contest.Names()), "systems to compare")
	flags.IntVar(&c.rounds, "rounds", 4, "rounds, in each of which the systems take turns; fewer if time is short")
	flags.IntVar(&c.growthRounds, "growth-rounds", 3, "rounds for other numbers of accounts")
	flags.IntVar(&c.restarts, "restarts", 3, "starts of each system")
	flags.IntVar(&c.verifying, "verify", 300, "random checks that are compared before anything is timed; a tenth as many users' lists")
	flags.DurationVar(&c.each, "each", 300*time.Millisecond, "time for each case, system and round")
	flags.DurationVar(&c.limit, "limit", 20*time.Second, "for one operation; what takes longer is shown as such")
	flags.DurationVar(&c.timeout, "timeout", 25*time.Minute, "for everything: no round begins after three fifths of it, the first excepted")
	flags.Uint64Var(&c.seed, "seed", 1, "of the content")
	flags.StringVar(&c.dir, "dir", os.TempDir(), "where the systems keep their files: on the disk that is to be measured")
	flags.StringVar(&c.results, "results", "RESULTS.md", "file to write")
	flags.StringVar(&c.plots, "plots", "plots", "folder for the plots, beside that file")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	c.whole = true
	flags.Visit(func(f *flag.Flag) { c.whole = c.whole && slices.Contains(harmless(), f.Name) })
	c.systems, c.largeSystems = split(*systems), split(*largeSystems)
	for _, text := range split(*growth) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return c, fmt.Errorf("-growth are numbers of accounts, not %q", text)
		}
		c.growth = append(c.growth, n)
	}
	slices.Sort(c.growth)
	return c, c.check()
}

func (c config) check() error {
	for _, name := range slices.Concat(c.systems, c.largeSystems) {
		if !slices.Contains(contest.Names(), name) {
			return fmt.Errorf("there is no system %q; there are %s", name, join(contest.Names()))
		}
	}
	if c.rounds < 1 || c.growthRounds < 1 || c.restarts < 1 || len(c.systems) == 0 {
		return errors.New("-rounds, -growth-rounds and -restarts are at least 1, and there is a system at least")
	}
	return nil
}

func join(all []string) string { return strings.Join(all, ",") }

func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}
