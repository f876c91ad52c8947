package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/cover"
)

// coverageFlags say whether coverage is measured, how much of it there must be, and where it is written.
type coverageFlags struct {
	show       bool
	least      float64 // percent
	lcov, html string  // files
}

func (o *coverageFlags) register(f *pflag.FlagSet) {
	f.BoolVar(&o.show, "coverage", false, "show what the assertions cover of the schemas; see docs/coverage.md")
	f.Float64Var(&o.least, "min-coverage", 0, "fail if the assertions cover less than this, in percent")
	f.StringVar(&o.lcov, "coverage-lcov", "", "file to write the coverage to, in the format of lcov")
	f.StringVar(&o.html, "coverage-html", "", "file to write the coverage to, as a page")
}

func (o *coverageFlags) wanted() bool {
	return o.show || o.least > 0 || o.lcov != "" || o.html != ""
}

func (o *coverageFlags) check() error {
	if o.least < 0 || o.least > 100 {
		return usage{errors.New("--min-coverage: give a percentage from 0 to 100")}
	}
	return nil
}

// cover writes coverage wherever the flags say, and notes it at the end of a
// report. It reports whether there is enough; none at all is enough only if none is asked for.
func (c *console) cover(profile *cover.Profile, o coverageFlags, result *schemacheck.Report) (enough bool, err error) {
	const shown = 50 // parts that are not covered
	if profile == nil {
		result.Notes = append(result.Notes, "coverage: nothing was run")
		return o.least == 0, nil
	}
	if o.show {
		var table bytes.Buffer
		if err := profile.WriteText(&table, shown); err != nil {
			return false, err
		}
		result.Notes = append(result.Notes, strings.Split(strings.TrimRight(table.String(), "\n"), "\n")...)
	}
	if o.lcov != "" {
		if err := writeFile(o.lcov, profile.WriteLCOV); err != nil {
			return false, err
		}
	}
	if o.html != "" {
		if err := writeFile(o.html, profile.WriteHTML); err != nil {
			return false, err
		}
	}
	percent := profile.Percent()
	note := fmt.Sprintf("coverage: %.1f%%", percent)
	if percent < o.least {
		note += fmt.Sprintf(", less than the %g%% that --min-coverage asks for; --coverage shows what is missing", o.least)
	}
	result.Notes = append(result.Notes, note)
	return percent >= o.least, nil
}
