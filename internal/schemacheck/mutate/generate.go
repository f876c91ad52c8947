package mutate

import (
	"context"

	"github.com/tenantry/tenantry/internal/fault"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// generation makes the mutants of a schema.
type generation struct {
	schema  *zed.Schema
	printer *printer
	seen    map[string]bool // texts of mutants, and of the schema itself
	mutants []*Mutant
}

// Generate makes the mutants of a schema, in the order in which what is faulty is
// written. Some may not compile; no two have the same text. The error is an
// Internal fault (code "schema_template") if the schema cannot be copied.
func Generate(ctx context.Context, s *zed.Schema) ([]*Mutant, error) {
	p, err := newPrinter(s)
	if err != nil {
		return nil, err
	}
	copied := p.print(edit{})
	if _, findings := zed.Compile(ctx, zed.File(finding.NewSource(s.Text.Path, copied))); len(findings) > 0 {
		return nil, fault.New(fault.Internal, "schema_template", "a copy of the schema %s does not compile: %s", s.Text.Path, findings[0])
	}
	g := &generation{schema: s, printer: p, seen: map[string]bool{copied: true}}
	for _, d := range s.Definitions {
		for _, r := range d.Relations {
			if r.IsPermission() {
				g.expressionFaults(r)
				continue
			}
			g.dropRelation(r)
			g.typeFaults(r)
		}
	}
	return g.mutants, nil
}

// expressionFaults adds the faults that the expression of a permission may have, each once.
func (g *generation) expressionFaults(r *zed.Relation) {
	seen := map[string]bool{canonical(r.Expr): true}
	for _, c := range g.changes(r) {
		now := replaced(r.Expr, c.branch, c.now)
		key := canonical(now)
		if seen[key] {
			continue
		}
		seen[key] = true
		m := &Mutant{Kind: c.kind, Relation: r.String(), At: c.at, Before: c.branch.String(), After: c.now.String()}
		g.add(m, edit{exprs: map[*zed.Relation]*zed.Expr{r: now}}, []*zed.Relation{r})
	}
}

// types adds a mutant in which a relation has other types.
func (g *generation) types(kind Kind, r *zed.Relation, at zed.Location, before, after string, now []zed.Type) {
	g.add(&Mutant{Kind: kind, Relation: r.String(), At: at, Before: before, After: after},
		edit{types: map[*zed.Relation][]zed.Type{r: now}}, []*zed.Relation{r})
}

func (g *generation) add(m *Mutant, e edit, changed []*zed.Relation) {
	m.Text = g.printer.print(e)
	if g.seen[m.Text] {
		return
	}
	g.seen[m.Text] = true
	m.changed = changed
	g.mutants = append(g.mutants, m)
}
