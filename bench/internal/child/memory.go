package child

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory returns the bytes of main memory that processes hold: all of what is theirs alone, and their
// share of what they have together (PSS). On Linux only.
func Memory(pids ...int) (int64, error) {
	all, err := sums("smaps_rollup", pids, "Pss")
	return all[0], err
}

// Resident returns the bytes of main memory that processes hold, shared ones in each of them (VmRSS), and
// the most that they ever held (VmHWM). On Linux only.
func Resident(pids ...int) (now, most int64, err error) {
	all, err := sums("status", pids, "VmRSS", "VmHWM")
	return all[0], all[1], err
}

// sums adds up what a file of /proc says of processes, in bytes.
func sums(file string, pids []int, names ...string) ([]int64, error) {
	sums := make([]int64, len(names))
	for _, pid := range pids {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file)
		if err != nil {
			return sums, fmt.Errorf("memory is measured on Linux only: %w", err)
		}
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ":")
			for i, wanted := range names {
				if name == wanted {
					kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
					sums[i] += kilobytes << 10
				}
			}
		}
	}
	return sums, nil
}

// Family returns a process and all that descend from it.
func Family(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", all[i], all[i]))
		if err != nil {
			continue // it has ended
		}
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}
