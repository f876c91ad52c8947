//go:build !linux

package testpg

import (
	"errors"
	"os"
	"syscall"
)

const (
	fastShutdown      = syscall.SIGINT
	immediateShutdown = syscall.SIGQUIT
)

// owner is the system user that the server runs as: always the present one.
type owner struct{}

func serverOwner() (owner, error) {
	if os.Geteuid() == 0 {
		return owner{}, errors.New("PostgreSQL does not run as root: run the tests as another user")
	}
	return owner{}, nil
}

func (owner) own(string) error { return nil }

func (owner) attributes() *syscall.SysProcAttr { return nil }
