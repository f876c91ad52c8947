package engine_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
)

// has reports whether an account has a relationship, as of now.
func (c client) has(account string) bool {
	c.Helper()
	stream, err := c.permissions.ReadRelationships(c.ctx(), &v1.ReadRelationshipsRequest{
		Consistency:        &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		RelationshipFilter: &v1.RelationshipFilter{ResourceType: "account", OptionalResourceId: account},
	})
	if err != nil {
		c.Fatal(engine.Fault(err))
	}
	_, err = stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		c.Fatal(engine.Fault(err))
	}
	return err == nil
}

func TestEmbedded_AFileIsKeptAndKeepsItsName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "engine.db")
	var names []string
	for round := range 3 {
		e, err := engine.Embedded(within(t, time.Minute), engine.EmbeddedConfig{File: file})
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(t, e)
		c.applyBuilt()
		if got := c.has("t/a"); got != (round > 0) || !e.Durable() {
			t.Errorf("round %d: the relationship is there: %t; durable: %t", round, got, e.Durable())
		}
		c.write("account:t/a#environment@environment:t")
		names = append(names, e.Name())
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	if names[0] != names[1] || names[1] != names[2] || !strings.HasPrefix(names[0], "embedded-") {
		t.Errorf("the names are %q", names)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestEmbedded_AFileHasOneWriterAndFollowers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine.db")
	_, err := engine.Embedded(within(t, time.Minute), engine.EmbeddedConfig{File: file, ReadOnly: true})
	hasCode(t, err, fault.NotFound, engine.CodeMissing)
	if err := engine.InUse(file); err != nil {
		t.Errorf("before: %v", err)
	}

	writer := embedded(t, engine.EmbeddedConfig{File: file})
	w := newClient(t, writer)
	w.applyBuilt()
	hasCode(t, engine.InUse(file), fault.Conflict, engine.CodeInUse)
	_, err = engine.Embedded(within(t, time.Minute), engine.EmbeddedConfig{File: file})
	hasCode(t, err, fault.Conflict, engine.CodeInUse)

	reader := embedded(t, engine.EmbeddedConfig{File: file, ReadOnly: true})
	r := newClient(t, reader)
	if reader.Name() != writer.Name() || !reader.Durable() {
		t.Errorf("the reader is named %s, the writer %s", reader.Name(), writer.Name())
	}
	for i := range 20 {
		token := w.write("account:t/a" + string(rune('a'+i)) + "#environment@environment:t")
		if !r.has("t/a" + string(rune('a'+i))) {
			t.Fatalf("the reader does not see write %d", i)
		}
		if r.check("account:t/aa", "access", "user:t/nobody", token) { // the token is one of the reader's as well
			t.Error("a stranger has access")
		}
	}
	_, err = r.permissions.WriteRelationships(r.ctx(), &v1.WriteRelationshipsRequest{Updates: touch(rel("account:t/no#environment@environment:t"))})
	if err == nil {
		t.Error("the reader writes")
	}
	if w.has("t/no") {
		t.Error("the reader has written")
	}
}

func TestBackup_IsRestoredUnderTheSameName(t *testing.T) {
	dir := t.TempDir()
	file, backup, restored := filepath.Join(dir, "engine.db"), filepath.Join(dir, "backup.db"), filepath.Join(dir, "restored.db")
	hasCode(t, engine.Backup(t.Context(), file, backup, nil), fault.NotFound, engine.CodeMissing)
	e := embedded(t, engine.EmbeddedConfig{File: file})
	c := newClient(t, e)
	c.applyBuilt()
	c.write("account:t/a#environment@environment:t")
	last := 0
	if err := engine.Backup(t.Context(), file, backup, func(done, total int) { last = total - done }); err != nil || last != 0 {
		t.Fatalf("%d pages are left: %v", last, err)
	}
	if err := engine.Backup(t.Context(), file, backup, nil); err == nil {
		t.Error("a backup is written over")
	}
	after := c.write("account:t/b#environment@environment:t")
	if err := engine.Restore(t.Context(), backup, restored); err != nil {
		t.Fatal(err)
	}
	r := embedded(t, engine.EmbeddedConfig{File: restored})
	rc := newClient(t, r)
	if r.Name() != e.Name() || !rc.has("t/a") || rc.has("t/b") {
		t.Errorf("restored as %s, not %s; with a: %t, with b: %t", r.Name(), e.Name(), rc.has("t/a"), rc.has("t/b"))
	}
	rc.write("account:t/c#environment@environment:t")
	_, err := rc.permissions.CheckPermission(rc.ctx(), &v1.CheckPermissionRequest{
		Consistency: &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: after}},
		Resource:    object("account:t/c"), Permission: "access", Subject: &v1.SubjectReference{Object: object("user:t/ada")},
	})
	hasCode(t, engine.Fault(err), fault.Conflict, engine.CodeExpired)
}

func TestEmbedded_AFileThatIsNoEngineIsLeftAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine.db")
	text := strings.Repeat("this is no engine. ", 1000)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := engine.Embedded(within(t, time.Minute), engine.EmbeddedConfig{File: file})
	hasCode(t, err, fault.NotFound, engine.CodeMissing)
	hasCode(t, engine.Backup(t.Context(), file, file+".copy", nil), fault.NotFound, engine.CodeMissing)
	if err := engine.Restore(t.Context(), file, file+".restored"); err == nil || errors.Is(err, fault.Unavailable) {
		t.Errorf("restored from it: %v", err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != text {
		t.Errorf("the file was changed: %v", err)
	}
}
