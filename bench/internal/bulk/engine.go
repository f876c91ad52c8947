package bulk

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/bench/internal/tree"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/schema"
)

const (
	message     = 1_000   // relationships of one message of an import
	transaction = 100_000 // relationships of one import
)

// Engine gives an empty SpiceDB Tenantry's schema and the relationships that the world implies,
// with the mark by which a relay knows that the engine stands where a directory of [Directory] does (internal/relay).
func Engine(ctx context.Context, conn grpc.ClientConnInterface, w *tree.World) error {
	if _, err := engine.ApplySchema(ctx, conn, schema.Built(), engine.Apply); err != nil {
		return err
	}
	i := importer{ctx: ctx, client: v1.NewPermissionsServiceClient(conn)}
	return errors.Join(each(w, i.add), i.finish())
}

// each calls add with every relationship that the world implies, and with the mark. Errors are those of add.
func each(w *tree.World, add func(relation.Relationship) error) error {
	catalogue, err := schema.Default()
	if err != nil {
		return err
	}
	projector := relation.NewProjector(catalogue)
	project := func(e account.Entity) error {
		implied, err := projector.Implied(tree.Environment, e)
		for _, r := range implied {
			if err == nil {
				err = add(r)
			}
		}
		return err
	}
	if err := w.Entities(project); err != nil {
		return err
	}
	if err := w.Assignments(func(a account.Assignment) error { return project(*account.Of(a)) }); err != nil {
		return err
	}
	return add(mark())
}

// mark says how far the relay has come: as internal/relay/mark.go has it.
func mark() relation.Relationship {
	return relation.Relationship{Key: relation.Key{
		Resource: relation.EnvironmentObject(tree.Environment),
		Relation: "applied",
		Subject:  relation.In(tree.Environment, relation.TypeVersion, fmt.Sprintf("%d-%s", head, newest)),
	}}
}

// importer sends relationships as they come, in messages, and some messages in one transaction.
type importer struct {
	ctx    context.Context //nolint:containedctx // it lives no longer than one call
	client v1.PermissionsServiceClient
	stream v1.PermissionsService_ImportBulkRelationshipsClient
	sent   int // in this transaction
	batch  []*v1.Relationship
}

func (i *importer) add(r relation.Relationship) error {
	i.batch = append(i.batch, r.Proto())
	if len(i.batch) < message {
		return nil
	}
	return i.send()
}

func (i *importer) send() (err error) {
	if i.stream == nil {
		if i.stream, err = i.client.ImportBulkRelationships(i.ctx); err != nil {
			return err
		}
	}
	if err := i.stream.Send(&v1.ImportBulkRelationshipsRequest{Relationships: i.batch}); err != nil {
		_, why := i.stream.CloseAndRecv()
		return errors.Join(err, why)
	}
	i.sent += len(i.batch)
	i.batch = nil // the stream may still hold it
	if i.sent >= transaction {
		return i.finish()
	}
	return nil
}

// finish ends a transaction.
func (i *importer) finish() error {
	if len(i.batch) > 0 {
		i.sent = 0 // so that send does not end it as well
		if err := i.send(); err != nil {
			return err
		}
	}
	if i.stream == nil {
		return nil
	}
	_, err := i.stream.CloseAndRecv()
	i.stream, i.sent = nil, 0
	return err
}
