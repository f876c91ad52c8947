package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

// client is an engine as its users see it, with words for what the tests do.
type client struct {
	testing.TB
	conn        grpc.ClientConnInterface
	permissions v1.PermissionsServiceClient
}

func newClient(tb testing.TB, e *engine.Engine) client {
	tb.Helper()
	return client{TB: tb, conn: e.Conn(), permissions: v1.NewPermissionsServiceClient(e.Conn())}
}

// embedded starts an engine that ends with the test.
func embedded(tb testing.TB, cfg engine.EmbeddedConfig) *engine.Engine {
	tb.Helper()
	e, err := engine.Embedded(within(tb, time.Minute), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return e
}

// withSchema is embedded, on a file of its own unless cfg names one, with Tenantry's schema in it.
func withSchema(tb testing.TB, cfg engine.EmbeddedConfig) client {
	tb.Helper()
	if cfg.File == "" {
		cfg.File = filepath.Join(tb.TempDir(), "engine.db")
	}
	c := newClient(tb, embedded(tb, cfg))
	c.applyBuilt()
	return c
}

// within returns a context of the test with a deadline.
func within(tb testing.TB, d time.Duration) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	tb.Cleanup(cancel)
	return ctx
}

func (c client) ctx() context.Context { return within(c, time.Minute) }

func (c client) applyBuilt() {
	c.Helper()
	if _, err := engine.ApplySchema(c.ctx(), c.conn, schema.Built(), engine.Refuse); err != nil {
		c.Fatal(err)
	}
}

// rel reads a relationship written as type:id#relation@type:id or …@type:id#relation.
func rel(s string) *v1.Relationship {
	resource, rest, _ := strings.Cut(s, "#")
	relation, subject, _ := strings.Cut(rest, "@")
	subject, subjectRelation, _ := strings.Cut(subject, "#")
	return &v1.Relationship{
		Resource: object(resource), Relation: relation,
		Subject: &v1.SubjectReference{Object: object(subject), OptionalRelation: subjectRelation},
	}
}

func object(s string) *v1.ObjectReference {
	kind, id, _ := strings.Cut(s, ":")
	return &v1.ObjectReference{ObjectType: kind, ObjectId: id}
}

func touch(rels ...*v1.Relationship) []*v1.RelationshipUpdate {
	updates := make([]*v1.RelationshipUpdate, len(rels))
	for i, r := range rels {
		updates[i] = &v1.RelationshipUpdate{Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: r}
	}
	return updates
}

func until(r *v1.Relationship, at time.Time) *v1.Relationship {
	r.OptionalExpiresAt = timestamppb.New(at)
	return r
}

// write touches the relationships, a call for each thousand, and returns the last token.
func (c client) write(rels ...string) *v1.ZedToken {
	c.Helper()
	parsed := make([]*v1.Relationship, len(rels))
	for i, s := range rels {
		parsed[i] = rel(s)
	}
	return c.writeRels(parsed...)
}

func (c client) writeRels(rels ...*v1.Relationship) (token *v1.ZedToken) {
	c.Helper()
	for len(rels) > 0 {
		n := min(len(rels), 1000)
		answer, err := c.permissions.WriteRelationships(c.ctx(), &v1.WriteRelationshipsRequest{Updates: touch(rels[:n]...)})
		if err != nil {
			c.Fatal(engine.Fault(err))
		}
		token, rels = answer.GetWrittenAt(), rels[n:]
	}
	return token
}

func atLeast(token *v1.ZedToken) *v1.Consistency {
	return &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: token}}
}

// check reports whether a subject has a permission, at least as of the token.
func (c client) check(resource, permission, subject string, token *v1.ZedToken) bool {
	c.Helper()
	answer, err := c.permissions.CheckPermission(c.ctx(), &v1.CheckPermissionRequest{
		Consistency: atLeast(token), Resource: object(resource), Permission: permission,
		Subject: &v1.SubjectReference{Object: object(subject)},
	})
	if err != nil {
		c.Fatal(engine.Fault(err))
	}
	return answer.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
}

// lookup returns one page of the accounts that a user has a permission in, all of them if limit is 0, and the last cursor.
func (c client) lookup(permission, user string, limit uint32, cursor *v1.Cursor, token *v1.ZedToken) ([]string, *v1.Cursor) {
	c.Helper()
	stream, err := c.permissions.LookupResources(c.ctx(), &v1.LookupResourcesRequest{
		Consistency: atLeast(token), ResourceObjectType: "account", Permission: permission,
		Subject: &v1.SubjectReference{Object: object(user)}, OptionalLimit: limit, OptionalCursor: cursor,
	})
	if err != nil {
		c.Fatal(engine.Fault(err))
	}
	var ids []string
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return ids, cursor
		}
		if err != nil {
			c.Fatal(engine.Fault(err))
		}
		ids, cursor = append(ids, answer.GetResourceObjectId()), answer.GetAfterResultCursor()
	}
}

// read returns the relationships that match, as the server holds them.
func (c client) read(filter *v1.RelationshipFilter, token *v1.ZedToken) []*v1.ReadRelationshipsResponse {
	c.Helper()
	stream, err := c.permissions.ReadRelationships(c.ctx(), &v1.ReadRelationshipsRequest{Consistency: atLeast(token), RelationshipFilter: filter})
	if err != nil {
		c.Fatal(engine.Fault(err))
	}
	var out []*v1.ReadRelationshipsResponse
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			c.Fatal(engine.Fault(err))
		}
		out = append(out, answer)
	}
}

// hasCode ends the test unless err is a fault of the kind and code.
func hasCode(tb testing.TB, err error, kind fault.Kind, code string) {
	tb.Helper()
	f := fault.From(err)
	if err == nil || f.Kind != kind || f.Code != code {
		tb.Fatalf("got the fault %s %q (%v), want %s %q", f.Kind, f.Code, err, kind, code)
	}
}

// branch returns the relationships of a tree of n accounts below t/0, each with up to fanOut
// children and numbered level by level, whose root has the branch member user:t/root.
func branch(n, fanOut int) []string {
	rels := []string{
		"assignment:t/0/admin#role@role:t/admin",
		"assignment:t/0/admin#branch_member@user:t/root",
		"role:t/admin#read_users@user:*",
		"account:t/0#assignment@assignment:t/0/admin",
	}
	for i := range n {
		rels = append(rels, fmt.Sprintf("account:t/%d#environment@environment:t", i))
		if i > 0 {
			rels = append(rels, fmt.Sprintf("account:t/%d#parent@account:t/%d", i, (i-1)/fanOut))
		}
	}
	return rels
}
