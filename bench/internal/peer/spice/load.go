package spice

import (
	"context"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/bench/internal/tree"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/schema"
)

const (
	message     = 1_000   // relationships of one message of an import
	transaction = 100_000 // relationships of one import
)

// Load makes the database, writes the schema and imports the relationships that Tenantry would write.
func (s *System) Load(ctx context.Context, w *tree.World) error {
	catalogue, err := schema.Default()
	if err != nil {
		return err
	}
	s.world, s.projector = w, relation.NewProjector(catalogue)
	if err := s.server.Prepare(ctx); err != nil {
		return err
	}
	if err := s.server.Start(ctx); err != nil {
		return err
	}
	if _, err := v1.NewSchemaServiceClient(s.server.conn).WriteSchema(ctx, &v1.WriteSchemaRequest{Schema: schema.Built()}); err != nil {
		return err
	}
	rels, err := s.relationships()
	if err != nil {
		return err
	}
	for len(rels) > 0 {
		n := min(transaction, len(rels))
		if err := s.load(ctx, rels[:n]); err != nil {
			return err
		}
		rels = rels[n:]
	}
	if err := s.server.Analyze(ctx); err != nil {
		return err
	}
	return s.server.Stop()
}

// load imports relationships in one transaction.
func (s *System) load(ctx context.Context, rels []*v1.Relationship) error {
	stream, err := v1.NewPermissionsServiceClient(s.server.conn).ImportBulkRelationships(ctx)
	if err != nil {
		return err
	}
	for len(rels) > 0 {
		n := min(message, len(rels))
		if err := stream.Send(&v1.ImportBulkRelationshipsRequest{Relationships: rels[:n]}); err != nil {
			return err
		}
		rels = rels[n:]
	}
	_, err = stream.CloseAndRecv()
	return err
}

// relationships returns what the world implies, assignments included.
func (s *System) relationships() ([]*v1.Relationship, error) {
	var all []*v1.Relationship
	used := map[account.Assignment]bool{}
	add := func(e account.Entity) error {
		rels, err := s.implied(e)
		all = append(all, rels...)
		return err
	}
	if err := s.world.Entities(add); err != nil {
		return nil, err
	}
	for _, m := range s.world.Memberships {
		a := s.assignment(m)
		if used[a] {
			continue
		}
		used[a] = true
		if err := add(*account.Of(a)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// assignment is what a membership needs besides itself.
func (s *System) assignment(m tree.Membership) account.Assignment {
	return account.Assignment{
		Account: account.ID(tree.AccountID(int(m.Account))), Role: account.RoleKey(m.Role.String()), AlwaysOn: s.world.AlwaysOn[m.Account],
	}
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
