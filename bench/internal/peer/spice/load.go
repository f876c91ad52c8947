package spice

import (
	"context"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/bench/internal/tree"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/schema"
)

// Load takes a database with the schema and the relationships that Tenantry would write.
func (s *System) Load(ctx context.Context, w *tree.World) error {
	catalogue, err := schema.Default()
	if err != nil {
		return err
	}
	s.world, s.projector = w, relation.NewProjector(catalogue)
	return s.server.Prepare(ctx, w)
}

func (s *System) implied(e account.Entity) ([]*v1.Relationship, error) {
	rels, err := s.projector.Implied(tree.Environment, e)
	if err != nil {
		return nil, err
	}
	out := make([]*v1.Relationship, len(rels))
	for i, r := range rels {
		out[i] = r.Proto()
	}
	return out, nil
}
