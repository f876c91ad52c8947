package postgres

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor times in /proc: on Linux, a hundredth of a second whatever the clock's.
const tick = 10 * time.Millisecond

// Processor returns the processor time that the server has used, its connections included, those closed
// and those open; 0 where that is not known. It is exact to some hundredths of a second.
func (s *Server) Processor() time.Duration {
	var total time.Duration
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		_, rest, _ := strings.Cut(string(text), ") ") // the program's name may hold spaces
		f := strings.Fields(rest)                     // state, parent, …: the line's fields from the third on
		if len(f) < 15 || pid != s.process.Pid && f[1] != strconv.Itoa(s.process.Pid) {
			continue
		}
		for _, field := range f[11:15] { // user and system time, and both of children that have ended
			n, _ := strconv.ParseInt(field, 10, 64)
			total += time.Duration(n) * tick
		}
	}
	return total
}
