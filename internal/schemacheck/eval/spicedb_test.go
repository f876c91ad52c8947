package eval_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/development"
	devinterface "github.com/authzed/spicedb/pkg/proto/developer/v1"
	v1 "github.com/authzed/spicedb/pkg/proto/dispatch/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/authzed/spicedb/pkg/validationfile"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"

	"github.com/tenantry/tenantry/schema"

	"github.com/tenantry/tenantry/internal/schemacheck/eval"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// both is one schema with relationships, in SpiceDB and here.
type both struct {
	spicedb *development.DevContext
	ours    *eval.World
}

// tester is a test, or a run of a property.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

func open(ctx context.Context, t tester, text string, relationships []tuple.Relationship) both {
	t.Helper()
	compiled, findings := zed.Compile(ctx, zed.File(finding.NewSource("test.zed", text)))
	if len(findings) > 0 {
		t.Fatalf("the schema does not compile: %v\n%s", findings, text)
	}
	file := validationfile.ValidationFile{Schema: blocks.SchemaWithPosition{Schema: text}}
	file.Relationships.Relationships = relationships
	world, problems, err := development.NewDevContextForValidationFile(ctx, &file)
	if err != nil || len(problems.GetInputErrors()) > 0 {
		t.Fatalf("SpiceDB does not load it: %v %v\n%s", err, problems.GetInputErrors(), text)
	}
	ours := eval.New(compiled, relationships, time.Now())
	if refused := ours.Refused(); len(refused) > 0 {
		t.Fatalf("refused, though SpiceDB takes it: %v", refused)
	}
	return both{world.DevContext, ours}
}

// compare asks both; decided is false if SpiceDB refuses an answer, as we must then.
func (b both) compare(t tester, resource, subject tuple.ObjectAndRelation, given map[string]any) (is eval.Outcome, decided bool) {
	t.Helper()
	got := b.ours.Check(resource, subject, given, nil)
	answer, err := development.RunCheck(b.spicedb, resource, subject, given)
	if err != nil {
		if got.Outcome != eval.Undecided && !b.tooDeep(err) {
			t.Fatalf("%s@%s: we say %s, SpiceDB refuses: %s", resource, subject, got, err)
		}
		return got.Outcome, false
	}
	want := map[v1.ResourceCheckResult_Membership]eval.Outcome{
		v1.ResourceCheckResult_MEMBER: eval.Allowed, v1.ResourceCheckResult_CAVEATED_MEMBER: eval.Conditional, v1.ResourceCheckResult_NOT_MEMBER: eval.Denied,
	}[answer.Permissionship]
	if got.Outcome != want {
		t.Fatalf("%s@%s %v: we say %s %s, SpiceDB %s", resource, subject, given, got, got.Why, want)
	}
	return want, true
}

// tooDeep reports whether SpiceDB gave up because of depth: it then may have overlooked a shorter way.
func (b both) tooDeep(err error) bool {
	known, _ := development.DistinguishGraphError(b.spicedb, err, devinterface.DeveloperError_ASSERTION, 0, 0, "")
	return known.GetKind() == devinterface.DeveloperError_MAXIMUM_RECURSION
}

// assertions runs those of a validation file. It returns how many there were.
func (b both) assertions(t *testing.T, file *validationfile.ValidationFile) int {
	t.Helper()
	n := 0
	for want, list := range map[eval.Outcome][]blocks.Assertion{
		eval.Allowed: file.Assertions.AssertTrue, eval.Denied: file.Assertions.AssertFalse, eval.Conditional: file.Assertions.AssertCaveated,
	} {
		for _, a := range list {
			got := b.ours.Check(a.Relationship.Resource, a.Relationship.Subject, a.CaveatContext, nil)
			if got.Outcome != want {
				t.Errorf("%s: %s %s, want %s", a.RelationshipWithContextString, got, got.Why, want)
			}
			n++
		}
	}
	return n
}

func decode(t *testing.T, path string) *validationfile.ValidationFile {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := validationfile.DecodeValidationFile(text)
	if err != nil {
		t.Fatalf("%s: %s", path, err)
	}
	return file
}

func TestAssertionsOfSpiceDBsOwnTests(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/authzed/spicedb").Output()
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal/services/integrationtesting/testconfigs/*.yaml*"))
	if err != nil || len(paths) < 74 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	asserted, asked := 0, 0
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			file := decode(t, path)
			b := open(t.Context(), t, file.Schema.Schema, file.Relationships.Relationships)
			defer b.spicedb.Dispose()
			asserted += b.assertions(t, file)
			asked += b.everything(t, file.Relationships.Relationships, 150)
		})
	}
	if asserted < 400 || asked < 5000 {
		t.Errorf("only %d assertions and %d other checks; the test does not see them", asserted, asked)
	}
}

// everything asks for relations and permissions of the resources for the
// subjects that relationships name, at most some number of pairs. It returns how many it asked.
func (b both) everything(t *testing.T, relationships []tuple.Relationship, most int) int {
	t.Helper()
	n, step := 0, max(1, len(relationships)*len(relationships)/most)
	for i := 0; i < len(relationships)*len(relationships); i += step {
		resource, subject := relationships[i/len(relationships)].Resource, relationships[i%len(relationships)].Subject
		if subject.ObjectID == tuple.PublicWildcard {
			subject.ObjectID = "somebody"
		}
		for _, r := range b.ours.Schema().Definition(resource.ObjectType).Relations {
			b.compare(t, resource.WithRelation(r.Name), subject, nil)
			n++
		}
	}
	return n
}

func TestTenantrysOwnAssertions(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../../schema/validation/*.yaml")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	compiled, findings := zed.Compile(t.Context(), zed.File(finding.NewSource("tenantry.zed", schema.Built())))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	n := 0
	for _, path := range paths {
		file := decode(t, path)
		n += both{ours: eval.New(compiled, file.Relationships.Relationships, time.Now())}.assertions(t, file)
	}
	if n < 1000 {
		t.Errorf("only %d assertions", n)
	}
}
