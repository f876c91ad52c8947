package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// reportFlags say how a report is written: once to the output, and into any number of files.
type reportFlags struct {
	format string
	files  []string // FORMAT=FILE
	strict bool
}

func (o *reportFlags) register(f *pflag.FlagSet) {
	f.StringVar(&o.format, "format", string(report.Text), "form of the report: "+report.Choices())
	f.StringArrayVar(&o.files, "report", nil, "write a report into a file as well, as junit=report.xml; may be repeated")
	f.BoolVar(&o.strict, "strict", false, "let warnings fail the command too")
}

// check returns what is wrong with the flags, before anything is run.
func (o *reportFlags) check() error {
	if _, err := report.Parse(o.format); err != nil {
		return usage{fmt.Errorf("--format: %w", err)}
	}
	for _, file := range o.files {
		format, path, ok := strings.Cut(file, "=")
		if _, err := report.Parse(format); !ok || path == "" || err != nil {
			return usage{fmt.Errorf("--report %s: write FORMAT=FILE, where FORMAT is %s", file, report.Choices())}
		}
	}
	return nil
}

// write writes a report wherever the flags say; negative if it has failed.
func (c *console) write(r report.Report, o reportFlags) error {
	r.Strict, r.Version = o.strict, app.Version()
	format, err := report.Parse(o.format)
	if err != nil {
		return err
	}
	if err := report.Write(c.out, format, r); err != nil {
		return err
	}
	for _, file := range o.files {
		name, path, _ := strings.Cut(file, "=")
		format, err := report.Parse(name)
		if err != nil {
			return err
		}
		if err := writeFile(path, func(w io.Writer) error { return report.Write(w, format, r) }); err != nil {
			return err
		}
	}
	if r.Failed() {
		return negative{}
	}
	return nil
}

// writeFile makes a file, and the directories that it is in, of what write writes.
func writeFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // reports are no secret
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
