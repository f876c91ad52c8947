package schema_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/schema"
)

// The committed schema is what the catalogue and the core give.
func TestBuiltIsUpToDate(t *testing.T) {
	c, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := schema.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(schema.Built(), "\n"), strings.Split(fresh, "\n")); diff != "" {
		t.Errorf("schema/tenantry.zed is stale; run `make generate` (-committed +generated):\n%s", diff)
	}
}

func TestU3_EachPermissionHasItsRelations(t *testing.T) {
	c, err := schema.Parse(file(documents))
	if err != nil {
		t.Fatal(err)
	}
	text, err := schema.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Permissions {
		operator := ""
		if p.Operator != "" {
			operator = " + environment->" + p.Operator
		}
		for _, want := range []string{
			"\trelation " + p.Relation + ": user:* | api_token:*\n",
			"\tpermission " + p.Relation + " = holder & role->" + p.Relation + "\n",
			"\tpermission branch_" + p.Relation + " = branch_member & role->" + p.Relation + "\n",
			"\tpermission branch_" + p.Relation + " = assignment->branch_" + p.Relation + " + parent->branch_" + p.Relation + "\n",
			"\tpermission member_" + p.Relation + " = assignment->" + p.Relation + " + parent->branch_" + p.Relation + "\n",
			"\tpermission " + p.Relation + " = (member_" + p.Relation + " - environment->blocked)" + operator + "\n",
		} {
			if strings.Count(text, want) != 1 {
				t.Errorf("the schema has %d times, not once: %s", strings.Count(text, want), want)
			}
		}
	}
}

func TestBuildAppendsDefinitions(t *testing.T) {
	c, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	got, err := schema.Build(c, "\n\ndefinition document {}\n\n", "definition folder {}")
	if err != nil {
		t.Fatal(err)
	}
	if want := schema.Built() + "\ndefinition document {}\n\ndefinition folder {}\n"; got != want {
		t.Errorf("Build with definitions (-want +got):\n%s", cmp.Diff(want, got))
	}
	again, err := schema.Build(c, "\n\ndefinition document {}\n\n", "definition folder {}")
	if err != nil || again != got {
		t.Errorf("equal input gave other bytes (error %v)", err)
	}
}

// The validation files in the binary are those in the folder.
func TestValidationIsEmbedded(t *testing.T) {
	embedded, err := fs.Glob(schema.Validation, "validation/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	onDisk, err := fs.Glob(os.DirFS("."), "validation/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(embedded) == 0 {
		t.Error("no validation files")
	}
	if diff := cmp.Diff(onDisk, embedded); diff != "" {
		t.Errorf("validation files (-folder +embedded):\n%s", diff)
	}
}
