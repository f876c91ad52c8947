package schemacheck

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/fault"

	"github.com/tenantry/tenantry/internal/schemacheck/eval"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/mutate"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// MutateOptions say how mutants are run.
type MutateOptions struct {
	Progress func(done, total int) // told of how many mutants of a schema are done, if not nil; one call at a time
}

// Mutate makes faulty copies of the schemas that some validation files are about, and
// finds out which of them the assertions of these files notice. Files that name the same
// schema file are taken together. Paths are those of [Validate]; schemas that
// no validation file among them is about are left out. The report has what is wrong with the files, each
// an error, and a warning for each mutant that survived. The error is an Invalid fault
// (code "missing_path") if there is no path at all, one of [mutate.Run], or an
// Unavailable one ("interrupted") if ctx ended.
func Mutate(ctx context.Context, paths []string, options MutateOptions) (Report, mutate.Score, error) {
	if len(paths) == 0 {
		return Report{}, mutate.Score{}, fault.New(fault.Invalid, "missing_path", "name at least one file, directory or pattern to validate").In("paths")
	}
	m := mutation{groups: map[string]*group{}}
	files := targets(paths, validationFiles())
	m.schemas = newSchemas(files, Options{WithoutLints: true})
	for _, t := range files {
		m.read(ctx, t)
	}
	var score mutate.Score
	at := time.Now()
	for _, name := range m.order {
		g := m.groups[name]
		got, err := mutate.Run(ctx, g.schema, g.files, at, options.Progress)
		if err != nil {
			return Report{}, mutate.Score{}, err
		}
		score.Merge(got)
	}
	m.tell(score.Findings())
	m.report.Notes = score.Notes()
	m.report.Rules = map[string]report.Rule{mutate.CodeSurvived: {
		Summary: "The schema could be changed like this, and every assertion would still hold.", Help: report.Page("docs/coverage.md#mutants"),
	}}
	return m.report, score, nil
}

// mutation is one run of Mutate.
type mutation struct {
	*schemas
	report Report
	groups map[string]*group // by the path of the schema
	order  []string          // in which the groups came
}

// group has the validation files that are about one schema.
type group struct {
	schema *zed.Schema
	files  []mutate.File
}

// read takes in a file; what is wrong with it is told.
func (m *mutation) read(ctx context.Context, t target) {
	if isSchema(t.path) && t.problem == "" {
		return
	}
	result := FileResult{Path: t.path, Findings: []finding.Finding{}}
	if src, problem := read(t); problem != nil {
		result.Findings = append(result.Findings, *problem)
	} else {
		result.Assertions, result.Findings = m.document(ctx, src)
	}
	finding.Sort(result.Findings)
	m.report.Files = append(m.report.Files, result)
}

// document puts a validation file with the others about its schema.
func (m *mutation) document(ctx context.Context, src *finding.Source) (assertions int, findings []finding.Finding) {
	doc, ok := parse(src)
	findings = append([]finding.Finding{}, doc.findings...)
	if !ok {
		return 0, findings
	}
	text, problem := doc.readSchema()
	if problem != nil {
		return 0, append(findings, *problem)
	}
	v, tell := m.compile(ctx, text, src.Path)
	if tell {
		findings = append(findings, v.findings...)
	}
	if v.schema == nil {
		return 0, findings
	}
	name := filepath.Clean(text.Path)
	if m.groups[name] == nil {
		m.groups[name] = &group{schema: v.schema}
		m.order = append(m.order, name)
	}
	m.groups[name].files = append(m.groups[name].files, doc.forMutants())
	return len(doc.assertions), findings
}

// tell adds the findings about mutants to the file that each is about.
func (m *mutation) tell(findings []finding.Finding) {
	at := map[string]int{}
	for i, f := range m.report.Files {
		at[f.Path] = i
	}
	for _, f := range findings {
		i, known := at[f.File]
		if !known {
			i = len(m.report.Files)
			at[f.File] = i
			m.report.Files = append(m.report.Files, FileResult{Path: f.File})
		}
		m.report.Files[i].Findings = append(m.report.Files[i].Findings, f)
		finding.Sort(m.report.Files[i].Findings)
	}
}

// forMutants returns what of a document mutants are held against.
func (d *document) forMutants() mutate.File {
	f := mutate.File{Path: d.Path}
	for _, r := range d.relationships {
		f.Relationships = append(f.Relationships, mutate.Relationship{Relationship: r.Relationship, At: r.at})
	}
	for _, a := range d.assertions {
		f.Assertions = append(f.Assertions, mutate.Assertion{
			Text: strings.TrimSpace(a.RelationshipWithContextString), At: a.at,
			Resource: a.Relationship.Resource, Subject: a.Relationship.Subject, Context: a.CaveatContext,
			Want: map[outcome]eval.Outcome{isTrue: eval.Allowed, isFalse: eval.Denied, isCaveated: eval.Conditional}[a.want],
		})
	}
	return f
}
