package process

import (
	"os/exec"
	"syscall"
)

// detach keeps an interrupt at the terminal from the worker: its end is that of its input.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
