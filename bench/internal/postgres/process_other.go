//go:build !linux

package postgres

import (
	"os"
	"syscall"
)

var fastShutdown = os.Interrupt

// owner is the present user.
type owner struct{}

func serverOwner() (owner, error) { return owner{}, nil }

func (owner) own(string) error { return nil }

func (owner) attributes() *syscall.SysProcAttr { return nil }
