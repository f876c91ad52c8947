package postgres

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// binaries returns the folder of PostgreSQL's programs.
func binaries() (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })), nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("PostgreSQL is not installed: on Debian run `apt-get install postgresql`, " +
		"elsewhere put initdb and postgres into PATH, or leave it out with -stores=sqlite,memory")
}

// major returns the version in /usr/lib/postgresql/<major>/bin/postgres.
func major(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return n
}
