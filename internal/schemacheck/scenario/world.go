package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/authzed/spicedb/pkg/development"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	devinterface "github.com/authzed/spicedb/pkg/proto/developer/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/grpc"

	api "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/store"
)

// world is a directory and an engine of one scenario's own: what is written in
// the one is brought into force in the other when somebody asks.
type world struct {
	env       account.EnvironmentID
	model     *Model
	db        *store.DB
	directory *directory.Directory
	projector *relation.Projector
	applied   account.Version

	dev  *development.DevContext
	conn *grpc.ClientConn
	stop func()

	tokens map[string]account.APITokenID // by their names in the scenario
}

// template is an empty database, of which every scenario gets a copy: that is quicker than making its tables.
func template(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "empty.db")
	db, err := store.Open(ctx, path, store.Config{})
	if err != nil {
		return "", fmt.Errorf("make an empty directory: %w", err)
	}
	return path, db.Close() // after which all of it is in the one file
}

// refusedRelationship is what SpiceDB says of one of the application's relationships.
type refusedRelationship struct{ relationship, text string }

// newWorld makes a world with a copy of an empty database in dir, and the
// application's relationships. If these are at fault it returns why, and no world.
func newWorld(ctx context.Context, model *Model, s *state, empty, dir string) (*world, []refusedRelationship, error) {
	w := &world{env: s.env.ID, model: model, projector: relation.NewProjector(model.catalogue), tokens: map[string]account.APITokenID{}}
	request := &devinterface.RequestContext{Schema: model.text, Relationships: make([]*core.RelationTuple, len(s.relationships))}
	for i, r := range s.relationships {
		request.Relationships[i] = r.ToCoreTuple()
	}
	dev, problems, err := development.NewDevContext(ctx, request)
	if err != nil {
		return nil, nil, fmt.Errorf("start the engine: %w", err)
	}
	if problems != nil {
		var refused []refusedRelationship
		for _, p := range problems.GetInputErrors() {
			refused = append(refused, refusedRelationship{p.GetContext(), p.GetMessage()})
		}
		return nil, refused, nil
	}
	schemacheck.RememberDefinitions(dev)
	w.dev = dev
	if w.conn, w.stop, err = dev.RunV1InMemoryService(); err != nil {
		dev.Dispose()
		return nil, nil, fmt.Errorf("start the engine: %w", err)
	}
	path := filepath.Join(dir, "directory.db")
	if err := copyFile(empty, path); err != nil {
		return nil, nil, errors.Join(err, w.close())
	}
	if w.db, err = store.Open(ctx, path, store.Config{Connections: 2}); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the directory: %w", err), w.close())
	}
	w.directory = directory.New(w.db, w, w, model.catalogue, directory.Config{})
	return w, nil, nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600) //nolint:gosec // a path of newWorld, in a folder that Run made
}

// close ends what newWorld began.
func (w *world) close() error {
	w.stop()
	w.dev.Dispose()
	if w.db == nil {
		return nil
	}
	return w.db.Close()
}

// request is the vendor's.
func (w *world) request() directory.Request {
	return directory.Request{Actor: account.Actor{Environment: w.env, System: true}}
}

// atOnce is the most updates that the engine takes in a call.
const atOnce = 50

// follow brings the journal into force, entry by entry, in the order in which it is safe.
func (w *world) follow(ctx context.Context) error {
	for {
		entries, err := w.db.Entries(ctx, w.env, w.applied, 100)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			updates, err := w.projector.Updates(e, time.Now())
			if err != nil {
				return err
			}
			if err := w.apply(ctx, updates); err != nil {
				return err
			}
			w.applied = e.Version
		}
	}
}

func (w *world) apply(ctx context.Context, updates []relation.Update) error {
	var out []*api.RelationshipUpdate
	for _, u := range updates {
		op := api.RelationshipUpdate_OPERATION_TOUCH
		if u.Delete {
			op = api.RelationshipUpdate_OPERATION_DELETE
		}
		out = append(out, &api.RelationshipUpdate{Operation: op, Relationship: u.Proto()})
	}
	return w.write(ctx, out)
}

func (w *world) write(ctx context.Context, updates []*api.RelationshipUpdate) error {
	for len(updates) > 0 {
		n := min(atOnce, len(updates))
		if _, err := api.NewPermissionsServiceClient(w.conn).WriteRelationships(ctx, &api.WriteRelationshipsRequest{Updates: updates[:n]}); err != nil {
			return fmt.Errorf("write relationships: %w", err)
		}
		updates = updates[n:]
	}
	return nil
}

// change writes or deletes one of the application's relationships.
func (w *world) change(ctx context.Context, rel tuple.Relationship, op api.RelationshipUpdate_Operation) error {
	return w.write(ctx, []*api.RelationshipUpdate{{Operation: op, Relationship: tuple.ToV1Relationship(rel)}})
}

// InForce brings all that is written into force.
func (w *world) InForce(ctx context.Context, _ account.EnvironmentID, _ account.Version) error {
	return w.follow(ctx)
}

// Decide asks the engine what an actor may do.
func (w *world) Decide(ctx context.Context, actor account.Actor, _ account.Version, questions []directory.Question) ([]bool, error) {
	if err := w.follow(ctx); err != nil {
		return nil, err
	}
	asked := make([]question, len(questions))
	for i, q := range questions {
		asked[i] = question{q.Resource, q.Permission, subjectOf(actor)}
	}
	answers, err := w.ask(ctx, asked)
	if err != nil {
		return nil, err
	}
	allowed := make([]bool, len(answers))
	for i, a := range answers {
		if a.err != nil {
			return nil, a.err
		}
		allowed[i] = a.allowed
	}
	return allowed, nil
}

func subjectOf(actor account.Actor) relation.Object {
	switch {
	case actor.User != "":
		return relation.UserObject(actor.Environment, actor.User)
	case actor.APIToken != "":
		return relation.APITokenObject(actor.Environment, actor.APIToken)
	default:
		return relation.OperatorObject(actor.Environment, actor.Client)
	}
}
