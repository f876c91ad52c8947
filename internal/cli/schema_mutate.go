package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/schemacheck"
)

func (c *console) schemaMutate() *cobra.Command {
	var reports reportFlags
	var least float64 // percent
	cmd := &cobra.Command{
		Use:   "mutate [FILE|DIRECTORY|PATTERN]…",
		Short: "Make faulty copies of schemas, and report those that no assertion notices",
		Long: `Mutate makes copies of the schemas that validation files are about, each with one
fault: an operator swapped, a branch dropped, an arrow redirected, a type dropped and
so on. A copy is killed if an assertion that holds for the schema does not hold for it, or if it
refuses a relationship of a file. Every one that survives is reported as a warning at
the place of its fault; see docs/coverage.md. Paths are those of schema validate.

Exit code 1 if less is killed than --min-score asks for, if a file or schema has
mistakes, or with --strict if any survives.`,
		Example: "  tenantry schema mutate schema/validation --min-score 90\n" +
			"  tenantry schema mutate 'schemas/**/*.yaml' --format sarif",
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := reports.check(); err != nil {
				return err
			}
			if least < 0 || least > 100 {
				return usage{errors.New("--min-score: give a percentage from 0 to 100")}
			}
			if len(paths) == 0 {
				paths = []string{"."}
			}
			result, score, err := schemacheck.Mutate(cmd.Context(), paths, schemacheck.MutateOptions{Progress: c.bar("trying mutants").one("")})
			if err != nil {
				return err
			}
			enough := least == 0 || len(score.Mutants) > 0 && score.Percent() >= least
			if !enough {
				result.Notes = append(result.Notes, fmt.Sprintf("this is less than the %g%% that --min-score asks for", least))
			}
			if err := c.write(result, reports); err != nil {
				return err
			}
			if !enough {
				return negative{}
			}
			return nil
		},
	}
	f := cmd.Flags()
	reports.register(f)
	f.Float64Var(&least, "min-score", 0, "fail if fewer mutants are killed than this, in percent")
	return cmd
}
