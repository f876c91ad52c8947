package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Permission is one entry of the catalogue (U3).
type Permission struct {
	Key         account.PermissionKey   `yaml:"key" json:"key"`
	Aliases     []account.PermissionKey `yaml:"aliases" json:"aliases,omitempty"`
	Relation    string                  `yaml:"relation" json:"relation"`
	Operator    string                  `yaml:"operator" json:"operator,omitempty"`
	Description string                  `yaml:"description" json:"description"`
}

// Catalogue is the set of permissions of a deployment, in the order of their files. It does not change after Parse.
type Catalogue struct {
	Permissions []Permission
	byName      map[string]int // key, alias and relation → index
}

// Source is a catalogue file: a name for errors, and its content.
type Source struct {
	Name string
	Text []byte
}

// Default returns the built-in catalogue.
func Default() (*Catalogue, error) { return Parse() }

// Parse reads the built-in catalogue and then the given files, which add to it.
// Errors are Invalid faults (code "invalid_catalogue") that name file and line.
func Parse(extra ...Source) (*Catalogue, error) {
	c := &Catalogue{byName: map[string]int{}}
	sources := append([]Source{{Name: "permissions.yaml", Text: permissions}}, extra...)
	for _, s := range sources {
		if err := c.add(s); err != nil {
			return nil, err
		}
	}
	return c, nil
}

var (
	validKey      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	validRelation = regexp.MustCompile(`^[a-z][a-z0-9_]{1,48}[a-z0-9]$`)
	operatorRight = []string{"", "view_backoffice", "edit_backoffice", "view_entitlements", "edit_entitlements"}
	// names that the core gives to relations and permissions of assignment and account, and the prefixes it generates
	reservedRelation = []string{
		"role", "member", "holder", "environment", "parent", "assignment", "sub_account_management", "access",
		"create_sub_account", "update_account", "delete_account", "move_account",
		"delegate_sub_account_management", "set_sub_account_management",
		"plan", "own_plan", "plan_feature", "feature_on", "feature_off", "has_feature", "on", "off",
	}
	// words of the schema language
	reservedWord = []string{
		"and", "caveat", "definition", "expiration", "import", "nil", "partial", "permission", "relation", "self",
		"typechecking", "with",
	}
	yamlLine = regexp.MustCompile(`line (\d+): `)
)

func (c *Catalogue) add(s Source) error {
	bad := func(line int, text string, args ...any) error {
		return fault.New(fault.Invalid, "invalid_catalogue", "%s:%d: %s", s.Name, line, fmt.Sprintf(text, args...))
	}
	var root struct {
		Permissions []yaml.Node `yaml:"permissions"`
	}
	if line, err := decode(s.Text, &root); err != nil {
		return bad(line, "%s", err)
	}
	if len(root.Permissions) == 0 {
		return bad(1, "no permissions: the file needs a list named permissions")
	}
	for i := range root.Permissions {
		node := &root.Permissions[i]
		var p Permission
		if line, err := p.read(node); err != nil {
			return bad(line, "%s", err)
		}
		if err := p.check(); err != nil {
			return bad(node.Line, "%s", err)
		}
		for _, name := range append([]string{p.Relation, string(p.Key)}, strs(p.Aliases)...) {
			if at, taken := c.byName[name]; taken && at != len(c.Permissions) {
				return bad(node.Line, "%s is taken by %s", account.Quote(name), c.Permissions[at].Key)
			}
			c.byName[name] = len(c.Permissions)
		}
		c.Permissions = append(c.Permissions, p)
	}
	return nil
}

// decode reads a file that is one YAML document with the list permissions and
// nothing else. With an error comes the line that it is about.
func decode(text []byte, root any) (int, error) {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return 1, errors.New("the file is empty: it needs a list named permissions")
	} else if err != nil {
		return lineOf(err, 1)
	}
	if err := dec.Decode(&more); err == nil {
		return more.Line, errors.New("a second document begins here; a catalogue is one document")
	} else if !errors.Is(err, io.EOF) {
		return lineOf(err, 1)
	}
	if line, err := onlyFields(doc.Content[0], "permissions"); err != nil {
		return line, err
	}
	if err := doc.Decode(root); err != nil {
		return lineOf(err, doc.Content[0].Line)
	}
	return 0, nil
}

// read reads a permission. With an error comes the line that it is about.
func (p *Permission) read(node *yaml.Node) (int, error) {
	if line, err := onlyFields(node, "key", "aliases", "relation", "operator", "description"); err != nil {
		return line, err
	}
	if err := node.Decode(p); err != nil {
		return lineOf(err, node.Line)
	}
	return 0, nil
}

// onlyFields returns an error unless node is a mapping with no other fields than
// those named: a misspelt operator must not pass for an absent one.
func onlyFields(node *yaml.Node, fields ...string) (int, error) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return node.Line, fmt.Errorf("expected the fields %s", strings.Join(fields, ", "))
	}
	for i := 0; i < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(fields, key.Value) {
			return key.Line, fmt.Errorf("unknown field %s; the fields are %s", account.Quote(key.Value), strings.Join(fields, ", "))
		}
	}
	return 0, nil
}

// lineOf takes the line out of an error of the YAML package; otherwise is for errors without one.
func lineOf(err error, otherwise int) (int, error) {
	text := err.Error()
	m := yamlLine.FindStringSubmatchIndex(text)
	if m == nil {
		return otherwise, errors.New(strings.TrimPrefix(text, "yaml: "))
	}
	line, _ := strconv.Atoi(text[m[2]:m[3]]) // digits, by the pattern
	first, _, _ := strings.Cut(text[m[1]:], "\n")
	return max(line, 1), errors.New(first)
}

func (p Permission) check() error {
	switch {
	case !validKey.MatchString(string(p.Key)):
		return fmt.Errorf("key %s: use letters, digits, dots, dashes and underscores", account.Quote(string(p.Key)))
	case !validRelation.MatchString(p.Relation):
		return fmt.Errorf("relation %s of %s: use 3 to 50 lower-case letters, digits and underscores", account.Quote(p.Relation), p.Key)
	case slices.Contains(reservedRelation, p.Relation) || strings.HasPrefix(p.Relation, "branch_") || strings.HasPrefix(p.Relation, "member_"):
		return fmt.Errorf("relation %s of %s is a name of the core schema", account.Quote(p.Relation), p.Key)
	case slices.Contains(reservedWord, p.Relation):
		return fmt.Errorf("relation %s of %s is a word of the schema language", account.Quote(p.Relation), p.Key)
	case !slices.Contains(operatorRight, p.Operator):
		return fmt.Errorf("operator %s of %s: use one of%s", account.Quote(p.Operator), p.Key, strings.Join(operatorRight, " "))
	case strings.TrimSpace(p.Description) == "":
		return errors.New(string(p.Key) + " needs a description")
	}
	for _, a := range p.Aliases {
		if !validKey.MatchString(string(a)) {
			return fmt.Errorf("alias %s of %s: use letters, digits, dots, dashes and underscores", account.Quote(string(a)), p.Key)
		}
	}
	return nil
}

// Lookup finds a permission by its key, an alias, or its relation.
func (c *Catalogue) Lookup(name string) (Permission, bool) {
	i, ok := c.byName[name]
	if !ok {
		return Permission{}, false
	}
	return c.Permissions[i], true
}

// Keys returns the keys for the given names sorted and without repeats, or an
// Invalid fault (code "unknown_permission") for the first that is not in the catalogue.
func (c *Catalogue) Keys(field string, names []account.PermissionKey) ([]account.PermissionKey, error) {
	keys := make([]account.PermissionKey, 0, len(names))
	for _, n := range names {
		p, ok := c.Lookup(string(n))
		if !ok {
			return nil, fault.New(fault.Invalid, "unknown_permission", "there is no permission %s in the catalogue", account.Quote(string(n))).In(field)
		}
		keys = append(keys, p.Key)
	}
	return account.Set(keys), nil
}

func strs[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return out
}
