package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/schema"
)

func (c *console) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Build, validate, test, compare and apply schemas",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.schemaBuild(), c.schemaValidate(), c.schemaTest(), c.schemaMutate(), c.schemaDiff(), c.schemaApply(), c.schemaLog())
	return cmd
}

func (c *console) schemaBuild() *cobra.Command {
	var permissions, definitions []string
	var output string
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Generate the schema from the permission catalogue and an application's definitions",
		Long: `Build generates the SpiceDB schema from the built-in catalogue and core, the
permissions that an application adds, and its own definitions. Equal input gives
equal bytes. Mistakes are reported where they are in the source.`,
		Example: "  tenantry schema build --permissions shop.yaml --definitions shop.zed -o schema.zed",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := build(permissions, definitions)
			if err != nil {
				return err
			}
			if output == "" {
				_, err := fmt.Fprint(c.out, text)
				return err
			}
			return os.WriteFile(output, []byte(text), 0o644) //nolint:gosec // a schema is no secret
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&permissions, "permissions", nil, "files with permissions of the application, in the form of schema/permissions.yaml")
	f.StringSliceVar(&definitions, "definitions", nil, "files with SpiceDB definitions of the application")
	f.StringVarP(&output, "output", "o", "", "file to write (default: standard output)")
	return cmd
}

func build(permissions, definitions []string) (string, error) {
	catalogueFiles, err := app.Sources(permissions)
	if err != nil {
		return "", err
	}
	definitionFiles, err := app.Sources(definitions)
	if err != nil {
		return "", err
	}
	catalogue, err := schema.Parse(catalogueFiles...)
	if err != nil {
		return "", err
	}
	return schemacheck.Build(catalogue, definitionFiles...)
}
