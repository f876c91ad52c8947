// Package programs builds the servers that are compared, each from the Go module that names its version.
package programs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tenantry/tenantry/bench/internal/child"
)

// Program is a server to build.
type Program struct {
	Name   string
	module string // folder below the repository, of the module that is asked
	source string // the package
	about  string // the module whose version is the program's; "" for the repository's own
}

// Tenantry is the server of this repository.
func Tenantry() Program { return Program{Name: "tenantry", module: ".", source: "./cmd/tenantry"} }

// SpiceDB is the server of the version that Tenantry embeds.
func SpiceDB() Program {
	const module = "github.com/authzed/spicedb"
	return Program{Name: "spicedb", module: ".", source: module + "/cmd/spicedb", about: module}
}

// OpenFGA is the server of the version in bench/openfga/go.mod.
func OpenFGA() Program {
	const module = "github.com/openfga/openfga"
	return Program{Name: "openfga", module: "bench/openfga", source: module + "/cmd/openfga", about: module}
}

// Build compiles a program into a folder and returns its path. What Go has compiled before it does
// not compile again; the first build of a program takes minutes.
func Build(ctx context.Context, p Program, into string) (string, error) {
	root, err := repository(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(into, p.Name)
	_, err = child.Run(ctx, child.Command{
		Program: "go", Args: []string{"build", "-C", filepath.Join(root, p.module), "-o", path, p.source},
	})
	return path, err
}

// Version returns the version of a program: of its module, or of the repository's commit.
func Version(ctx context.Context, p Program) (string, error) {
	root, err := repository(ctx)
	if err != nil {
		return "", err
	}
	if p.about == "" {
		commit, err := child.Run(ctx, child.Command{Program: "git", Args: []string{"-C", root, "describe", "--always", "--dirty"}})
		return strings.TrimSpace(commit), err
	}
	version, err := child.Run(ctx, child.Command{
		Program: "go", Args: []string{"list", "-C", filepath.Join(root, p.module), "-m", "-f", "{{.Version}}", p.about},
	})
	return strings.TrimSpace(version), err
}

// repository returns the folder of Tenantry's source, of which bench is a part.
func repository(ctx context.Context) (string, error) {
	const module = "github.com/tenantry/tenantry"
	dir, err := child.Run(ctx, child.Command{Program: "go", Args: []string{"list", "-m", "-f", "{{.Dir}}", module}})
	if err != nil {
		return "", fmt.Errorf("run it in the folder bench: %w", err)
	}
	return filepath.Clean(strings.TrimSpace(dir)), nil
}

// Folder returns a folder of the user's cache for built programs.
func Folder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "tenantry-bench")
	return dir, os.MkdirAll(dir, 0o750)
}
