package httpapi

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
)

// oddChecks are bodies of checks, right and wrong, in many forms.
func oddChecks() []string {
	out := []string{
		"", " ", "null", "[]", "{}", `"x"`, "1", "{", "}", `{"subject"`, `{"subject":`, `{"subject":"a"`, `{"subject":"a",`,
		checkBody, " \t\r\n" + checkBody + " \n", checkBody + "x", checkBody + checkBody, checkBody + ",", "\ufeff" + checkBody, checkBody + "\x00",
		strings.ReplaceAll(checkBody, ":\"", " \n: \t\""), strings.ReplaceAll(checkBody, ",", ",,"), strings.Replace(checkBody, "}", ",}", 1),
		`{"resource":"account:globex","subject":"user:ada","permission":"access"}`,
		`{"subject":"","permission":"","resource":""}`,
		strings.Replace(checkBody, "subject", "Subject", 1), strings.Replace(checkBody, "subject", "resource", 1), strings.Replace(checkBody, "subject", "context", 1),
		strings.Replace(checkBody, "{", `{"subject":"user:bob",`, 1), strings.Replace(checkBody, "}", `,"subject":"user:bob"}`, 1), strings.Replace(checkBody, "}", `,"x":1}`, 1),
		`{"items":[]}`, `{"items":null}`, `{"items":{}}`, `{"items":[` + checkBody + `,]}`, `{"items":[,` + checkBody + `]}`, `{"items":[` + checkBody + `],"items":[]}`,
		`{"items":[` + checkBody + `]}`, `{"items":[` + checkBody + `]}]`, `{"item":[` + checkBody + `]}`, ` { "items" : [ ` + checkBody + ` , ` + checkBody + ` ] } `,
		`{"items":[` + checkBody + `,` + strings.Replace(checkBody, "}", `,"x":1}`, 1) + `]}`, `{"items":[` + checkBody + ` ` + checkBody + `]}`,
		`{"items":[` + strings.Repeat(checkBody+",", 511) + checkBody + `]}`, `{"items":[` + strings.Repeat(checkBody+",", 512) + checkBody + `]}`,
	}
	for _, value := range []string{
		"1", "null", "true", "[]", "{}", `"\u0061da"`, `"\n"`, `"\x"`, "\"\n\"", "\"\x7f\"", "\"\xff\"", `"é"`, `"\ud800"`, `"user:ada`, `'user:ada'`, `"a""b"`, `"<&>"`, `"/"`, `"\/"`,
	} {
		out = append(out, strings.Replace(checkBody, `"user:ada"`, value, 1), strings.Replace(checkBody, `"subject"`, value, 1))
	}
	for i := range checkBody {
		out = append(out, checkBody[:i], checkBody[:i]+" "+checkBody[i:], checkBody[:i]+checkBody[i+1:])
	}
	return out
}

// served are the schemas that bodies are held against.
var served = sync.OnceValue(func() huma.Registry { return build(Deps{}, Config{}).api.OpenAPI().Components.Schemas })

// quickIsStrict requires that what is read quickly is read strictly to the same.
func quickIsStrict[T any](t *testing.T, text string) (quick bool) {
	t.Helper()
	quickBody, strict := jsonBody[T]{text: []byte(text)}, jsonBody[T]{text: []byte(text)}
	q, ok := any(&quickBody.value).(quickly)
	if !ok {
		t.Fatalf("%T is not read quickly", quickBody.value)
	}
	if !q.readQuickly(quickBody.text) {
		if diff := cmp.Diff(strict.value, quickBody.value); diff != "" {
			t.Errorf("%q was left to the strict reader, and something is read of it: %s", text, diff)
		}
		return false
	}
	if err := strict.decodeStrictly(served()); err != nil {
		t.Errorf("%q is read quickly, and not strictly: %v", text, err)
	}
	if diff := cmp.Diff(strict.value, quickBody.value); diff != "" {
		t.Errorf("%q: %s", text, diff)
	}
	return true
}

func TestQuickBodiesAreStrict(t *testing.T) {
	quick := map[string]int{}
	for _, text := range oddChecks() {
		if quickIsStrict[Check](t, text) {
			quick["one"]++
		}
		if quickIsStrict[BulkCheck](t, text) {
			quick["bulk"]++
		}
	}
	if quick["one"] < 10 || quick["bulk"] < 3 {
		t.Errorf("read quickly: %s", fmt.Sprint(quick))
	}
}

func FuzzQuickBodies(f *testing.F) {
	for i, text := range oddChecks() {
		if i%8 == 3 && len(text) < 1000 { // a few: each is run before the first new one
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		quickIsStrict[Check](t, text)
		quickIsStrict[BulkCheck](t, text)
	})
}
