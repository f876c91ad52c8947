package scenario

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/atonce"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// Run runs the scenario files that paths name: files, directories (the scenario
// files below them, *.yaml and *.yml) and patterns in the syntax of [filepath.Match].
//
// Every file is run whatever is wrong with others, as many at a time as there
// are processors. The assertions of a file's result are the answers compared with
// what was expected, steps that had to be refused among them. All that is wrong, a
// missing file included, is a finding. The error is an Invalid fault (code
// "missing_path") if there is no path at all, an Unavailable one ("interrupted")
// if ctx ended; anything else is no fault, and means that a scenario could not be run.
func Run(ctx context.Context, paths []string, model *Model) (schemacheck.Report, error) {
	if len(paths) == 0 {
		return schemacheck.Report{}, fault.New(fault.Invalid, "missing_path", "name at least one file, directory or pattern with scenarios").In("paths")
	}
	return run(ctx, schemacheck.Files(paths, files()), model)
}

func run(ctx context.Context, all []schemacheck.File, model *Model) (report schemacheck.Report, err error) {
	dir, err := os.MkdirTemp("", "tenantry-scenarios-")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	empty, err := template(ctx, dir)
	if err != nil {
		return report, interrupted(ctx, err)
	}
	report.Files = make([]schemacheck.FileResult, len(all))
	failures := make([]error, len(all))
	atonce.Each(ctx, len(all), func(i int) {
		scratch := filepath.Join(dir, strconv.Itoa(i))
		report.Files[i], failures[i] = runFile(ctx, all[i], model, empty, scratch)
	})
	return report, interrupted(ctx, errors.Join(failures...))
}

// interrupted returns err, or that ctx ended, of which err is then a consequence.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.New(fault.Unavailable, "interrupted", "the scenarios were interrupted before their end").Because(context.Cause(ctx))
	}
	return err
}

// runFile runs the scenarios of one file.
func runFile(ctx context.Context, f schemacheck.File, model *Model, empty, scratch string) (schemacheck.FileResult, error) {
	result := schemacheck.FileResult{Path: f.Path(), Findings: []finding.Finding{}}
	src, problem := f.Read()
	if problem != nil {
		result.Findings = append(result.Findings, *problem)
		return result, nil
	}
	d := &document{Source: src}
	for i, s := range d.scenarios(model) {
		dir := filepath.Join(scratch, strconv.Itoa(i))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return result, err
		}
		before, began := len(d.findings), time.Now()
		n, err := s.run(ctx, empty, dir)
		if err != nil {
			return result, err
		}
		result.Assertions += n
		result.Cases = append(result.Cases, report.Case{
			Name: cmp.Or(s.title, "scenario "+strconv.Itoa(i+1)), Kind: report.KindScenario, Line: s.begins.Line, Column: s.begins.Column,
			Findings: slices.Clone(d.findings[before:]), Duration: time.Since(began),
		})
		if err := os.RemoveAll(dir); err != nil {
			return result, err
		}
	}
	finding.Sort(d.findings)
	result.Findings = append(result.Findings, slices.Compact(d.findings)...) // what scenarios share is read for each
	return result, nil
}

// run runs a scenario and notes what does not hold; the number is that of the answers compared.
func (s *scenario) run(ctx context.Context, empty, dir string) (n int, err error) {
	w, refused, err := newWorld(ctx, s.model, s.state, empty, dir)
	if err != nil {
		return 0, err
	}
	if w == nil {
		for _, r := range refused {
			s.refusedRelationship(r)
		}
		return 0, nil
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if ok, err := s.furnish(ctx, w); err != nil || !ok {
		return 0, err
	}
	for _, p := range s.phases {
		for _, st := range p.steps {
			ok, err := s.take(ctx, w, st)
			if err != nil {
				return n, err
			}
			if st.refused {
				n++
			}
			if !ok {
				return n, nil // what follows would be about something else
			}
		}
		judged, err := s.judge(ctx, w, p.checks)
		n += judged
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// furnish makes what the scenario begins with; false if the directory refuses it.
func (s *scenario) furnish(ctx context.Context, w *world) (bool, error) {
	req := w.request()
	records := append([]directory.Record{{NewEnvironment: &s.env, Environment: s.env.ID}}, s.records...)
	for i := range records {
		records[i].Environment = s.env.ID
	}
	// A state may be one that today's requests could not bring about, such as one
	// of an environment in which sub-accounts were turned off later.
	if _, err := w.directory.Load(ctx, req, records, directory.LoadOptions{AsIs: true}); err != nil {
		return false, s.refused(finding.Place{}, err)
	}
	for _, o := range s.operators {
		if _, _, err := w.directory.CreateClient(ctx, req, o.Client); err != nil {
			return false, s.refused(o.at, err)
		}
	}
	for _, t := range s.tokens {
		created, _, err := w.directory.CreateAPIToken(ctx, req, t.NewAPIToken)
		if err != nil {
			return false, s.refused(t.at, err)
		}
		w.tokens[t.Name] = created.Value.ID
	}
	return true, w.follow(ctx)
}

// refused notes why the directory does not take what the scenario begins with; errors that are no such refusal come back.
func (s *scenario) refused(at finding.Place, err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return err
	}
	if f.Line > 0 {
		at = s.at[f.Line-1]
	}
	s.faultAt(at, CodeRefused, "%s", s.titled(f.Text+" ("+f.Code+")"))
	return nil
}

// refusedRelationship notes what SpiceDB says of one of the application's relationships.
func (s *scenario) refusedRelationship(r refusedRelationship) {
	at := finding.Place{}
	for _, own := range s.relationships {
		if own.text() == r.relationship {
			at = own.at
		}
	}
	s.faultAt(at, finding.CodeInvalidRelationship, "%s", r.text)
}
