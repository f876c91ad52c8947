package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

func file(text string) schema.Source { return schema.Source{Name: "extra.yaml", Text: []byte(text)} }

const documents = `permissions:
  - key: docs.read
    aliases: [docs.view, docs.open]
    relation: read_documents
    operator: view_backoffice
    description: Read the documents of the account.
  - key: docs.write
    relation: write_documents
    description: Write the documents of the account.
`

func TestU3_BuiltInPermissions(t *testing.T) {
	c, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, relation := range map[string]string{
		"fe.account-hierarchy.read.subAccount":              "read_sub_accounts",
		"fe.account-hierarchy.write.subAccount":             "write_sub_accounts",
		"fe.account-hierarchy.delete.subAccount":            "delete_sub_accounts",
		"fe.account-hierarchy.write.subAccountAccess":       "write_sub_account_access",
		"fe.account-hierarchy.write.sub-account-management": "write_sub_account_management",
		"fe.account-hierarchy.write.subAccountManagement":   "write_sub_account_management",
	} {
		if p, ok := c.Lookup(name); !ok || p.Relation != relation {
			t.Errorf("Lookup(%s) = %+v, %v; want relation %s", name, p, ok, relation)
		}
	}
}

func TestU3_ApplicationsAddTheirOwn(t *testing.T) {
	c, err := schema.Parse(file(documents))
	if err != nil {
		t.Fatal(err)
	}
	want := schema.Permission{
		Key: "docs.read", Aliases: []account.PermissionKey{"docs.view", "docs.open"}, Relation: "read_documents",
		Operator: "view_backoffice", Description: "Read the documents of the account.",
	}
	for _, name := range []string{"docs.read", "docs.view", "docs.open", "read_documents"} {
		got, ok := c.Lookup(name)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("Lookup(%s), found %v (-want +got):\n%s", name, ok, diff)
		}
	}
	if _, ok := c.Lookup("docs.delete"); ok {
		t.Error("found a permission that is not in the catalogue")
	}
	if last := c.Permissions[len(c.Permissions)-1].Key; last != "docs.write" {
		t.Errorf("the last permission is %s; want those of the file, in its order, after the built-in ones", last)
	}
}

func TestParseSeveralFiles(t *testing.T) {
	second := schema.Source{Name: "second.yaml", Text: []byte("permissions:\n  - {key: a.b, relation: do_this, description: Do this.}\n  - {key: docs.view, relation: do_that, description: Do that.}\n")}
	_, err := schema.Parse(file(documents), second)
	if want := `second.yaml:3: "docs.view" is taken by docs.read`; err == nil || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
}

func TestKeys(t *testing.T) {
	c, err := schema.Parse(file(documents))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Keys("permissions", []account.PermissionKey{"docs.write", "docs.view", "read_documents", "docs.write"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]account.PermissionKey{"docs.read", "docs.write"}, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if got, err := c.Keys("permissions", nil); err != nil || got == nil || len(got) != 0 {
		t.Errorf("Keys of nothing = %#v, %v; want an empty list", got, err)
	}

	_, err = c.Keys("permissions", []account.PermissionKey{"docs.read", "docs.fly"})
	want := &fault.Error{Kind: fault.Invalid, Code: "unknown_permission", Field: "permissions", Text: `there is no permission "docs.fly" in the catalogue`}
	got2, _ := errors.AsType[*fault.Error](err)
	if diff := cmp.Diff(want, got2, cmpopts.IgnoreUnexported(fault.Error{})); diff != "" {
		t.Errorf("fault (-want +got):\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	entry := func(fields string) string {
		return "permissions:\n  - " + strings.ReplaceAll(strings.TrimSpace(fields), "\n", "\n    ") + "\n"
	}
	const good = "key: docs.read\nrelation: read_documents\ndescription: Read.\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":               {"", "extra.yaml:1: the file is empty: it needs a list named permissions"},
		"only a comment":      {"# nothing\n", "extra.yaml:1: the file is empty: it needs a list named permissions"},
		"no list":             {"permissions: []\n", "extra.yaml:1: no permissions: the file needs a list named permissions"},
		"not a list":          {"permissions:\n  key: docs.read\n", "extra.yaml:2: cannot unmarshal !!map into []yaml.Node"},
		"bad yaml":            {"permissions:\n  - key: [a\n  - key: b\n", "extra.yaml:1: did not find expected ',' or ']'"},
		"not a mapping":       {"- key: docs.read\n", "extra.yaml:1: expected the fields permissions"},
		"two documents":       {documents + "---\npermissions: []\n", "extra.yaml:10: a second document begins here; a catalogue is one document"},
		"unknown list":        {"permission:\n  - key: a\n", `extra.yaml:1: unknown field "permission"; the fields are permissions`},
		"unknown field":       {entry(good + "operater: view_backoffice"), `extra.yaml:5: unknown field "operater"; the fields are key, aliases, relation, operator, description`},
		"entry is a text":     {entry("docs.read"), "extra.yaml:2: expected the fields key, aliases, relation, operator, description"},
		"aliases is a map":    {entry(good + "aliases: {a: b}"), "extra.yaml:5: cannot unmarshal !!map into []account.PermissionKey"},
		"field twice":         {entry(good + "key: other"), `extra.yaml:5: mapping key "key" already defined at line 2`},
		"no key":              {entry("relation: read_documents\ndescription: Read."), `extra.yaml:2: key "": use letters, digits, dots, dashes and underscores`},
		"key with a space":    {entry("key: docs read\nrelation: read_documents\ndescription: Read."), `extra.yaml:2: key "docs read": use letters, digits, dots, dashes and underscores`},
		"key too long":        {entry("key: " + strings.Repeat("k", 129) + "\nrelation: read_documents\ndescription: Read."), `extra.yaml:2: key "` + strings.Repeat("k", 80) + `…": use letters, digits, dots, dashes and underscores`},
		"alias with a colon":  {entry(good + `aliases: ["docs:read"]`), `extra.yaml:2: alias "docs:read" of docs.read: use letters, digits, dots, dashes and underscores`},
		"no relation":         {entry("key: docs.read\ndescription: Read."), `extra.yaml:2: relation "" of docs.read: use 3 to 50 lower-case letters, digits and underscores`},
		"relation upper case": {entry("key: docs.read\nrelation: readDocuments\ndescription: Read."), `extra.yaml:2: relation "readDocuments" of docs.read: use 3 to 50 lower-case letters, digits and underscores`},
		"relation too long":   {entry("key: docs.read\nrelation: " + strings.Repeat("r", 51) + "\ndescription: Read."), `extra.yaml:2: relation "` + strings.Repeat("r", 51) + `" of docs.read: use 3 to 50 lower-case letters, digits and underscores`},
		"unknown operator":    {entry(good + "operator: everyone"), `extra.yaml:2: operator "everyone" of docs.read: use one of view_backoffice edit_backoffice view_entitlements edit_entitlements`},
		"no description":      {entry("key: docs.read\nrelation: read_documents"), "extra.yaml:2: docs.read needs a description"},
		"blank description":   {entry("key: docs.read\nrelation: read_documents\ndescription: '  '"), "extra.yaml:2: docs.read needs a description"},
		"duplicate key":       {documents + "  - {key: docs.read, relation: again, description: Again.}\n", `extra.yaml:10: "docs.read" is taken by docs.read`},
		"duplicate relation":  {documents + "  - {key: docs.again, relation: read_documents, description: Again.}\n", `extra.yaml:10: "read_documents" is taken by docs.read`},
		"alias taken":         {documents + "  - {key: docs.again, aliases: [docs.open], relation: again, description: Again.}\n", `extra.yaml:10: "docs.open" is taken by docs.read`},
		"key is an alias":     {documents + "  - {key: docs.open, relation: again, description: Again.}\n", `extra.yaml:10: "docs.open" is taken by docs.read`},
		"built-in key":        {entry("key: fe.secure.read.users\nrelation: again\ndescription: Again."), `extra.yaml:2: "fe.secure.read.users" is taken by fe.secure.read.users`},
		"built-in relation":   {entry("key: docs.read\nrelation: read_users\ndescription: Again."), `extra.yaml:2: "read_users" is taken by fe.secure.read.users`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := schema.Parse(file(c.text))
			wantInvalid(t, err, c.want)
		})
	}
}

func TestReservedNames(t *testing.T) {
	for relation, why := range map[string]string{
		"holder": "is a name of the core schema", "access": "is a name of the core schema", "parent": "is a name of the core schema",
		"create_sub_account": "is a name of the core schema", "branch_documents": "is a name of the core schema",
		"member_documents": "is a name of the core schema", "sub_account_management": "is a name of the core schema",
		"with": "is a word of the schema language", "nil": "is a word of the schema language", "definition": "is a word of the schema language",
		"expiration": "is a word of the schema language", "self": "is a word of the schema language",
	} {
		_, err := schema.Parse(file("permissions:\n  - {key: docs.read, relation: " + relation + ", description: Read.}\n"))
		wantInvalid(t, err, "extra.yaml:2: relation \""+relation+"\" of docs.read "+why)
	}
}

func wantInvalid(t *testing.T, err error, text string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got %v; want a fault: %s", err, text)
	}
	if f.Kind != fault.Invalid || f.Code != "invalid_catalogue" || f.Error() != text {
		t.Errorf("got  %s %s: %s\nwant %s invalid_catalogue: %s", f.Kind, f.Code, f.Error(), fault.Invalid, text)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		documents, "", "permissions:\n", "permissions: [&a {key: x}, *a]\n", "a: &a [*a]\n", "permissions:\n  - <<: {key: a}\n",
		"permissions: !!binary aGVsbG8=\n", "---\n---\n", "\xff\xfe", "permissions:\n\t- key: x\n", "permissions: [{key: 1, relation: 2, description: 3}]",
	} {
		f.Add([]byte(seed))
	}
	builtIn, err := schema.Default()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := schema.Parse(schema.Source{Name: "extra.yaml", Text: text})
		if err != nil {
			fe, ok := errors.AsType[*fault.Error](err)
			if !ok || fe.Kind != fault.Invalid || fe.Code != "invalid_catalogue" || !strings.HasPrefix(fe.Text, "extra.yaml:") {
				t.Fatalf("%v is no fault that names the file", err)
			}
			return
		}
		if len(c.Permissions) <= len(builtIn.Permissions) {
			t.Fatal("a file that adds nothing was accepted")
		}
		for _, p := range c.Permissions {
			for _, name := range append([]string{p.Relation, string(p.Key)}, keys(p.Aliases)...) {
				if found, ok := c.Lookup(name); !ok || found.Key != p.Key {
					t.Fatalf("Lookup(%q) = %q, %v; want %q", name, found.Key, ok, p.Key)
				}
			}
		}
		if _, err := schema.Build(c); err != nil {
			t.Fatalf("Build: %v", err)
		}
	})
}

func keys(in []account.PermissionKey) []string {
	out := make([]string, len(in))
	for i, k := range in {
		out[i] = string(k)
	}
	return out
}

// An application's permission must not take a name of the core, nor one that becomes such a name with a prefix.
func TestU3_NamesOfTheCoreAreReserved(t *testing.T) {
	c, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	generated := map[string]bool{}
	for _, p := range c.Permissions {
		for _, prefix := range []string{"", "branch_", "member_"} {
			generated[prefix+p.Relation] = true
		}
	}
	found := 0
	for definition := range strings.SplitSeq(schema.Built(), "\ndefinition ") {
		if kind, _, _ := strings.Cut(definition, " "); kind != "account" && kind != "assignment" {
			continue
		}
		for line := range strings.Lines(definition) {
			words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t:=", r) })
			if len(words) < 2 || words[0] != "relation" && words[0] != "permission" || generated[words[1]] {
				continue
			}
			found++
			for _, prefix := range []string{"", "branch_", "member_"} {
				name, ok := strings.CutPrefix(words[1], prefix)
				if !ok {
					continue
				}
				entry := "permissions:\n  - {key: a.b, relation: " + name + ", description: Do this.}\n"
				if _, err := schema.Parse(file(entry)); err == nil {
					t.Errorf("a permission may have the relation %s, though the core has %s", name, words[1])
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d names of the core were found", found)
	}
}
