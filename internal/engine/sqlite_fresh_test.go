package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/zedtoken"
	"golang.org/x/sync/errgroup"

	"github.com/tenantry/tenantry/internal/engine"
)

const freshWriters = 64

// TestFile_EveryoneReadsTheirOwnWrites has 64 writers grant and revoke, and each look at once
// whether its write is in force: at least as fresh as its token, and exactly at it. Afterwards a
// watch from the start tells of exactly these writes, in the order of their revisions, each once.
func TestFile_EveryoneReadsTheirOwnWrites(t *testing.T) {
	c := withSchema(t, engine.EmbeddedConfig{File: filepath.Join(t.TempDir(), "engine.db")})
	before := c.write("account:t/start#environment@environment:t")
	acked := &acknowledged{by: map[int64]write{}}
	began := time.Now()
	all, ctx := errgroup.WithContext(within(t, 10*time.Minute))
	for w := range freshWriters {
		all.Go(func() error {
			for i := w; i < freshWrites/2; i += freshWriters {
				if err := c.grantAndRevoke(ctx, acked, i); err != nil {
					return fmt.Errorf("writer %d: %w", w, err)
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if acked.misses > 0 {
		t.Errorf("%d misses", acked.misses)
	}
	if len(acked.by) != freshWrites {
		t.Errorf("%d writes have revisions of their own, %d were acknowledged", len(acked.by), freshWrites)
	}
	t.Logf("%d writes, each looked at in 4 ways, in %s: %d misses", freshWrites, time.Since(began).Round(time.Millisecond), acked.misses)
	c.watchFrom(before, acked)
}

// write is one that was acknowledged.
type write struct {
	account int
	grant   bool
}

// acknowledged are the writes, by revision.
type acknowledged struct {
	mu     sync.Mutex
	by     map[int64]write
	misses int
}

func (a *acknowledged) add(tb testing.TB, token *v1.ZedToken, w write) {
	tb.Helper()
	at := revision(tb, token)
	a.mu.Lock()
	defer a.mu.Unlock()
	if other, taken := a.by[at]; taken {
		tb.Errorf("revision %d is that of %v and of %v", at, other, w)
	}
	a.by[at] = w
}

func (a *acknowledged) miss() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.misses++
}

// revision is the number in a token of the embedded engine.
func revision(tb testing.TB, token *v1.ZedToken) int64 {
	tb.Helper()
	decoded, err := zedtoken.Decode(token)
	if err != nil {
		tb.Error(err)
		return 0
	}
	n, err := strconv.ParseInt(decoded.GetV1().GetRevision(), 10, 64)
	if err != nil {
		tb.Error(err)
	}
	return n
}

func granted(i int) (account string, rels []string) {
	account, assignment := fmt.Sprintf("account:t/%d", i), fmt.Sprintf("assignment:t/%d/admin", i)
	return account, []string{account + "#assignment@" + assignment, assignment + "#member@user:t/ada"}
}

// grantAndRevoke makes an account with a member, looks, takes the membership away, and looks again.
func (c client) grantAndRevoke(ctx context.Context, acked *acknowledged, i int) error {
	account, rels := granted(i)
	wrote, err := c.permissions.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: touch(rel(rels[0]), rel(rels[1]))})
	if err != nil {
		return err
	}
	grant := wrote.GetWrittenAt()
	acked.add(c, grant, write{i, true})
	if err := c.look(ctx, acked, account, true, atLeast(grant), exactly(grant)); err != nil {
		return err
	}
	wrote, err = c.permissions.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{
		{Operation: v1.RelationshipUpdate_OPERATION_DELETE, Relationship: rel(rels[1])},
	}})
	if err != nil {
		return err
	}
	acked.add(c, wrote.GetWrittenAt(), write{i, false})
	if err := c.look(ctx, acked, account, false, atLeast(wrote.GetWrittenAt()), exactly(wrote.GetWrittenAt())); err != nil {
		return err
	}
	if i%10 != 0 {
		return nil
	}
	return c.look(ctx, acked, account, true, exactly(grant)) // the past has not changed
}

func exactly(token *v1.ZedToken) *v1.Consistency {
	return &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: token}}
}

// look asks by a check and by a read whether ada is a member of an account, as of each of these.
func (c client) look(ctx context.Context, acked *acknowledged, account string, want bool, as ...*v1.Consistency) error {
	for _, consistency := range as {
		answer, err := c.permissions.CheckPermission(ctx, &v1.CheckPermissionRequest{
			Consistency: consistency, Resource: object(account), Permission: "member_access",
			Subject: &v1.SubjectReference{Object: object("user:t/ada")},
		})
		if err != nil {
			return err
		}
		if got := answer.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION; got != want {
			acked.miss()
			c.Errorf("%s: the check says %t, want %t (%v)", account, got, want, consistency)
		}
		rels, err := c.members(ctx, account, consistency)
		if err != nil {
			return err
		}
		if (rels == 1) != want {
			acked.miss()
			c.Errorf("%s: the read finds %d members, want one: %t (%v)", account, rels, want, consistency)
		}
	}
	return nil
}

func (c client) members(ctx context.Context, account string, consistency *v1.Consistency) (n int, err error) {
	stream, err := c.permissions.ReadRelationships(ctx, &v1.ReadRelationshipsRequest{
		Consistency: consistency, RelationshipFilter: &v1.RelationshipFilter{
			ResourceType: "assignment", OptionalResourceId: object(account).GetObjectId() + "/admin", OptionalRelation: "member",
		},
	})
	for err == nil {
		if _, err = stream.Recv(); err == nil {
			n++
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// watchFrom expects a watch from a token on to tell of exactly the acknowledged writes.
func (c client) watchFrom(token *v1.ZedToken, acked *acknowledged) {
	c.Helper()
	stream, err := v1.NewWatchServiceClient(c.conn).Watch(within(c, 2*time.Minute), &v1.WatchRequest{OptionalStartCursor: token})
	if err != nil {
		c.Fatal(err)
	}
	last := revision(c, token)
	for told := range len(acked.by) {
		answer, err := stream.Recv()
		if err != nil {
			c.Fatalf("the watch ends after %d of %d writes: %v", told, len(acked.by), err)
		}
		at := revision(c, answer.GetChangesThrough())
		w, known := acked.by[at]
		switch {
		case at <= last:
			c.Fatalf("the watch tells of revision %d after %d", at, last)
		case !known:
			c.Fatalf("the watch tells of revision %d, which nobody wrote: %v", at, answer)
		}
		last = at
		_, rels := granted(w.account)
		want, operation := map[string]bool{rels[1]: true}, v1.RelationshipUpdate_OPERATION_DELETE
		if w.grant {
			want[rels[0]], operation = true, v1.RelationshipUpdate_OPERATION_TOUCH
		}
		if len(answer.GetUpdates()) != len(want) {
			c.Fatalf("the watch tells of %d updates at revision %d, want %d", len(answer.GetUpdates()), at, len(want))
		}
		for _, u := range answer.GetUpdates() {
			r := u.GetRelationship()
			text := fmt.Sprintf("%s:%s#%s@%s:%s", r.GetResource().GetObjectType(), r.GetResource().GetObjectId(), r.GetRelation(),
				r.GetSubject().GetObject().GetObjectType(), r.GetSubject().GetObject().GetObjectId())
			if !want[text] || u.GetOperation() != operation {
				c.Fatalf("the watch tells of %s %s at revision %d, want %s of %v", u.GetOperation(), text, at, operation, want)
			}
		}
	}
	// And nothing follows: the next that it tells of is written now.
	marker := c.write("account:t/end#environment@environment:t")
	if answer, err := stream.Recv(); err != nil || revision(c, answer.GetChangesThrough()) != revision(c, marker) {
		c.Errorf("after the last write the watch tells of %v (%v)", answer, err)
	}
}
