package plan

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tenantry/tenantry/bench/internal/figures"
	"github.com/tenantry/tenantry/bench/internal/stores"
	"github.com/tenantry/tenantry/bench/internal/wire"
)

// Head prints on what everything is measured, and how.
func Head(out io.Writer, args []string) {
	say(out, "**SpiceDB embedded on several datastores**, %s, `%s`.\n", time.Now().Format(time.DateOnly), strings.Join(append([]string{"go run ."}, args...), " "))
	say(out, "- Machine: %d cores, %s, %s/%s, %s. Other work may have run beside it: go by the ratios more than by the times.",
		runtime.NumCPU(), memory(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	say(out, "- SpiceDB %s, in the process that asks, with Tenantry's settings. No answer and no part of one is remembered: the dispatch cache is off. The schema is. Reads without a wish for freshness share a revision for %s.",
		version("github.com/authzed/spicedb"), stores.Quantum)
	say(out, "- Questions are never asked twice: accounts from all levels alike; half of the users drawn at random, half of them members with access.")
	say(out, "- Processor time is that of client, SpiceDB and store together, PostgreSQL's processes included; it depends less than the rest on what else runs.")
	say(out, "- SQLite %s: write-ahead log, synchronous=FULL.", sqliteVersion())
	say(out, "- Memory: SpiceDB's own datastore in memory, which keeps nothing; one writer at a time, as it loses writes otherwise.")
}

// Markdown prints what was measured.
func (r *Result) Markdown(out io.Writer) {
	w := r.World
	say(out, "\n**%s relationships**: `tenantry generate --accounts %d --users %d --seed %d` (%s accounts on %d levels, %s memberships), and one user more, who may open %s accounts. %d rounds, %s with imports.\n",
		figures.Thousands(len(w.Relationships)), w.Size.Accounts, w.Size.Users, w.Size.Seed, figures.Thousands(w.Summary.Accounts), w.Summary.Levels,
		figures.Thousands(w.Summary.Memberships), figures.Thousands(w.Reader().Accounts), r.Rounds, r.Took.Round(time.Second))
	if r.Postgres != "" {
		say(out, "PostgreSQL %s on loopback TCP, its statistics fresh; %s.\n", r.Postgres, strings.Join(r.Settings, ", "))
	}
	disk := figures.Milliseconds(r.Fsync)
	say(out, "Disk, between the rounds: 4 KiB appended and fsynced in %.2f ms (median), %.2f ms (p99).\n", figures.Percentile(disk, .5), figures.Percentile(disk, .99))
	say(out, "Median of the rounds (least–greatest). × is how many times as fast SQLite was within the same round.\n")
	r.Table.Markdown(out, title)
}

// FootprintTable prints footprints.
func FootprintTable(out io.Writer, all []FootprintOf) {
	say(out, "\n**A process of its own** with Tenantry's engine on SQLite, caches on, files in the system's cache. Memory is resident memory after collecting garbage (of it anonymous).\n")
	say(out, "| relationships | accounts | file | from start to first answer | memory then | after 1,000 checks and a lookup of all accounts |")
	say(out, "| --- | --- | --- | --- | --- | --- |")
	for _, f := range all {
		say(out, "| %s | %s | %s | %.0f ms | %s | %s |", figures.Thousands(f.Relationships), figures.Thousands(f.Accounts),
			mebibytes(f.File), figures.Median(figures.Milliseconds(f.Starts)), f.First, f.Worked)
	}
}

// String gives both figures.
func (m Memory) String() string {
	return fmt.Sprintf("%s (%s)", mebibytes(m.Resident), mebibytes(m.Anonymous))
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

func title(k wire.Kind) string {
	switch k {
	case wire.SQLite:
		return "SQLite (Tenantry)"
	case wire.Postgres:
		return "PostgreSQL"
	default:
		return "memory"
	}
}

func say(out io.Writer, format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }

// version returns the version of a module that this program is built with.
func version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return ""
}

// memory returns the machine's, where that is easy to know.
func memory() string {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return "memory unknown"
	}
	var kilobytes int64
	if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kilobytes); err != nil {
		return "memory unknown"
	}
	return fmt.Sprintf("%d GiB", (kilobytes+1<<19)>>20)
}
