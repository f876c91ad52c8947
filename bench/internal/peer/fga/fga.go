package fga

import (
	"context"
	"fmt"
	"strings"

	openfga "github.com/openfga/api/proto/openfga/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

const (
	batch   = 100 // tuples of one write: OpenFGA's limit
	writers = 8   // that load at once
)

// System is one OpenFGA server on a database.
type System struct {
	database *Database
	extra    []string
	world    *tree.World
	process  *child.Process
	conn     *grpc.ClientConn
	client   openfga.OpenFGAServiceClient
}

// New returns a server with OpenFGA's default limits of lists: 1,000 results, 3 s.
func New(d *Database) *System { return &System{database: d} }

// Raised returns a server that lists without a limit of results, and for a minute.
func Raised(d *Database) *System {
	return &System{database: d, extra: []string{"--listObjects-max-results=0", "--listObjects-deadline=60s", "--request-timeout=60s"}}
}

// Load fills the database, if no other system has.
func (s *System) Load(ctx context.Context, w *tree.World) error {
	s.world = w
	s.database.mu.Lock()
	defer s.database.mu.Unlock()
	if s.database.users++; s.database.users > 1 {
		return nil
	}
	if err := s.database.prepare(ctx); err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	store, err := s.client.CreateStore(ctx, &openfga.CreateStoreRequest{Name: "bench"})
	if err != nil {
		return err
	}
	s.database.store = store.GetId()
	model, err := s.client.WriteAuthorizationModel(ctx, &openfga.WriteAuthorizationModelRequest{
		StoreId: store.GetId(), SchemaVersion: "1.1", TypeDefinitions: types(),
	})
	if err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	s.database.model = model.GetAuthorizationModelId()
	if err := s.fill(ctx); err != nil {
		return err
	}
	if err := s.database.postgres.Analyze(ctx, s.database.url); err != nil {
		return err
	}
	return s.Stop()
}

// fill writes all tuples, in as large writes as OpenFGA takes.
func (s *System) fill(ctx context.Context) error {
	all := s.tuples()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for len(all) > 0 && ctx.Err() == nil {
		some := all[:min(batch, len(all))]
		all = all[len(some):]
		group.Go(func() error { return s.write(ctx, some, nil) })
	}
	return group.Wait()
}

func (s *System) tuples() []*openfga.TupleKey {
	var all []*openfga.TupleKey
	for i := range s.world.Size.Accounts {
		if parent := tree.Parent(i); parent >= 0 {
			all = append(all, tuple(account(i), "parent", account(parent)))
		}
		if s.world.AlwaysOn[i] {
			for _, role := range tree.Roles() {
				all = append(all, tuple(account(i), branch(role), account(i)+"#"+role.String()))
			}
		}
	}
	for _, m := range s.world.Memberships {
		all = append(all, membership(m))
	}
	return all
}

func account(i int) string { return "account:" + tree.AccountID(i) }

func user(i int) string { return "user:" + tree.UserID(i) }

func tuple(object, relation, user string) *openfga.TupleKey {
	return &openfga.TupleKey{Object: object, Relation: relation, User: user}
}

func membership(m tree.Membership) *openfga.TupleKey {
	relation := m.Role.String()
	if m.Branch {
		relation = branch(m.Role)
	}
	return tuple(account(int(m.Account)), relation, user(int(m.User)))
}

// Start runs the server.
func (s *System) Start(ctx context.Context) (err error) {
	if s.process, s.conn, err = s.database.serve(ctx, s.extra); err != nil {
		return err
	}
	s.client = openfga.NewOpenFGAServiceClient(s.conn)
	return nil
}

// Check is Check.
func (s *System) Check(ctx context.Context, who, at int, p tree.Permission) (bool, error) {
	answer, err := s.client.Check(ctx, &openfga.CheckRequest{
		StoreId: s.database.store, AuthorizationModelId: s.database.model,
		TupleKey: &openfga.CheckRequestTupleKey{User: user(who), Relation: p.String(), Object: account(at)},
	})
	return answer.GetAllowed(), err
}

// List is ListObjects.
func (s *System) List(ctx context.Context, who int) ([]int32, error) {
	answer, err := s.client.ListObjects(ctx, &openfga.ListObjectsRequest{
		StoreId: s.database.store, AuthorizationModelId: s.database.model, Type: "account", Relation: access, User: user(who),
	})
	if err != nil {
		return nil, err
	}
	all := make([]int32, len(answer.GetObjects()))
	for i, object := range answer.GetObjects() {
		all[i] = int32(tree.Number(strings.TrimPrefix(object, "account:"))) //nolint:gosec // some millions at most
	}
	return all, nil
}

// Page lists all and leaves it to the application to find the names, which it has in memory here, and to sort.
func (s *System) Page(ctx context.Context, who int, query string) (peer.Page, error) {
	all, err := s.List(ctx, who)
	return peer.PageOf(s.world, all, query), err
}

// Put writes a membership's tuple.
func (s *System) Put(ctx context.Context, m tree.Membership) error {
	return s.write(ctx, []*openfga.TupleKey{membership(m)}, nil)
}

// Remove deletes a membership's tuple.
func (s *System) Remove(ctx context.Context, m tree.Membership) error {
	t := membership(m)
	return s.write(ctx, nil, []*openfga.TupleKeyWithoutCondition{{User: t.GetUser(), Relation: t.GetRelation(), Object: t.GetObject()}})
}

func (s *System) write(ctx context.Context, writes []*openfga.TupleKey, deletes []*openfga.TupleKeyWithoutCondition) error {
	request := &openfga.WriteRequest{StoreId: s.database.store, AuthorizationModelId: s.database.model}
	if len(writes) > 0 {
		request.Writes = &openfga.WriteRequestWrites{TupleKeys: writes}
	}
	if len(deletes) > 0 {
		request.Deletes = &openfga.WriteRequestDeletes{TupleKeys: deletes}
	}
	_, err := s.client.Write(ctx, request)
	return err
}
