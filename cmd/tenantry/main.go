// Command tenantry is the account-hierarchy authorization service and its tools.
package main

import (
	"os"

	"github.com/tenantry/tenantry/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
