package app_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/store"
)

const (
	documents = `definition document {
	relation account: account
	relation reader: user
	relation writer: user
	permission view = reader + writer
}
`
	documentsRead = `definition document {
	relation account: account
	relation reader: user
	permission view = reader
}
`
)

// with is a deployment with definitions of an application's.
func with(t *testing.T, cfg app.Config, definitions string) app.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.zed")
	if err := os.WriteFile(path, []byte(definitions), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Definitions, cfg.Log = []string{path}, quiet()
	return cfg
}

// applySchema applies a schema, and returns what was shown.
func applySchema(t *testing.T, cfg app.Config, opts app.SchemaOptions) (app.SchemaPlanned, app.SchemaApplied, error) {
	t.Helper()
	var shown app.SchemaPlanned
	opts.Show = func(p app.SchemaPlanned) error { shown = p; return nil }
	opts.Progress = func(string, int, int) {}
	done, err := app.ApplySchema(t.Context(), cfg, opts)
	return shown, done, err
}

// documentsOf writes relationships of documents of several environments.
func documentsOf(t *testing.T, a *app.App, relation string, envs ...string) {
	t.Helper()
	var updates []*v1.RelationshipUpdate
	for _, env := range envs {
		updates = append(updates, &v1.RelationshipUpdate{Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: "document", ObjectId: env + "/1"}, Relation: relation,
			Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: env + "/ada"}},
		}})
	}
	if _, err := v1.NewPermissionsServiceClient(a.Engine.Conn()).WriteRelationships(t.Context(), &v1.WriteRelationshipsRequest{Updates: updates}); err != nil {
		t.Fatal(err)
	}
}

// schemaLog returns the log, the first change first, in short.
func schemaLog(t *testing.T, cfg app.Config) []string {
	t.Helper()
	a, err := app.OpenDirectory(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := a.SchemaLog(t.Context(), 0, 100)
	if err := errors.Join(err, a.Close()); err != nil {
		t.Fatal(err)
	}
	var out []string
	var after *store.SchemaChange
	for i, c := range changes {
		if after != nil && after.FromDigest != c.ToDigest && c.Outcome == "applied" {
			t.Errorf("change %d is from %s, and the one before to %s", after.ID, after.FromDigest, c.ToDigest)
		}
		after = &changes[i]
		out = append([]string{fmt.Sprintf("%s: %s, %d deleted", c.Cause, c.Outcome, c.Deleted)}, out...)
	}
	return out
}

// runningSchema returns the engine's schema.
func runningSchema(t *testing.T, cfg app.Config) (text string) {
	t.Helper()
	err := app.DeployedSchema(t.Context(), cfg, func(s string, _ func(*diff.Result) error) error { text = s; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestApplySchema_OnlyWhatLosesNothing: a dry run changes nothing; what would orphan
// relationships, of whatever environment, is refused until it is said that they shall go.
func TestApplySchema_OnlyWhatLosesNothing(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			first := with(t, s.make(t), documents)
			second := with(t, first, documentsRead)
			opened(t, first, func(a *app.App) {
				if err := a.Prepared(t.Context()); err != nil {
					t.Fatal(err)
				}
				documentsOf(t, a, "writer", "prod", "dev")
				documentsOf(t, a, "reader", "prod")
			})
			for _, dry := range []bool{true, false} {
				shown, _, err := applySchema(t, second, app.SchemaOptions{DryRun: dry})
				if !fault.HasCode(err, app.CodeSchemaWouldOrphan) || !strings.Contains(err.Error(), "2 live relationships") || !strings.Contains(err.Error(), "--delete-orphans") {
					t.Fatalf("dry %t: %v", dry, err)
				}
				if shown.Same || shown.First || shown.Diff.Breaking() != 2 {
					t.Errorf("dry %t: %+v", dry, shown)
				}
			}
			second.ApplySchema = true // a start does not lose them either
			if _, err := app.Open(t.Context(), second); !fault.HasCode(err, app.CodeSchemaWouldOrphan) {
				t.Errorf("serve --apply-schema: %v", err)
			}
			if _, _, err := applySchema(t, second, app.SchemaOptions{DryRun: true, DeleteOrphans: true}); err != nil {
				t.Error(err)
			}
			if !strings.Contains(runningSchema(t, second), "writer") {
				t.Fatal("the schema was changed")
			}
			_, done, err := applySchema(t, second, app.SchemaOptions{DeleteOrphans: true})
			if err != nil || done.Deleted != 2 {
				t.Fatalf("%+v %v", done, err)
			}
			if shown, done, err := applySchema(t, second, app.SchemaOptions{}); err != nil || !shown.Same || done.Record != 0 {
				t.Errorf("again: %+v %+v %v", shown, done, err)
			}
			second.ApplySchema = false
			opened(t, second, func(a *app.App) {
				left, err := engine.CountOrphans(t.Context(), a.Engine.Conn(), diff.Removal{Definition: "document"}, "", 10)
				if err != nil || left.Count != 1 {
					t.Errorf("left: %+v %v", left, err)
				}
			})
			want := "serve, the first: applied, 0 deleted; schema apply: applied, 2 deleted"
			if got := strings.Join(schemaLog(t, second), "; "); got != want {
				t.Errorf("the log: %s, want %s", got, want)
			}
		})
	}
}

// TestServe_ChangesNoSchemaBySurprise: a SpiceDB elsewhere keeps its schema whatever differs; the embedded one takes
// what adds, and what takes access from nobody; both are written down.
func TestServe_ChangesNoSchemaBySurprise(t *testing.T) {
	cases := []struct {
		name, old, now string
		alone          bool // whether the embedded engine takes it by itself
	}{
		{"addition", documentsRead, documentsRead + "definition folder {}\n", true},
		{"wider permission", strings.Replace(documents, "reader + writer", "reader", 1), documents, true},
		{"narrower permission", documents, strings.Replace(documents, "reader + writer", "reader", 1), false},
		{"removal", documents, documentsRead, false},
	}
	for _, s := range shapes(t) {
		for _, tc := range cases {
			t.Run(s.name+"/"+tc.name, func(t *testing.T) {
				cfg := with(t, s.make(t), tc.old)
				opened(t, cfg, func(a *app.App) {
					if err := a.Prepared(t.Context()); err != nil {
						t.Fatal(err)
					}
				})
				was, now := runningSchema(t, cfg), with(t, cfg, tc.now)
				if tc.alone && cfg.Embedded() {
					opened(t, now, func(*app.App) {})
					if got := strings.Join(schemaLog(t, cfg), "; "); got != "serve, the first: applied, 0 deleted; serve, an addition: applied, 0 deleted" {
						t.Errorf("the log: %s", got)
					}
					return
				}
				_, err := app.Open(t.Context(), now)
				if !fault.HasCode(err, engine.CodeSchemaDiffers) || !strings.Contains(err.Error(), "tenantry schema apply") {
					t.Fatalf("%v", err)
				}
				if got := runningSchema(t, cfg); got != was {
					t.Error("the schema was changed")
				}
				if got := schemaLog(t, cfg); len(got) != 1 {
					t.Errorf("the log: %v", got)
				}
				if _, _, err := applySchema(t, now, app.SchemaOptions{}); err != nil {
					t.Fatal(err)
				}
				opened(t, now, func(*app.App) {})
			})
		}
	}
}

// TestApplySchema_KeepsWhatIsTenantrys: a catalogue that lacks a permission takes it away only
// when that is said, and never as long as a role has it.
func TestApplySchema_KeepsWhatIsTenantrys(t *testing.T) {
	cfg := oneMachine.make(t)
	path := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(path, []byte("permissions:\n  - {key: docs.read, relation: read_documents, description: Read documents.}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	more := cfg
	more.Permissions = []string{path}
	t.Run("held", func(t *testing.T) {
		s := start(t, more)
		prepare(t, s.App)
		op := s.client("prod", "op", false, account.PortalAdmin)
		op.must("POST", "/v1/roles", obj{"key": "reader", "permissions": []string{"docs.read"}})
	})
	opts := app.SchemaOptions{DeleteOrphans: true}
	if _, _, err := applySchema(t, cfg, opts); !fault.HasCode(err, app.CodeSchemaManaged) {
		t.Errorf("not told: %v", err)
	}
	opts.RemoveManaged = true
	_, _, err := applySchema(t, cfg, opts)
	if !fault.HasCode(err, app.CodeSchemaWouldOrphan) || !strings.Contains(err.Error(), "role#read_documents") {
		t.Errorf("held by a role: %v", err)
	}
	t.Run("given back", func(t *testing.T) {
		s := start(t, more)
		s.client("prod", "op2", false, account.PortalAdmin).must("DELETE", "/v1/roles/reader", nil)
	})
	if _, _, err := applySchema(t, cfg, app.SchemaOptions{}); !fault.HasCode(err, app.CodeSchemaManaged) {
		t.Errorf("not told: %v", err)
	}
	if _, _, err := applySchema(t, cfg, opts); err != nil {
		t.Error(err)
	}
	if strings.Contains(runningSchema(t, cfg), "read_documents") {
		t.Error("it is there still")
	}
}

// TestApplySchema_NotUnderAServer: the embedded engine belongs to the server; a dry run may look.
func TestApplySchema_NotUnderAServer(t *testing.T) {
	first := with(t, oneMachine.make(t), documents)
	second := with(t, first, documentsRead)
	opened(t, first, func(*app.App) {
		if _, _, err := applySchema(t, second, app.SchemaOptions{}); !fault.HasCode(err, engine.CodeInUse) {
			t.Errorf("beside a server: %v", err)
		}
		shown, _, err := applySchema(t, second, app.SchemaOptions{DryRun: true})
		if err != nil || shown.Diff.Breaking() != 2 {
			t.Errorf("a dry run: %+v %v", shown, err)
		}
	})
}
