package schemacheck

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/tenantry/tenantry/internal/fault"

	"github.com/tenantry/tenantry/internal/schemacheck/atonce"
	"github.com/tenantry/tenantry/internal/schemacheck/cover"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// Options say how to validate. The zero Options are what `tenantry schema validate` does without flags.
type Options struct {
	DisableLints []string // names of lints to leave out
	WithoutLints bool     // only what SpiceDB itself refuses
}

// Validate checks validation files and schemas. A path is a file, a directory
// (the validation files and schemas below it: *.yaml, *.yml and *.zed) or a pattern,
// in which ** stands for any number of directories. A file whose name ends in .zed is
// a schema and only compiled; found in a directory, it is left out if another file is about it.
//
// Every file is checked whatever is wrong with others, as many at a time as
// there are processors, and within a file every assertion is run. All that is
// wrong, a missing file included, is a finding of the report. The error is an
// Invalid fault (code "missing_path") if there is no path at all, or an
// Unavailable one ("interrupted") if ctx ended.
func Validate(ctx context.Context, paths []string, options Options) (Report, error) {
	r, _, err := validate(ctx, paths, options, false)
	return r, err
}

// ValidateCovered validates as [Validate] does, and returns what the assertions
// cover of the schemas that they were run against; nil if none was.
func ValidateCovered(ctx context.Context, paths []string, options Options) (Report, *cover.Profile, error) {
	return validate(ctx, paths, options, true)
}

func validate(ctx context.Context, paths []string, options Options, covered bool) (Report, *cover.Profile, error) {
	if len(paths) == 0 {
		return Report{}, nil, fault.New(fault.Invalid, "missing_path", "name at least one file, directory or pattern to validate").In("paths")
	}
	files := targets(paths, validationFiles())
	known := newSchemas(files, options)
	profiles := make([]*cover.Profile, len(files))
	report := Report{Files: make([]FileResult, len(files)), Rules: lintRules()}
	atonce.Each(ctx, len(files), func(i int) {
		c := check{schemas: known, result: FileResult{Path: files[i].path, Findings: []finding.Finding{}}, covered: covered}
		c.file(ctx, files[i])
		report.Files[i], profiles[i] = c.result, c.profile
	})
	if ctx.Err() != nil {
		return Report{}, nil, fault.New(fault.Unavailable, "interrupted", "the validation was interrupted before its end").Because(context.Cause(ctx))
	}
	return report, merged(profiles), nil
}

// merged is what all files cover together; nil if none covers anything.
func merged(profiles []*cover.Profile) *cover.Profile {
	var all *cover.Profile
	for _, p := range profiles {
		switch {
		case p == nil:
		case all == nil:
			all = p
		default:
			all.Merge(p)
		}
	}
	return all
}

// check is the check of one file.
type check struct {
	*schemas
	result  FileResult
	covered bool
	profile *cover.Profile // what the file covers; nil if that was not asked, or nothing was run
}

// file checks the file, and puts its findings in order.
func (c *check) file(ctx context.Context, t target) {
	src, problem := read(t)
	switch {
	case problem != nil:
		c.add(*problem)
	case isSchema(t.path):
		c.schema(ctx, src)
	default:
		c.document(ctx, src)
	}
	finding.Sort(c.result.Findings)
}

func (c *check) add(findings ...finding.Finding) {
	c.result.Findings = append(c.result.Findings, findings...)
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

// schema compiles a schema file.
func (c *check) schema(ctx context.Context, src *finding.Source) {
	if src.LastLine() == 1 && src.Line(1) == "" {
		c.add(src.Finding(finding.Place{}, finding.Error, finding.CodeEmptyFile, "the file is empty"))
		return
	}
	v, _ := c.compile(ctx, zed.File(src), src.Path)
	c.add(v.findings...)
}

// document runs a validation file.
func (c *check) document(ctx context.Context, src *finding.Source) {
	doc, ok := parse(src)
	c.add(doc.findings...)
	if !ok {
		return
	}
	text, problem := doc.readSchema()
	if problem != nil {
		c.add(*problem)
		return
	}
	v, tell := c.compile(ctx, text, src.Path)
	if tell {
		c.add(v.findings...)
	} else if v.schema == nil {
		c.add(doc.Finding(within(doc.Source, doc.schemaFile)(finding.At(1, 1)), finding.Error, finding.CodeInvalidSchema,
			"nothing of this file was run: %s has mistakes, which are told with %s", text.Path, c.tellers[text.Path]))
	}
	if v.schema != nil {
		c.run(ctx, v.schema, doc)
	}
	if len(c.result.Findings) == 0 && len(doc.assertions)+len(doc.expectations) == 0 {
		c.add(src.Finding(finding.Place{}, finding.Warning, finding.CodeNothingChecked, "the file has no assertions and no expected relations, so it checks nothing but its schema and relationships"))
	}
}

// run runs what a validation file says about a schema that compiles.
func (c *check) run(ctx context.Context, schema *zed.Schema, doc *document) {
	world, refused := load(ctx, schema, doc)
	c.add(refused...)
	if world == nil {
		return
	}
	defer world.Dispose()
	decided := runAssertions(world, schema, doc)
	c.result.Cases = slices.Concat(decided, runExpectations(world, schema, doc))
	for _, one := range c.result.Cases {
		c.add(one.Findings...)
	}
	c.result.Assertions, c.result.Expectations = len(doc.assertions), len(doc.expectations)
	if c.covered {
		c.profile = cover.New(schema)
		c.add(doc.cover(c.profile, schema, decided)...)
	}
}

// readSchema returns the schema that the file holds or names.
func (d *document) readSchema() (zed.Text, *finding.Finding) {
	if d.schema != nil {
		return zed.Text{Source: d.Source, Schema: d.schema.Value, Placed: within(d.Source, d.schema), Dir: filepath.Dir(d.Path)}, nil
	}
	path := beside(d.Path, d.schemaFile.Value)
	text, err := os.ReadFile(path)
	if err != nil {
		f := d.Finding(within(d.Source, d.schemaFile)(finding.At(1, 1)), finding.Error, finding.CodeUnreadableFile, "cannot read the schema file %s: %s", path, reason(err))
		return zed.Text{}, &f
	}
	return zed.File(finding.NewSource(path, string(text))), nil
}
