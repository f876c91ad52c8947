package schemacheck

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/tenantry/tenantry/internal/fault"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// Validate checks validation files and schemas. A path is a file, a directory
// (the validation files below it, *.yaml and *.yml) or a pattern in the syntax of
// [filepath.Match]; a file whose name ends in .zed is a schema and only compiled.
//
// Every file is checked whatever is wrong with others, as many at a time as
// there are processors, and within a file every assertion is run. All that is
// wrong, a missing file included, is a finding of the report. The error is an
// Invalid fault (code "missing_path") if there is no path at all, or an
// Unavailable one ("interrupted") if ctx ended.
func Validate(ctx context.Context, paths []string) (Report, error) {
	if len(paths) == 0 {
		return Report{}, fault.New(fault.Invalid, "missing_path", "name at least one file, directory or pattern to validate").In("paths")
	}
	files := targets(paths, validationFiles())
	report := Report{Files: make([]FileResult, len(files))}
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(len(files), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := range next {
				report.Files[i] = checkFile(ctx, files[i])
			}
		})
	}
	for i := range files {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	if ctx.Err() != nil {
		return Report{}, fault.New(fault.Unavailable, "interrupted", "the validation was interrupted before its end").Because(context.Cause(ctx))
	}
	return report, nil
}

// checkFile checks one file and returns its findings in order.
func checkFile(ctx context.Context, t target) FileResult {
	result := FileResult{Path: t.path, Findings: []finding.Finding{}}
	src, problem := read(t)
	switch {
	case problem != nil:
		result.Findings = append(result.Findings, *problem)
	case isSchema(t.path):
		result.Findings = append(result.Findings, checkSchema(ctx, src)...)
	default:
		checkDocument(ctx, src, &result)
	}
	finding.Sort(result.Findings)
	return result
}

// read reads the file of a target.
func read(t target) (*finding.Source, *finding.Finding) {
	empty := finding.NewSource(t.path, "")
	if t.problem != "" {
		f := empty.Finding(finding.Place{}, finding.Error, t.code, "%s", t.problem)
		return nil, &f
	}
	text, err := os.ReadFile(t.path)
	if err != nil {
		f := empty.Finding(finding.Place{}, finding.Error, finding.CodeUnreadableFile, "cannot read the file: %s", reason(err))
		return nil, &f
	}
	return finding.NewSource(t.path, string(text)), nil
}

// checkSchema compiles a schema file.
func checkSchema(ctx context.Context, src *finding.Source) []finding.Finding {
	if src.LastLine() == 1 && src.Line(1) == "" {
		return []finding.Finding{src.Finding(finding.Place{}, finding.Error, finding.CodeEmptyFile, "the file is empty")}
	}
	_, findings := zed.Compile(ctx, zed.File(src))
	return findings
}

// checkDocument runs a validation file.
func checkDocument(ctx context.Context, src *finding.Source, result *FileResult) {
	doc, ok := parse(src)
	if !ok {
		result.Findings = append(result.Findings, doc.findings...)
		return
	}
	s, problem := doc.readSchema()
	if problem != nil {
		result.Findings = append(append(result.Findings, doc.findings...), *problem)
		return
	}
	_, findings := zed.Compile(ctx, s)
	findings = append(findings, doc.findings...)
	if len(findings) == len(doc.findings) {
		world, refused := load(ctx, s, doc)
		findings = append(findings, refused...)
		if world != nil {
			defer world.Dispose()
			findings = append(findings, runAssertions(world, doc)...)
			findings = append(findings, runExpectations(world, doc)...)
			result.Assertions, result.Expectations = len(doc.assertions), len(doc.expectations)
		}
	}
	if len(findings) == 0 && len(doc.assertions)+len(doc.expectations) == 0 {
		findings = append(findings, src.Finding(finding.Place{}, finding.Warning, finding.CodeNothingChecked, "the file has no assertions and no expected relations, so it checks nothing but its schema and relationships"))
	}
	result.Findings = append(result.Findings, findings...)
}

// readSchema returns the schema that the file holds or names.
func (d *document) readSchema() (zed.Text, *finding.Finding) {
	if d.schema != nil {
		return zed.Text{Source: d.Source, Schema: d.schema.Value, Placed: within(d.Source, d.schema), Dir: filepath.Dir(d.Path)}, nil
	}
	path := filepath.FromSlash(d.schemaFile.Value)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(d.Path), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		f := d.Finding(within(d.Source, d.schemaFile)(finding.At(1, 1)), finding.Error, finding.CodeUnreadableFile, "cannot read the schema file %s: %s", path, reason(err))
		return zed.Text{}, &f
	}
	return zed.File(finding.NewSource(path, string(text))), nil
}
