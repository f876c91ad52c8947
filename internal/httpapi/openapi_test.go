package httpapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/openapi.json")

type document struct {
	OpenAPI    string                          `json:"openapi"`
	Info       map[string]any                  `json:"info"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas         map[string]map[string]any `json:"schemas"`
		SecuritySchemes map[string]any            `json:"securitySchemes"`
	} `json:"components"`
	Tags []struct{ Name, Description string } `json:"tags"`
}

type operation struct {
	OperationID string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Tags        []string              `json:"tags"`
	Security    []map[string][]string `json:"security"`
	Parameters  []struct {
		Name, In string
		Required bool
	} `json:"parameters"`
	Responses map[string]struct {
		Description string
		Content     map[string]any
	} `json:"responses"`
}

// notJSON are the media types of answers that are no JSON.
var notJSON = map[string]string{exportPath: "application/x-ndjson", streamPath: eventStream, accountsStreamPath: eventStream}

func openAPI(t *testing.T) ([]byte, document) {
	t.Helper()
	text, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return text, doc
}

func TestOpenAPIIsCommitted(t *testing.T) {
	text, _ := openAPI(t)
	again, _ := openAPI(t)
	if !bytes.Equal(text, again) {
		t.Fatal("two documents differ")
	}
	path := filepath.Join("..", "..", "docs", "openapi.json")
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), string(text)); diff != "" {
		t.Errorf("docs/openapi.json is not what the code says; go test ./internal/httpapi -update writes it:\n%.2000s", diff)
	}
}

func TestOpenAPIListsEveryRoute(t *testing.T) {
	_, doc := openAPI(t)
	var documented, routed []string
	for path, item := range doc.Paths {
		for method := range item {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	s := build(Deps{Metrics: http.NotFoundHandler()}, Config{})
	err := chi.Walk(s.router, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routed = append(routed, method+" "+route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(documented)
	slices.Sort(routed)
	if diff := cmp.Diff(routed, documented); diff != "" {
		t.Errorf("routes (-served +documented):\n%s", diff)
	}
}

func TestOpenAPIStructure(t *testing.T) {
	text, doc := openAPI(t)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info["title"] == "" || doc.Info["version"] == "" || doc.Components.SecuritySchemes["client"] == nil {
		t.Errorf("the head: %s %v %v", doc.OpenAPI, doc.Info, doc.Components.SecuritySchemes)
	}
	for _, ref := range regexp.MustCompile(`"\$ref": "([^"]*)"`).FindAllSubmatch(text, -1) {
		name, ok := strings.CutPrefix(string(ref[1]), schemaPrefix)
		if _, there := doc.Components.Schemas[name]; !ok || !there {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	tagged := map[string]bool{}
	for _, tag := range doc.Tags {
		tagged[tag.Name] = true
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths {
		for method, op := range item {
			where := method + " " + path
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Tags) != 1 || !tagged[op.Tags[0]] {
				t.Errorf("%s: id %q (unique?), summary %q, tags %v", where, op.OperationID, op.Summary, op.Tags)
			}
			ids[op.OperationID] = true
			var inPath []string
			for _, p := range op.Parameters {
				if p.In == "path" {
					inPath = append(inPath, "{"+p.Name+"}")
				}
			}
			slices.Sort(inPath)
			braces := regexp.MustCompile(`\{[a-z]+\}`).FindAllString(path, -1)
			slices.Sort(braces)
			if !slices.Equal(inPath, braces) {
				t.Errorf("%s: parameters %v", where, inPath)
			}
			if !strings.HasPrefix(path, "/v1/") {
				continue
			}
			open := path == "/v1/invitations/accept" || path == "/v1/invitations/preview" // the token in the body is the credential
			if credential := len(op.Security) == 1 && op.Security[0]["client"] != nil; credential == open || open && op.Security == nil {
				t.Errorf("%s: security %v", where, op.Security)
			}
			for status, response := range op.Responses {
				media := "application/json"
				if status >= "400" {
					media = "application/problem+json"
				}
				if other, ok := notJSON[path]; ok && status < "400" {
					media = other
				}
				if response.Description == "" || response.Content[media] == nil {
					t.Errorf("%s: answer %s: %+v", where, status, response)
				}
			}
			if op.Responses["503"].Content == nil || !open && op.Responses["401"].Content == nil {
				t.Errorf("%s: 401 or 503 is missing", where)
			}
		}
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	a := failing(t, nil)
	text, _ := openAPI(t)
	got := a.do("GET", "/openapi.json", "", "Authorization", "-").ok(200)
	var served, made any
	if json.Unmarshal([]byte(got.text), &served) != nil || json.Unmarshal(text, &made) != nil {
		t.Fatal("not JSON")
	}
	paths := func(v any) map[string]any { return v.(map[string]any)["paths"].(map[string]any) }
	delete(paths(made), "/metrics") // this API has none
	if diff := cmp.Diff(made, served); diff != "" {
		t.Errorf("served (-made +served):\n%.2000s", diff)
	}
	yaml := a.do("GET", "/openapi.yaml", "", "Authorization", "-").ok(200)
	if !strings.Contains(yaml.text, "operationId: createAccount") || yaml.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("YAML: %.200s", yaml.text)
	}
}
