package engine_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
)

// TestFile_AFullDiskIsToldAsSuch writes through SpiceDB's API until there is no room: the refusal
// has a code and a text of its own, all that was acknowledged is in force, and with room the
// engine goes on.
func TestFile_AFullDiskIsToldAsSuch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine.db")
	e, err := engine.Embedded(within(t, time.Minute), engine.EmbeddedConfig{File: file, MaxPages: 300})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, e)
	c.applyBuilt()
	var token *v1.ZedToken
	written := 0
	for ; err == nil; written++ {
		var answer *v1.WriteRelationshipsResponse
		answer, err = c.permissions.WriteRelationships(c.ctx(), &v1.WriteRelationshipsRequest{Updates: chain(written)})
		if err == nil {
			token = answer.GetWrittenAt()
		}
	}
	written--
	if written < 5 {
		t.Fatalf("only %d writes: %v", written, err)
	}
	if code := status.Code(err); code != codes.ResourceExhausted {
		t.Errorf("the refusal has the code %s, want ResourceExhausted (%v)", code, err)
	}
	hasCode(t, engine.Fault(err), fault.Unavailable, engine.CodeFull)
	if errors.Is(engine.Fault(err), fault.TooLarge) {
		t.Error("the refusal is that of a request that is too large")
	}

	inForce := func(c client) {
		t.Helper()
		if !c.check(fmt.Sprintf("account:t/%d-99", written-1), "access", "user:t/ada", token) {
			t.Error("the last acknowledged write is not in force")
		}
		if c.check(fmt.Sprintf("account:t/%d-99", written), "access", "user:t/ada", token) {
			t.Error("the refused write is in force")
		}
		if ids, _ := c.lookup("access", "user:t/ada", 0, nil, token); len(ids) != written*100 {
			t.Errorf("ada may open %d accounts, want %d", len(ids), written*100)
		}
	}
	inForce(c)
	if err := e.Ready(c.ctx()); err != nil {
		t.Errorf("a full engine that can be read calls itself not ready: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	c = newClient(t, embedded(t, engine.EmbeddedConfig{File: file}))
	inForce(c)
	if _, err := c.permissions.WriteRelationships(c.ctx(), &v1.WriteRelationshipsRequest{Updates: chain(written)}); err != nil {
		t.Errorf("with room, the refused write fails again: %v", err)
	}
}

// chain makes ada a member of 100 accounts.
func chain(i int) []*v1.RelationshipUpdate {
	var rels []*v1.Relationship
	for n := range 100 {
		id := fmt.Sprintf("t/%d-%d", i, n)
		rels = append(rels, rel("account:"+id+"#assignment@assignment:"+id+"/admin"), rel("assignment:"+id+"/admin#member@user:t/ada"))
	}
	return touch(rels...)
}
