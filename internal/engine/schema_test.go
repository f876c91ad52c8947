package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

const small = `use expiration
definition user {}
// what people write
definition document {
	relation reader: user
	relation writer: user with expiration
	permission read = reader + writer
}`

func apply(t *testing.T, c client, text string, mode engine.SchemaMode) (engine.SchemaChange, error) {
	t.Helper()
	return engine.ApplySchema(c.ctx(), c.conn, text, mode)
}

func TestApplySchema_WritesOnceAndThenLeavesItAlone(t *testing.T) {
	c := newClient(t, embedded(t, engine.EmbeddedConfig{}))
	for i, want := range []engine.SchemaChange{{Written: true}, {}, {}} {
		got, err := apply(t, c, schema.Built(), engine.SchemaMode(i%2))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("call %d (-want +got):\n%s", i+1, diff)
		}
	}
}

func TestApplySchema_TellsDifferencesOfMeaning(t *testing.T) {
	cases := []struct {
		name string
		text string
		want []string
	}{
		{"comments", strings.Replace(small, "what people write", "anything", 1), nil},
		{"order", `use expiration
			definition document {
				permission read = reader + writer
				relation writer: user with expiration
				relation reader: user
			}
			definition user {}`, nil},
		{"definition", small + "\ndefinition team {}", []string{"adds definition team"}},
		{"permission", strings.Replace(small, "reader + writer", "reader & writer", 1), []string{"changes permission document#read"}},
		{"relation", strings.Replace(small, "relation reader", "relation guest: user:* | document#reader\nrelation reader", 1), []string{"adds relation document#guest"}},
		{"expiration", strings.Replace(small, "user with expiration", "user", 1), []string{
			"adds a type of subject to relation document#writer: user",
			"removes a type of subject from relation document#writer: user",
		}},
		{"several", `definition user {}
			caveat soon(left int) {
				left < 5
			}
			definition document {
				relation reader: user with soon | user:*
			}`, []string{
			"adds a type of subject to relation document#reader: user with soon",
			"adds a type of subject to relation document#reader: user:*",
			"adds caveat soon",
			"removes a type of subject from relation document#reader: user",
			"removes permission document#read",
			"removes relation document#writer",
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(t, embedded(t, engine.EmbeddedConfig{}))
			if _, err := apply(t, c, small, engine.Refuse); err != nil {
				t.Fatal(err)
			}
			_, err := apply(t, c, tc.text, engine.Refuse)
			if len(tc.want) == 0 && err != nil {
				t.Fatalf("refused: %v", err)
			}
			if len(tc.want) > 0 {
				hasCode(t, err, fault.Conflict, engine.CodeSchemaDiffers)
				for _, s := range append(tc.want, "--apply-schema") {
					if !strings.Contains(err.Error(), s) {
						t.Errorf("the fault does not say %q: %v", s, err)
					}
				}
			}
			for i, want := range []engine.SchemaChange{{Written: len(tc.want) > 0, Differences: tc.want}, {}} {
				got, err := apply(t, c, tc.text, engine.Apply)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("applied %d times (-want +got):\n%s", i+1, diff)
				}
			}
		})
	}
}

// TestApplySchema_ExtendTakesNothingAway: what is added is applied, what would be removed is refused.
func TestApplySchema_ExtendTakesNothingAway(t *testing.T) {
	c := newClient(t, embedded(t, engine.EmbeddedConfig{}))
	larger := small + "\ndefinition folder {}\n"
	for i, text := range []string{small, larger, larger} {
		change, err := apply(t, c, text, engine.Extend)
		if err != nil || change.Written != (i < 2) {
			t.Fatalf("round %d: %+v %v", i, change, err)
		}
	}
	_, err := apply(t, c, small, engine.Extend)
	hasCode(t, err, fault.Conflict, engine.CodeSchemaDiffers)
	if change, err := apply(t, c, larger, engine.Refuse); err != nil || change.Written {
		t.Errorf("the schema was not left as it is: %+v %v", change, err)
	}
}

func TestApplySchema_RefusesWhatDoesNotCompile(t *testing.T) {
	for name, text := range map[string]string{
		"syntax": "definition user {",
		"names":  "definition document {\nrelation reader: nobody\n}",
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, embedded(t, engine.EmbeddedConfig{}))
			_, err := apply(t, c, text, engine.Apply)
			hasCode(t, err, fault.Invalid, engine.CodeInvalidSchema)
			if _, ok := status.FromError(errors.Unwrap(err)); !ok {
				t.Errorf("SpiceDB's own error is not behind %v", err)
			}
			if _, err := apply(t, c, small, engine.Refuse); err != nil {
				t.Fatalf("the engine has kept something: %v", err)
			}
			_, err = apply(t, c, text, engine.Apply)
			hasCode(t, err, fault.Invalid, engine.CodeInvalidSchema)
		})
	}
}

func TestApplySchema_RefusesNothingAtAll(t *testing.T) {
	c := withSchema(t, engine.EmbeddedConfig{})
	_, err := apply(t, c, " \n", engine.Apply)
	hasCode(t, err, fault.Invalid, engine.CodeInvalidSchema)
}

func TestApplySchema_RefusesToTakeAwayWhatIsInUse(t *testing.T) {
	c := newClient(t, embedded(t, engine.EmbeddedConfig{}))
	if _, err := apply(t, c, small, engine.Refuse); err != nil {
		t.Fatal(err)
	}
	c.write("document:d#reader@user:ada")
	for _, text := range []string{
		"definition user {}",
		"use expiration\ndefinition user {}\ndefinition document {\nrelation writer: user with expiration\npermission read = writer\n}",
	} {
		_, err := apply(t, c, text, engine.Apply)
		hasCode(t, err, fault.Conflict, engine.CodeSchemaInUse)
	}
}
