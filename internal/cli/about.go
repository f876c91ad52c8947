package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/httpapi"
)

func (c *console) openapiCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the OpenAPI document of the HTTP API",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			document, err := httpapi.OpenAPI()
			if err != nil {
				return err
			}
			_, err = c.out.Write(document)
			return err
		},
	}
}

func (c *console) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of Tenantry and of the SpiceDB in it",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			spicedb := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, dep := range info.Deps {
					if dep.Path == "github.com/authzed/spicedb" {
						spicedb = dep.Version
					}
				}
			}
			_, err := fmt.Fprintf(c.out, "tenantry %s, spicedb %s, %s %s/%s\n", app.Version(), spicedb, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
