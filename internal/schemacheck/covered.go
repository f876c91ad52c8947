package schemacheck

import (
	"time"

	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/schemacheck/cover"
	"github.com/tenantry/tenantry/internal/schemacheck/eval"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// cover counts in a profile what the document's assertions reach of a schema.
// SpiceDB has decided them, in as many cases; where one holds and the way that is
// counted ends elsewhere, it says so.
func (d *document) cover(profile *cover.Profile, schema *zed.Schema, decided []report.Case) []finding.Finding {
	relationships := make([]tuple.Relationship, len(d.relationships))
	for i, r := range d.relationships {
		relationships[i] = r.Relationship
	}
	world := eval.New(schema, relationships, time.Now())
	var findings []finding.Finding
	for i, a := range d.assertions {
		r := a.Relationship
		got := profile.Add(world, r.Resource, r.Subject, a.CaveatContext)
		if contradicts(got.Outcome, a.want) && len(decided[i].Findings) == 0 {
			findings = append(findings, d.Finding(a.at, finding.Warning, finding.CodeCoverageInexact,
				"SpiceDB decides this to be %s, and coverage to be %s: what is counted as covered by it is not what SpiceDB went through", a.want, got.Outcome))
		}
	}
	return findings
}

// contradicts reports whether an outcome is another than the one that is wanted, as far as it was decided.
func contradicts(got eval.Outcome, want outcome) bool {
	switch got {
	case eval.Allowed:
		return want != isTrue
	case eval.Denied:
		return want != isFalse
	case eval.Conditional:
		return want != isCaveated
	default:
		return false
	}
}
