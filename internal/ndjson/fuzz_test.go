package ndjson_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/ndjson"
)

// FuzzRead: whatever the input, Read returns; its errors are faults with a line; its records are clean.
func FuzzRead(f *testing.F) {
	demo, err := os.ReadFile("../../testdata/demo.ndjson")
	if err != nil {
		f.Fatal(err)
	}
	for i, line := range bytes.Split(demo, []byte("\n")) {
		if i%10 == 0 {
			f.Add(line)
		}
	}
	for _, s := range []string{
		"", "\uFEFF", "\r\n#\n", "{", "{}", "[]", "null", "0", `{"kind":"role","key":"r","permissions":["\"]",[{}],{"a":"}"}]}`,
		`{"kind":"environment","id":"e","name":"E","max_depth":-0}`, `{"kind":"user","\ud800":"\\\""}`,
		`{"kind":"membership","account":"a","user":"u","roles":["r"],"expires_at":"9999-12-31T23:59:60-23:59","kept_from_always_on":true}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		last := 0
		err := ndjson.Read(bytes.NewReader(input), func(r directory.Record) error {
			if r.Line <= last {
				t.Errorf("line %d after line %d", r.Line, last)
			}
			last = r.Line
			clean(t, r)
			return nil
		})
		if err == nil {
			return
		}
		bad, ok := errors.AsType[*fault.Error](err)
		if !ok || bad.Kind != fault.Invalid || bad.Line <= last || bad.Code == "" || bad.Text == "" {
			t.Errorf("after line %d: %#v, want an Invalid fault of a later line", last, err)
		}
	})
}

func clean(t *testing.T, r directory.Record) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Errorf("line %d: %v", r.Line, err)
		}
	}
	same := func(cleaned string, err error, was string) {
		if check(err); err == nil && cleaned != was {
			t.Errorf("line %d: %q would be cleaned to %q", r.Line, was, cleaned)
		}
	}
	set := 0
	if e := r.NewEnvironment; e != nil {
		set++
		check(account.CheckID("id", e.ID))
		check(account.CheckAccessMode("mode", e.DefaultAccessMode))
		check(account.CheckMaxDepth(e.MaxDepth))
	}
	if e := r.Role; e != nil {
		set++
		check(account.CheckID("key", e.Key))
	}
	if e := r.Account; e != nil {
		set++
		check(account.CheckID("id", e.ID))
		name, err := account.CleanName("name", e.Name)
		same(name, err, e.Name)
	}
	if e := r.User; e != nil {
		set++
		check(account.CheckID("id", e.ID))
		email, err := account.CleanEmail("email", e.Email)
		same(email, err, e.Email)
	}
	if g := r.Membership; g != nil {
		set++
		check(account.CheckID("account", g.Account))
		check(account.CheckID("user", g.User))
		if len(g.Roles) == 0 || g.KeptFromAlwaysOn && (g.SubAccountAccess == nil || !*g.SubAccountAccess) {
			t.Errorf("line %d: %+v", r.Line, g)
		}
	}
	if f := r.Feature; f != nil {
		set++
		check(account.CheckID("key", f.Key))
		description, err := account.CleanDescription("description", f.Description)
		same(description, err, f.Description)
	}
	if p := r.Plan; p != nil {
		set++
		check(account.CheckID("key", p.Key))
	}
	if s := r.FeatureSwitch; s != nil {
		set++
		check(account.CheckID("account", s.Account))
		check(account.CheckID("feature", s.Feature))
	}
	if set != 1 {
		t.Errorf("line %d: %d things in one record", r.Line, set)
	}
}
