package spice

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
)

// System is SpiceDB as an application uses it directly. Every question is at least as fresh as
// the newest change, by that change's token, which is how Tenantry asks.
type System struct {
	server    *Server
	world     *tree.World
	projector *relation.Projector
	client    v1.PermissionsServiceClient
	token     atomic.Pointer[v1.ZedToken]
}

// New returns a system on a copy of the source.
func New(source *Source) *System { return &System{server: NewServer(source)} }

// Start runs the server, and writes a relationship that is there already for a token to ask with.
func (s *System) Start(ctx context.Context) error {
	if err := s.server.Start(ctx); err != nil {
		return err
	}
	s.client = v1.NewPermissionsServiceClient(s.server.conn)
	return s.Put(ctx, s.world.Of(s.world.Stranger)[0])
}

// Stop ends the server's process.
func (s *System) Stop() error { return s.server.Stop() }

// Close drops the database.
func (s *System) Close() error { return s.server.Close() }

// Processes returns SpiceDB's.
func (s *System) Processes() []int { return s.server.Processes() }

func (s *System) fresh() *v1.Consistency {
	return &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: s.token.Load()}}
}

func object(id string, kind string) *v1.ObjectReference {
	return relation.In(tree.Environment, kind, id).Proto()
}

// Check is CheckPermission.
func (s *System) Check(ctx context.Context, user, at int, p tree.Permission) (bool, error) {
	answer, err := s.client.CheckPermission(ctx, &v1.CheckPermissionRequest{
		Consistency: s.fresh(), Resource: object(tree.AccountID(at), relation.TypeAccount), Permission: p.String(),
		Subject: &v1.SubjectReference{Object: object(tree.UserID(user), relation.TypeUser)},
	})
	return answer.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION, err
}

// List is LookupResources without a limit, until the stream ends: one call, where pages by cursor would be many.
func (s *System) List(ctx context.Context, user int) ([]int32, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.client.LookupResources(ctx, &v1.LookupResourcesRequest{
		Consistency: s.fresh(), ResourceObjectType: relation.TypeAccount, Permission: "member_access",
		Subject: &v1.SubjectReference{Object: object(tree.UserID(user), relation.TypeUser)},
	})
	if err != nil {
		return nil, err
	}
	var all []int32
	prefix := string(tree.Environment) + "/"
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, int32(tree.Number(strings.TrimPrefix(m.GetResourceObjectId(), prefix)))) //nolint:gosec // some millions at most
	}
}

// Page looks up all and leaves it to the application to find the names, which it has in memory here, and to sort.
func (s *System) Page(ctx context.Context, user int, query string) (peer.Page, error) {
	all, err := s.List(ctx, user)
	return peer.PageOf(s.world, all, query), err
}

// Put touches a membership's relationships, those of its assignment too.
func (s *System) Put(ctx context.Context, m tree.Membership) error {
	assignment, err := s.implied(*account.Of(s.world.Assignment(m)))
	if err != nil {
		return err
	}
	membership, err := s.implied(*account.Of(m.Domain()))
	if err != nil {
		return err
	}
	return s.write(ctx, v1.RelationshipUpdate_OPERATION_TOUCH, append(assignment, membership...))
}

// Remove deletes a membership's relationships.
func (s *System) Remove(ctx context.Context, m tree.Membership) error {
	membership, err := s.implied(*account.Of(m.Domain()))
	if err != nil {
		return err
	}
	return s.write(ctx, v1.RelationshipUpdate_OPERATION_DELETE, membership)
}

func (s *System) write(ctx context.Context, how v1.RelationshipUpdate_Operation, rels []*v1.Relationship) error {
	updates := make([]*v1.RelationshipUpdate, len(rels))
	for i, r := range rels {
		updates[i] = &v1.RelationshipUpdate{Operation: how, Relationship: r}
	}
	answer, err := s.client.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: updates})
	if err == nil {
		s.token.Store(answer.GetWrittenAt())
	}
	return err
}
