package app

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/store"
)

const (
	oldSchema = `definition user {}
definition document {
	relation reader: user
	relation writer: user
	permission view = reader + writer
}`
	newSchema = `definition user {}
definition document {
	relation reader: user
	permission view = reader
}`
)

// broken is a journal that fails, or does something else first, at each of its steps.
type broken struct {
	*store.DB
	begin, note, end func() error
}

func (b broken) BeginSchemaChange(ctx context.Context, c store.SchemaChange) (int64, error) {
	if err := b.begin(); err != nil {
		return 0, err
	}
	return b.DB.BeginSchemaChange(ctx, c)
}

func (b broken) NoteDeleted(ctx context.Context, id int64, n int) error {
	return errors.Join(b.DB.NoteDeleted(ctx, id, n), b.note())
}

func (b broken) EndSchemaChange(ctx context.Context, id int64, outcome string, n int) error {
	if err := b.end(); err != nil {
		return err
	}
	return b.DB.EndSchemaChange(ctx, id, outcome, n)
}

// TestKeeper_WhateverBreaksIsVisible: where a change is broken off, the record shows it, the schema is one or the
// other, and the next one finds out which and goes on.
func TestKeeper_WhateverBreaksIsVisible(t *testing.T) {
	down := fault.New(fault.Unavailable, "database_unavailable", "the database has gone")
	fine := func() error { return nil }
	cases := []struct {
		name             string
		begin, note, end func(*engine.Engine) error
		data             bool // there are relationships to delete
		code             string
		record, settled  string // outcomes; "none" if there is no record
		written          bool
	}{
		{name: "nothing", record: "applied", settled: "applied", written: true},
		{name: "nothing, with orphans", data: true, record: "applied", settled: "applied", written: true},
		{name: "before the record", begin: func(*engine.Engine) error { return down }, data: true, code: "database_unavailable", record: "none", settled: "none"},
		{name: "while deleting", note: func(*engine.Engine) error { return down }, data: true, code: "database_unavailable", record: "", settled: "not applied"},
		{name: "after the schema", end: func(*engine.Engine) error { return down }, code: "database_unavailable", record: "", settled: "applied, found", written: true},
		{name: "somebody else's schema", begin: func(e *engine.Engine) error {
			_, err := engine.ApplySchema(t.Context(), e.Conn(), oldSchema+"\ndefinition other {}", engine.Apply)
			return err
		}, code: engine.CodeSchemaChanged, record: "refused", settled: "refused"},
		{name: "somebody else's relationship", begin: func(e *engine.Engine) error { return write(t, e) }, code: engine.CodeSchemaInUse, record: "refused", settled: "refused"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			e, err := engine.Embedded(t.Context(), engine.EmbeddedConfig{File: filepath.Join(t.TempDir(), "engine.db")})
			if err != nil {
				t.Fatal(err)
			}
			db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "directory.db"), store.Config{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := errors.Join(e.Close(), db.Close()); err != nil {
					t.Error(err)
				}
			})
			if _, err := engine.ApplySchema(t.Context(), e.Conn(), oldSchema, engine.Refuse); err != nil {
				t.Fatal(err)
			}
			if tc.data {
				if err := write(t, e); err != nil {
					t.Fatal(err)
				}
			}
			step := func(do func(*engine.Engine) error) func() error {
				if do == nil {
					return fine
				}
				return func() error { return do(e) }
			}
			k := newKeeper(broken{db, step(tc.begin), step(tc.note), step(tc.end)}, e, Config{Log: slog.New(slog.DiscardHandler)})
			p, err := k.plan(t.Context(), newSchema)
			if err != nil {
				t.Fatal(err)
			}
			opts := SchemaOptions{DeleteOrphans: true, Actor: "ada", Progress: func(string, int, int) {}}
			if _, err = k.carryOut(t.Context(), p, "test", opts); tc.code == "" && err != nil || tc.code != "" && !fault.HasCode(err, tc.code) {
				t.Fatalf("got %v, want %q", err, tc.code)
			}
			text, err := engine.Schema(t.Context(), e.Conn())
			if err != nil || strings.Contains(text, "writer") == tc.written {
				t.Errorf("written %t: %s %v", tc.written, text, err)
			}
			k.journal = db
			for _, want := range []string{tc.record, tc.settled} {
				changes, err := db.SchemaChanges(t.Context(), 0, 10)
				got := "none"
				if len(changes) > 0 {
					got = changes[0].Outcome
				}
				if err != nil || got != want {
					t.Errorf("the record says %q (%v), want %q", got, err, want)
				}
				if tc.data && len(changes) > 0 && changes[0].Deleted != 1 {
					t.Errorf("the record says that %d were deleted", changes[0].Deleted)
				}
				if err := k.settle(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if p, err = k.plan(t.Context(), newSchema); err != nil || p.Needed() == tc.written {
				t.Fatalf("needed %t: %v", p.Needed(), err)
			}
			if p.Needed() {
				if _, err := k.carryOut(t.Context(), p, "test", opts); err != nil {
					t.Errorf("again: %v", err)
				}
			}
		})
	}
}

// write writes a relationship that the new schema has no place for.
func write(t *testing.T, e *engine.Engine) error {
	t.Helper()
	_, err := v1.NewPermissionsServiceClient(e.Conn()).WriteRelationships(t.Context(), &v1.WriteRelationshipsRequest{
		Updates: []*v1.RelationshipUpdate{{Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: "document", ObjectId: "prod/1"}, Relation: "writer",
			Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: "prod/ada"}},
		}}},
	})
	return err
}
