package child

import (
	"os/exec"
	"syscall"
)

// bind puts the process into a group of its own, so that an interrupt from the terminal reaches the
// benchmark alone, and ends it with the benchmark.
func bind(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
