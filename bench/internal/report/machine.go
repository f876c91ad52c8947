package report

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine describes what the run is on, as far as the system tells.
func Machine() []Fact {
	facts := []Fact{{"cores", fmt.Sprintf("%d, %s", runtime.NumCPU(), orUnknown(field("/proc/cpuinfo", "model name")))}}
	facts = append(facts, Fact{"memory", orUnknown(field("/proc/meminfo", "MemTotal"))})
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err == nil {
		facts = append(facts, Fact{"kernel", runtime.GOOS + " " + strings.TrimSpace(string(kernel))})
	}
	facts = append(facts, Load("before the run"))
	return append(facts, Fact{"Go", runtime.Version()})
}

// Load is how many processes were running or waiting for a disk, on average over 1, 5 and 15 minutes.
func Load(when string) Fact {
	f := Fact{"load of the machine " + when, "unknown"}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		f.Value = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	return f
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// field returns the first value of a name in a file with a pair of them on each line.
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if n, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(n) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
