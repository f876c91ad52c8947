package fault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/fault"
)

// httpOnly are the codes whose status is not their kind's: only HTTP knows of such failures.
var httpOnly = map[string]int{"unsupported_media_type": 415, "method_not_allowed": 405, "body_timeout": 408}

var kinds = map[string]fault.Kind{
	"Invalid": fault.Invalid, "Unauthenticated": fault.Unauthenticated, "Denied": fault.Denied, "NotFound": fault.NotFound, "Exists": fault.Exists,
	"Conflict": fault.Conflict, "Stale": fault.Stale, "TooLarge": fault.TooLarge, "Limited": fault.Limited, "Unavailable": fault.Unavailable, "Internal": fault.Internal,
}

// TestEveryCodeIsDocumented holds docs/errors.md and the code base equal: the
// same codes, each with the statuses of the kinds that it is used with.
func TestEveryCodeIsDocumented(t *testing.T) {
	root := filepath.Join("..", "..")
	used := map[string][]int{}
	for _, folder := range []string{"internal", "schema", "cmd"} {
		for dir, files := range sources(t, filepath.Join(root, folder)) {
			collect(t, dir, files, used)
		}
	}
	if len(used) < 50 {
		t.Fatalf("only %d codes were found; is the search broken?", len(used))
	}
	if diff := cmp.Diff(used, documented(t, filepath.Join(root, "docs", "errors.md"))); diff != "" {
		t.Errorf("codes with their statuses (-in the code +in docs/errors.md):\n%s", diff)
	}
}

// sources parses the Go files below root but for tests, by folder.
func sources(t *testing.T, root string) map[string][]*ast.File {
	t.Helper()
	found := map[string][]*ast.File{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		found[filepath.Dir(path)] = append(found[filepath.Dir(path)], file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// collect adds the codes of a package's calls of fault.New. A code is a literal,
// a constant of the package, or a field named code, which stands for every value
// that the package gives to a field of that name.
func collect(t *testing.T, dir string, files []*ast.File, used map[string][]int) {
	t.Helper()
	constants := map[string]string{}
	var fields []string
	each(files, func(n ast.Node) {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if i < len(n.Values) {
					constants[name.Name] = literal(n.Values[i])
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "code" && literal(n.Value) != "" {
				fields = append(fields, literal(n.Value))
			}
		}
	})
	each(files, func(n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || !isNew(call.Fun, files[0].Name.Name) || len(call.Args) < 3 {
			return
		}
		kind, ok := kinds[last(call.Args[0])]
		if !ok {
			t.Errorf("%s: a call of fault.New with a kind that this test cannot read", dir)
			return
		}
		codes := []string{literal(call.Args[1])}
		switch code := call.Args[1].(type) {
		case *ast.Ident:
			codes = []string{constants[code.Name]}
		case *ast.SelectorExpr:
			if code.Sel.Name == "code" {
				codes = fields
			}
		}
		if len(codes) == 0 || codes[0] == "" {
			t.Errorf("%s: a call of fault.New with a code that this test cannot read; write it as a literal or a constant", dir)
		}
		for _, code := range codes {
			status, special := httpOnly[code]
			if !special {
				status = kind.HTTPStatus()
			}
			if !slices.Contains(used[code], status) {
				used[code] = append(used[code], status)
				slices.Sort(used[code])
			}
		}
	})
}

func each(files []*ast.File, fn func(ast.Node)) {
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			fn(n)
			return true
		})
	}
}

func isNew(fun ast.Expr, pkg string) bool {
	switch fun := fun.(type) {
	case *ast.SelectorExpr:
		of, ok := fun.X.(*ast.Ident)
		return ok && of.Name == "fault" && fun.Sel.Name == "New"
	case *ast.Ident:
		return pkg == "fault" && fun.Name == "New"
	default:
		return false
	}
}

// literal is the value of a string literal, "" for anything else.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	value, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return value
}

// last is the last name of a.b or of b.
func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	default:
		return ""
	}
}

var row = regexp.MustCompile("(?m)^\\| `([a-z_0-9]+)` \\| ([0-9, ]+) \\| [^|]*[^| ] +\\| [^|]*[^| ] +\\|$")

// documented reads the codes and statuses of the tables; every row must be complete.
func documented(t *testing.T, path string) map[string][]int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]int{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		if found[m[1]] != nil {
			t.Errorf("%s has two rows", m[1])
		}
		for s := range strings.SplitSeq(m[2], ",") {
			status, err := strconv.Atoi(strings.TrimSpace(s))
			if err != nil {
				t.Fatal(err)
			}
			found[m[1]] = append(found[m[1]], status)
		}
		slices.Sort(found[m[1]])
	}
	if rows := strings.Count(string(text), "\n| `"); rows != len(found) {
		t.Errorf("%d of %d rows can be read", len(found), rows)
	}
	return found
}
