package schemacheck

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// target is a file to check, or why there is none.
type target struct {
	path    string
	problem string // empty if the file is to be checked
	code    string
	found   bool     // in a directory, rather than named
	parts   []string // schema files that it names, if its kind is about schemas
}

// targets finds the files that the paths name: files, directories and patterns.
// Each file comes once; a path that leads to no file gives a target with a problem.
func targets(paths []string, k Kind) []target {
	var all []target
	seen := map[string]bool{}
	for _, path := range paths {
		for _, t := range expand(path, k) {
			if t.path = filepath.Clean(t.path); !seen[t.path] {
				seen[t.path] = true
				all = append(all, t)
			}
		}
	}
	if !k.Schemas {
		return all
	}
	for i := range all {
		all[i].parts = partsOf(all[i].path)
	}
	return withoutParts(all)
}

// withoutParts leaves out the schemas found in directories that are checked with
// another file: one that imports them, or a validation file that is about them.
// Of those that import each other in a circle, one stays.
func withoutParts(all []target) []target {
	parts := map[string][]string{}
	used := map[string]bool{}
	for _, t := range all {
		parts[t.path] = t.parts
		for _, p := range t.parts {
			used[p] = used[p] || p != t.path
		}
	}
	reached := map[string]bool{}
	var reach func(path string)
	reach = func(path string) {
		if reached[path] {
			return
		}
		reached[path] = true
		if _, known := parts[path]; !known {
			parts[path] = partsOf(path)
		}
		for _, p := range parts[path] {
			reach(p)
		}
	}
	leave := map[string]bool{}
	for _, t := range all {
		if leave[t.path] = t.found && isSchema(t.path) && used[t.path]; !leave[t.path] {
			reach(t.path)
		}
	}
	for _, t := range all {
		if leave[t.path] && !reached[t.path] {
			leave[t.path] = false
			reach(t.path)
		}
	}
	return slices.DeleteFunc(all, func(t target) bool { return leave[t.path] })
}

// partsOf returns the schema files that a file names.
func partsOf(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil // a finding, later
	}
	var parts []string
	if isSchema(path) {
		for _, name := range zed.Imports(string(text)) {
			parts = append(parts, beside(path, name))
		}
	} else if name := schemaFileOf(text); name != "" {
		parts = append(parts, beside(path, name))
	}
	return parts
}

// schemaFileOf returns the name of the schema file that a validation file names, "" if it names none.
func schemaFileOf(text []byte) string {
	var doc struct {
		SchemaFile string `yaml:"schemaFile"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return ""
	}
	return doc.SchemaFile
}

func expand(path string, k Kind) []target {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return walk(path, k)
	case err == nil:
		return []target{{path: path}}
	case !errors.Is(err, fs.ErrNotExist) || !strings.ContainsAny(path, `*?[`):
		return []target{{path: path, code: finding.CodeUnreadableFile, problem: "cannot read the file: " + reason(err)}}
	}
	found, err := doublestar.FilepathGlob(path, doublestar.WithFilesOnly())
	if err != nil {
		return []target{{path: path, code: finding.CodeNoFiles, problem: "not a pattern: " + err.Error()}}
	}
	slices.Sort(found)
	var all []target
	for _, f := range found {
		all = append(all, target{path: f})
	}
	if len(all) == 0 {
		return []target{{path: path, code: finding.CodeNoFiles, problem: "no file fits the pattern"}}
	}
	return all
}

// walk finds the files of a kind below a directory, and schemas if they belong to it, by name. Hidden
// directories are left out, and YAML files that are evidently something else.
func walk(dir string, k Kind) []target {
	var all []target
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			all = append(all, target{path: path, code: finding.CodeUnreadableFile, problem: "cannot read: " + reason(err)})
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir():
			if path != dir && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
		case k.Schemas && isSchema(path), isYAML(path) && k.Belongs(path):
			all = append(all, target{path: path, found: true})
		}
		return nil
	})
	if err != nil {
		all = append(all, target{path: dir, code: finding.CodeUnreadableFile, problem: "cannot read the directory: " + reason(err)})
	}
	if len(all) == 0 {
		return []target{{path: dir, code: finding.CodeNoFiles, problem: "the directory has no " + k.Name}}
	}
	return all
}

func isYAML(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".yaml" || ext == ".yml"
}

func isSchema(path string) bool { return strings.EqualFold(filepath.Ext(path), ".zed") }

var sectionLine = regexp.MustCompile(`(?m)^["']?(schema|schemaFile|relationships|assertions|validation)["']?\s*:`)

// looksLikeValidation tells validation files from other YAML files. In doubt,
// which is a file that is empty, broken or out of reach, it says yes, so that the doubt becomes a finding.
func looksLikeValidation(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil || len(strings.TrimSpace(string(text))) == 0 {
		return true
	}
	var top yaml.Node
	if err := yaml.Unmarshal(text, &top); err != nil {
		return sectionLine.Match(text)
	}
	if len(top.Content) == 0 || top.Content[0].Kind != yaml.MappingNode {
		return false
	}
	var keys []string
	for i := 0; i < len(top.Content[0].Content); i += 2 {
		keys = append(keys, top.Content[0].Content[i].Value)
	}
	isSection := func(key string) bool { return slices.Contains(sections(), key) }
	if slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(scenarioSections(), key) }) {
		isSection = func(key string) bool { return key != sectionRelationships && slices.Contains(sections(), key) }
	}
	return slices.ContainsFunc(keys, isSection)
}

// scenarioSections are what the files of package scenario have, and in no validation file.
func scenarioSections() []string {
	return []string{"scenario", "scenarios", "accounts", "members", "expect", "steps"}
}

// reason returns what went wrong with a file without repeating its name.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
