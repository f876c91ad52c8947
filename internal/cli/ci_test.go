package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The action runs its last step as GitHub would, with the program as it is shipped.
func TestActionChecksSchemas(t *testing.T) {
	program, err := exec.LookPath("tenantry")
	if err != nil {
		t.Fatal(err)
	}
	action := readAction(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good", "a file.zed"), "definition user {}\n\ndefinition doc {\n\trelation reader: user\n}\n")
	write(t, filepath.Join(dir, "good", "deep", "tests.yaml"), "schemaFile: \"../a file.zed\"\nrelationships: doc:a#reader@user:b\nassertions:\n  assertTrue: [\"doc:a#reader@user:b\"]\n")
	write(t, filepath.Join(dir, "bad", "a.zed"), "definition doc {\n\trelation reader: usr\n}\n")
	for name, c := range map[string]struct {
		with map[string]string
		code int
		says string
	}{
		"all that is there":   {map[string]string{}, 1, "::error file=bad/a.zed,line=2,col=19,title=invalid_schema::there is no definition `usr`"},
		"patterns":            {map[string]string{"files": "good/**/*.yaml"}, 0, "1 file, 1 assertion, 0 findings"},
		"a working directory": {map[string]string{"working-directory": "good", "strict": "true"}, 0, "1 file, 1 assertion, 0 findings"},
		"several files":       {map[string]string{"files": "good\nbad"}, 1, "2 files, 1 assertion, 1 finding"},
		"reports": {
			map[string]string{"files": "good", "junit": "out/junit.xml", "sarif": "out/a.sarif", "coverage-lcov": "out/lcov.info", "coverage-html": "out/coverage.html"},
			0, "coverage: 50.0%",
		},
		"too little coverage": {map[string]string{"files": "good", "min-coverage": "60"}, 1, "coverage: 50.0%, less than the 60% that"},
		"no such file":        {map[string]string{"files": "gone.yaml"}, 1, "gone.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			c.with["binary"] = program
			out, code := action.run(t, dir, c.with)
			if code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit code %d and\n%s\nwant %d and %q", code, out, c.code, c.says)
			}
			for _, input := range []string{"junit", "sarif", "coverage-lcov", "coverage-html"} {
				if file := c.with[input]; file != "" {
					if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
						t.Errorf("%s: %v", file, err)
					}
				}
			}
		})
	}
}

// Our own CI uses the action, with inputs that it has.
func TestActionIsUsedByOurOwnCI(t *testing.T) {
	action := readAction(t)
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With map[string]string
			}
		}
	}
	readYAML(t, "../../.github/workflows/ci.yml", &workflow)
	used := 0
	for _, step := range workflow.Jobs["test"].Steps {
		if step.Uses != "./" {
			continue
		}
		used++
		program, err := exec.LookPath("tenantry")
		if err != nil {
			t.Fatal(err)
		}
		with := map[string]string{}
		for name, value := range step.With {
			if _, ok := action.Inputs[name]; !ok {
				t.Errorf("the action has no input %s", name)
			}
			with[name] = value
		}
		with["binary"], with["junit"] = program, filepath.Join(t.TempDir(), "junit.xml")
		if out, code := action.run(t, "../..", with); code != 0 {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	}
	if used != 1 {
		t.Errorf("the workflow uses the action %d times", used)
	}
}

// The hooks are commands that there are, and run on this repository.
func TestPreCommitHooks(t *testing.T) {
	var hooks []struct {
		ID, Entry, Language, Files string
		Args                       []string
	}
	readYAML(t, "../../.pre-commit-hooks.yaml", &hooks)
	if len(hooks) != 2 {
		t.Fatalf("%d hooks", len(hooks))
	}
	for _, hook := range hooks {
		t.Run(hook.ID, func(t *testing.T) {
			args := map[string][]string{"tenantry-schema-validate": {"schema"}, "tenantry-schema-test": {"testdata/scenarios"}}[hook.ID]
			entry := strings.Fields(hook.Entry)
			cmd := exec.CommandContext(t.Context(), entry[0], append(entry[1:], args...)...)
			cmd.Dir = "../.."
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), " 0 findings") {
				t.Errorf("%v\n%s", err, out)
			}
			if hook.Language != "golang" || len(hook.Args) != 1 || hook.Files == "" {
				t.Errorf("the hook is %+v", hook)
			}
		})
	}
}

type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Steps []struct {
			Run              string
			Env              map[string]string
			WorkingDirectory string `yaml:"working-directory"`
		}
	}
}

func readAction(t *testing.T) action {
	t.Helper()
	var a action
	readYAML(t, "../../action.yml", &a)
	return a
}

// run runs the last step with inputs, and returns what it printed and its exit code.
func (a action) run(t *testing.T, dir string, with map[string]string) (string, int) {
	t.Helper()
	var known []string
	for name, input := range a.Inputs {
		value, given := with[name]
		if !given {
			value = input.Default
		}
		known = append(known, "${{ inputs."+name+" }}", value)
	}
	fill := strings.NewReplacer(known...)
	step := a.Runs.Steps[len(a.Runs.Steps)-1]
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-o", "pipefail", "-c", step.Run)
	cmd.Dir = filepath.Join(dir, fill.Replace(step.WorkingDirectory))
	cmd.Env = append(os.Environ(), "RUNNER_TEMP="+t.TempDir())
	for name, value := range step.Env {
		if value = fill.Replace(value); strings.Contains(value, "${{") {
			t.Errorf("%s is %s, which the action has no input for", name, value)
		}
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
