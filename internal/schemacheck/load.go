package schemacheck

import (
	"context"
	"os"
	"slices"

	api "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/development"
	devinterface "github.com/authzed/spicedb/pkg/proto/developer/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/authzed/spicedb/pkg/validationfile"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// load loads a document's relationships into a schema. It returns what to run
// checks against, nil if a relationship is at fault. The caller disposes of it.
func load(ctx context.Context, schema *zed.Schema, doc *document) (*development.DevContext, []finding.Finding) {
	if world := loadFast(ctx, schema, doc.relationships); world != nil {
		return world, nil
	}
	world, problems, err := open(ctx, schema, doc.relationships)
	if err == nil && len(problems) == 0 {
		return world, nil
	}
	if err != nil { // whatever problems there are, it stopped before the last
		return nil, loadSingly(ctx, schema, doc, err)
	}
	findings := make([]finding.Finding, 0, len(problems))
	for _, p := range problems {
		findings = append(findings, doc.refusedRelationship(schema, p))
	}
	return nil, findings
}

// loadFast writes relationships as a client of SpiceDB would, many at a time. The
// loader for developers, which knows what is wrong with each, decodes all definitions
// for each. nil if anything is wrong.
func loadFast(ctx context.Context, schema *zed.Schema, relationships []relationship) *development.DevContext {
	world, problems, err := open(ctx, schema, nil)
	if err != nil || len(problems) > 0 {
		return nil
	}
	if err := write(world, relationships); err != nil {
		world.Dispose()
		return nil
	}
	return world
}

// write writes relationships into a world.
func write(world *development.DevContext, relationships []relationship) error {
	const most = 50 // that the server takes at a time
	if len(relationships) == 0 {
		return nil
	}
	server, err := newChecker(world)
	if err != nil {
		return err
	}
	defer server.stop()
	for some := range slices.Chunk(relationships, most) {
		request := &api.WriteRelationshipsRequest{}
		for _, r := range some {
			request.Updates = append(request.Updates, &api.RelationshipUpdate{
				Operation: api.RelationshipUpdate_OPERATION_CREATE, Relationship: tuple.ToV1Relationship(r.Relationship),
			})
		}
		if _, err := api.NewPermissionsServiceClient(server.conn).WriteRelationships(world.Ctx, request); err != nil {
			return err
		}
	}
	at, _, err := world.DataLayer.HeadRevision(world.Ctx)
	if err != nil {
		return err
	}
	world.Revision = at
	return nil
}

// loadSingly is the way on when the loader gives up without naming a place: it
// tries each relationship alone. If none of them is the cause, the schema is.
func loadSingly(ctx context.Context, schema *zed.Schema, doc *document, cause error) []finding.Finding {
	var findings []finding.Finding
	for _, r := range doc.relationships {
		world, problems, err := open(ctx, schema, []relationship{r})
		switch {
		case err != nil:
			findings = append(findings, doc.Finding(r.at, finding.Error, finding.CodeInvalidRelationship, "%s", schema.Explain(err.Error())))
		case len(problems) > 0:
			findings = append(findings, doc.refusedRelationship(schema, problems[0]))
		default:
			world.Dispose()
		}
	}
	if len(findings) == 0 {
		findings = append(findings, schema.Text.Finding(finding.Place{}, finding.Error, finding.CodeInvalidSchema, "the schema cannot be loaded: %s", cause))
	}
	return findings
}

func open(ctx context.Context, schema *zed.Schema, relationships []relationship) (*development.DevContext, []*devinterface.DeveloperError, error) {
	file := validationfile.ValidationFile{Schema: blocks.SchemaWithPosition{Schema: schema.Text.Schema}}
	for _, r := range relationships {
		file.Relationships.Relationships = append(file.Relationships.Relationships, r.Relationship)
	}
	world, problems, err := development.NewDevContextForValidationFile(ctx, &file,
		development.WithRootFileName(zed.RootName), development.WithSourceFS(os.DirFS(schema.Text.Dir)))
	if err != nil || len(problems.GetInputErrors()) > 0 {
		return nil, problems.GetInputErrors(), err
	}
	RememberDefinitions(world.DevContext)
	return world.DevContext, nil, nil
}

// refusedRelationship makes a finding of what the loader reports about a relationship.
func (d *document) refusedRelationship(schema *zed.Schema, p *devinterface.DeveloperError) finding.Finding {
	for _, r := range d.relationships {
		if text, err := tuple.String(r.Relationship); err == nil && text == p.GetContext() {
			return d.Finding(r.at, finding.Error, finding.CodeInvalidRelationship, "%s", schema.Explain(p.GetMessage()))
		}
	}
	return d.Finding(finding.Place{}, finding.Error, finding.CodeInvalidRelationship, "%s: %s", p.GetContext(), schema.Explain(p.GetMessage()))
}
