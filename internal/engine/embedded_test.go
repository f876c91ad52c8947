package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
)

func TestEmbedded_TellsWhatItIs(t *testing.T) {
	a, b := embedded(t, engine.EmbeddedConfig{}), embedded(t, engine.EmbeddedConfig{})
	if a.Durable() {
		t.Error("an engine in memory calls itself durable")
	}
	if a.MaxUpdates() != 1000 {
		t.Errorf("MaxUpdates is %d, want 1000", a.MaxUpdates())
	}
	if !strings.HasPrefix(a.Name(), "embedded-") || a.Name() == b.Name() {
		t.Errorf("two engines in memory are named %q and %q, want names of their own", a.Name(), b.Name())
	}
	if err := a.Ready(t.Context()); err != nil {
		t.Errorf("without a schema: %v", err)
	}
}

func TestEmbedded_TwoInOneProcessShareNothing(t *testing.T) {
	a, b := withSchema(t, engine.EmbeddedConfig{}), withSchema(t, engine.EmbeddedConfig{})
	inA := a.write(branch(3, 1)...)
	inB := b.write("account:t/2#environment@environment:t")
	if !a.check("account:t/2", "member_access", "user:t/root", inA) {
		t.Error("the first engine does not find what was written to it")
	}
	if b.check("account:t/2", "member_access", "user:t/root", inB) {
		t.Error("the second engine finds what was written to the first")
	}
}

func TestS1_BranchMemberReachesEveryLevel(t *testing.T) {
	for _, levels := range []int{40, 60, 100} {
		t.Run(fmt.Sprint(levels), func(t *testing.T) {
			c := withSchema(t, engine.EmbeddedConfig{})
			token := c.write(branch(levels, 1)...)
			deepest := fmt.Sprintf("account:t/%d", levels-1)
			for _, permission := range []string{"member_access", "access", "member_read_users", "read_users"} {
				if !c.check(deepest, permission, "user:t/root", token) {
					t.Errorf("%s is refused at level %d", permission, levels)
				}
			}
			if c.check(deepest, "access", "user:t/stranger", token) {
				t.Error("a stranger has access")
			}
			for _, permission := range []string{"member_access", "access"} {
				if ids, _ := c.lookup(permission, "user:t/root", 0, nil, token); len(ids) != levels {
					t.Errorf("the lookup of %s finds %d accounts, want %d", permission, len(ids), levels)
				}
			}
		})
	}
}

func TestEmbedded_BeyondItsLevelsACheckFails(t *testing.T) {
	c := withSchema(t, engine.EmbeddedConfig{Levels: 5})
	token := c.write(branch(30, 1)...)
	_, err := c.permissions.CheckPermission(c.ctx(), &v1.CheckPermissionRequest{
		Consistency: atLeast(token), Resource: object("account:t/29"), Permission: "access",
		Subject: &v1.SubjectReference{Object: object("user:t/root")},
	})
	hasCode(t, engine.Fault(err), fault.TooLarge, engine.CodeTooDeep)
}

func TestEmbedded_LooksUpMoreThanOnePage(t *testing.T) {
	const accounts = 1500
	c := withSchema(t, engine.EmbeddedConfig{})
	token := c.write(branch(accounts, 10)...)

	all, _ := c.lookup("member_access", "user:t/root", 0, nil, token)
	var paged []string
	var cursor *v1.Cursor
	for {
		page, next := c.lookup("member_access", "user:t/root", 400, cursor, token)
		if len(page) == 0 {
			break
		}
		paged, cursor = append(paged, page...), next
	}
	slices.Sort(all)
	slices.Sort(paged)
	if n := len(slices.Compact(slices.Clone(all))); n != accounts {
		t.Errorf("the lookup without a limit finds %d accounts, want %d", n, accounts)
	}
	if diff := cmp.Diff(slices.Compact(all), slices.Compact(paged)); diff != "" {
		t.Errorf("the pages differ from the whole (-whole +pages):\n%s", diff)
	}
}

func TestU6_ExpiredRelationshipGrantsNothing(t *testing.T) {
	c := withSchema(t, engine.EmbeddedConfig{Quantum: 50 * time.Millisecond})
	expiry := time.Now().Add(1500 * time.Millisecond)
	c.write("account:t/a#assignment@assignment:t/a/admin", "assignment:t/a/admin#role@role:t/admin")
	token := c.writeRels(
		until(rel("assignment:t/a/admin#member@user:t/soon"), expiry),
		until(rel("assignment:t/a/admin#member@user:t/past"), time.Now().Add(-time.Hour)),
	)
	if c.check("account:t/a", "access", "user:t/past", token) {
		t.Error("a membership that was written after its expiry grants access")
	}
	for c.check("account:t/a", "access", "user:t/soon", token) {
		if time.Since(expiry) > 2*time.Second {
			t.Fatal("an expired membership still grants access two seconds later")
		}
	}
	if early := time.Until(expiry); early > 0 {
		t.Errorf("the membership ended %s before its time", early)
	}
	t.Logf("noticed %s after the expiry", time.Since(expiry))
}

func TestU6_TouchReplacesTheExpiry(t *testing.T) {
	c := withSchema(t, engine.EmbeddedConfig{})
	filter := &v1.RelationshipFilter{ResourceType: "assignment", OptionalResourceIdPrefix: "t/a/"}
	first, second := time.Now().Add(time.Hour).Truncate(time.Second), time.Now().Add(2*time.Hour).Truncate(time.Second)
	for _, want := range []*time.Time{&first, &second, nil, &first} {
		r := rel("assignment:t/a/admin#member@user:t/ada")
		if want != nil {
			r = until(r, *want)
		}
		token := c.writeRels(r)
		found := c.read(filter, token)
		if len(found) != 1 {
			t.Fatalf("%d relationships, want 1", len(found))
		}
		got := found[0].GetRelationship().GetOptionalExpiresAt()
		if (got == nil) != (want == nil) || got != nil && !got.AsTime().Equal(*want) {
			t.Errorf("the expiry is %v, want %v", got.AsTime(), want)
		}
	}
}

func TestEmbedded_ReadsByPrefixAndTellsTheRevision(t *testing.T) {
	c := withSchema(t, engine.EmbeddedConfig{})
	token := c.write("account:one/a#environment@environment:one", "account:one/b#environment@environment:one", "account:other/a#environment@environment:other")
	found := c.read(&v1.RelationshipFilter{ResourceType: "account", OptionalResourceIdPrefix: "one/"}, token)
	if len(found) != 2 {
		t.Fatalf("the prefix one/ finds %d accounts, want 2", len(found))
	}
	for _, answer := range found {
		if answer.GetReadAt().GetToken() == "" {
			t.Error("an answer without a token")
		}
	}
	// The token of a read serves as the freshness of another call.
	if c.check("account:one/a", "access", "user:one/ada", found[0].GetReadAt()) {
		t.Error("a stranger has access")
	}
}

func TestEmbedded_PreconditionsHold(t *testing.T) {
	c := withSchema(t, engine.EmbeddedConfig{})
	c.write("environment:t#applied@version:t/7")
	move := func(from, to int) error {
		at := func(n int) *v1.Relationship { return rel(fmt.Sprintf("environment:t#applied@version:t/%d", n)) }
		_, err := c.permissions.WriteRelationships(c.ctx(), &v1.WriteRelationshipsRequest{
			OptionalPreconditions: []*v1.Precondition{{
				Operation: v1.Precondition_OPERATION_MUST_MATCH,
				Filter: &v1.RelationshipFilter{
					ResourceType: "environment", OptionalResourceId: "t", OptionalRelation: "applied",
					OptionalSubjectFilter: &v1.SubjectFilter{SubjectType: "version", OptionalSubjectId: fmt.Sprintf("t/%d", from)},
				},
			}},
			Updates: append(touch(at(to)), &v1.RelationshipUpdate{Operation: v1.RelationshipUpdate_OPERATION_DELETE, Relationship: at(from)}),
		})
		return err
	}
	if err := move(7, 8); err != nil {
		t.Fatal(err)
	}
	err := move(7, 9)
	hasCode(t, engine.Fault(err), fault.Conflict, engine.CodePrecondition)

	st, ok := status.FromError(engine.Fault(err))
	if !ok || st.Code() != codes.FailedPrecondition {
		t.Fatalf("the status behind the fault is %v, want FailedPrecondition", st)
	}
	var info *errdetails.ErrorInfo
	for _, d := range st.Details() {
		info, _ = d.(*errdetails.ErrorInfo)
	}
	want := map[string]string{
		"precondition_operation":     "OPERATION_MUST_MATCH",
		"precondition_resource_type": "environment",
		"precondition_resource_id":   "t",
		"precondition_relation":      "applied",
		"precondition_subject_type":  "version",
		"precondition_subject_id":    "t/7",
	}
	if diff := cmp.Diff(want, info.GetMetadata()); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	if len(c.read(&v1.RelationshipFilter{ResourceType: "environment", OptionalResourceId: "t", OptionalRelation: "applied"}, newest(c))) != 1 {
		t.Error("the failed write has left a trace")
	}
}

// newest is the token of the newest content: that of a write which changes nothing.
func newest(c client) *v1.ZedToken {
	return c.write("environment:elsewhere#applied@version:elsewhere/1")
}

func TestEmbedded_ConcurrentWritersLoseNothing(t *testing.T) {
	const writers, each = 32, 25
	c := newClient(t, embedded(t, engine.EmbeddedConfig{})) // in memory, where SpiceDB needs our help for it
	c.applyBuilt()
	ctx := c.ctx()
	var wg sync.WaitGroup
	errs := make(chan error, writers*each)
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				name := fmt.Sprintf("account:t/%d-%d", w, i)
				answer, err := c.permissions.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: touch(rel(name + "#environment@environment:t"))})
				if err != nil {
					errs <- err
					return
				}
				stream, err := c.permissions.ReadRelationships(ctx, &v1.ReadRelationshipsRequest{
					Consistency:        atLeast(answer.GetWrittenAt()),
					RelationshipFilter: &v1.RelationshipFilter{ResourceType: "account", OptionalResourceId: strings.TrimPrefix(name, "account:")},
				})
				if err == nil {
					_, err = stream.Recv()
				}
				if err != nil {
					errs <- fmt.Errorf("%s, read with the token of its own write: %w", name, err)
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if got := len(c.read(&v1.RelationshipFilter{ResourceType: "account"}, newest(c))); got != writers*each {
		t.Errorf("%d of %d acknowledged writes are there", got, writers*each)
	}
}
