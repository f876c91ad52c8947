package mutate

import (
	"fmt"
	"strings"

	"github.com/authzed/spicedb/pkg/caveats/types"
	"github.com/authzed/spicedb/pkg/schemadsl/generator"

	"github.com/tenantry/tenantry/internal/fault"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// printer writes a schema as one text, without comments, imports and partials.
type printer struct {
	schema  *zed.Schema
	caveats string
}

func newPrinter(s *zed.Schema) (*printer, error) {
	var all strings.Builder
	for _, c := range s.Compiled.CaveatDefinitions {
		text, ok, err := generator.GenerateCaveatSource(c, types.Default.TypeSet)
		if err != nil || !ok {
			return nil, fault.New(fault.Internal, "schema_template", "the caveat %s cannot be written", c.GetName()).Because(err)
		}
		all.WriteString(text + "\n")
	}
	return &printer{schema: s, caveats: all.String()}, nil
}

// edit is what is written instead of some relations and permissions.
type edit struct {
	exprs map[*zed.Relation]*zed.Expr
	types map[*zed.Relation][]zed.Type // a relation without types is left out
}

func (p *printer) print(e edit) string {
	var body strings.Builder
	body.WriteString(p.caveats)
	flags := map[string]bool{}
	for _, d := range p.schema.Definitions {
		fmt.Fprintf(&body, "definition %s {\n", d.Name)
		for _, r := range d.Relations {
			p.relation(&body, r, e, flags)
		}
		body.WriteString("}\n")
	}
	var head strings.Builder
	for _, flag := range []string{"expiration", "self"} {
		if flags[flag] {
			head.WriteString("use " + flag + "\n")
		}
	}
	return head.String() + body.String()
}

func (p *printer) relation(out *strings.Builder, r *zed.Relation, e edit, flags map[string]bool) {
	if r.IsPermission() {
		expr, ok := e.exprs[r]
		if !ok {
			expr = r.Expr
		}
		expr.Walk(func(e *zed.Expr) bool {
			flags["self"] = flags["self"] || e.Op == zed.Self
			return true
		})
		fmt.Fprintf(out, "\tpermission %s = %s\n", r.Name, expr)
		return
	}
	kinds, ok := e.types[r]
	if !ok {
		kinds = r.Types
	}
	if len(kinds) == 0 {
		return
	}
	for _, t := range kinds {
		flags["expiration"] = flags["expiration"] || t.Expiration
	}
	fmt.Fprintf(out, "\trelation %s: %s\n", r.Name, joined(kinds))
}

// joined writes types as a relation lists them.
func joined(kinds []zed.Type) string {
	names := make([]string, len(kinds))
	for i, t := range kinds {
		names[i] = t.String()
	}
	return strings.Join(names, " | ")
}
