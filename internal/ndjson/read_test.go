package ndjson_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/ndjson"
)

func readAll(t *testing.T, text string) []directory.Record {
	t.Helper()
	var all []directory.Record
	if err := ndjson.Read(strings.NewReader(text), func(r directory.Record) error {
		all = append(all, r)
		return nil
	}); err != nil {
		t.Fatalf("Read: %v", err)
	}
	return all
}

//go:fix inline
func TestReadEveryKind(t *testing.T) {
	got := readAll(t, "\uFEFF# a load\r\n"+
		`{"kind":"role","key":"admin","name":" Administrator ","account":null,"permissions":["b.write","a.read","a.read"]}`+"\r\n"+
		"\n \t\n"+
		`  { "id" : "staging" , "kind" : "environment", "name":"St\u00e4ging \ud83c\udf31","sub_accounts_enabled":true,"default_access_mode":"always_on","max_depth":5 }`+"\n"+
		`{"kind":"account","id":"globex","name":"Globex","parent":null,"sub_account_management":true,"sub_account_access":"default_on","created_at":"2024-05-01T11:00:00.5+02:00"}`+"\n"+
		`{"kind":"account","id":"north","name":"North","parent":"globex"}`+"\n"+
		`   # not a line`+"\n"+
		`{"kind":"role","key":"auditor","account":"north","permissions":[]}`+"\n"+
		`{"kind":"user","id":"ada","email":" Ada@Globex.Example ","name":"Ada","blocked":true}`+"\n"+
		`{"kind":"membership","account":"globex","user":"ada","roles":["viewer","admin"],"sub_account_access":false,"expires_at":"2035-01-01T00:00:00+01:00"}`+"\n"+
		`{"kind":"membership","account":"north","user":"ada","roles":["viewer"],"kept_from_always_on":true}`+"\n"+
		`{"kind":"environment","id":"dev","name":"Dev"}`+"\n"+
		`{"kind":"user","id":"bob","email":"bob@globex.example","name":null,"blocked":null}`+"\n"+
		`{"kind":"environment","id":"qa"}`)
	want := []directory.Record{
		{Line: 2, Role: &account.Role{Key: "admin", Name: "Administrator", Permissions: []account.PermissionKey{"a.read", "b.write"}}},
		{Line: 5, Environment: "staging", NewEnvironment: &account.Environment{ID: "staging", Name: "Stäging 🌱", SubAccountsEnabled: true, DefaultAccessMode: account.AlwaysOn, MaxDepth: 5, InvitationHours: 168, TokenMinutes: 15}},
		{Line: 6, Environment: "staging", Account: &account.Account{ID: "globex", Name: "Globex", SubAccountManagement: true, AccessMode: account.DefaultOn, CreatedAt: time.Date(2024, 5, 1, 9, 0, 0, 5e8, time.UTC)}},
		{Line: 7, Environment: "staging", Account: &account.Account{ID: "north", Name: "North", Parent: "globex"}},
		{Line: 9, Environment: "staging", Role: &account.Role{Key: "auditor", Account: "north", Permissions: []account.PermissionKey{}}},
		{Line: 10, Environment: "staging", User: &account.User{ID: "ada", Email: "ada@globex.example", Name: "Ada", Blocked: true}},
		{Line: 11, Environment: "staging", Membership: &directory.Grant{Account: "globex", User: "ada", Roles: []account.RoleKey{"admin", "viewer"}, SubAccountAccess: new(false), ExpiresAt: new(time.Date(2034, 12, 31, 23, 0, 0, 0, time.UTC))}},
		{Line: 12, Environment: "staging", Membership: &directory.Grant{Account: "north", User: "ada", Roles: []account.RoleKey{"viewer"}, SubAccountAccess: new(true), KeptFromAlwaysOn: true}},
		{Line: 13, Environment: "dev", NewEnvironment: &account.Environment{ID: "dev", Name: "Dev", DefaultAccessMode: account.DefaultOff, MaxDepth: account.DefaultMaxDepth, InvitationHours: 168, TokenMinutes: 15}},
		{Line: 14, Environment: "dev", User: &account.User{ID: "bob", Email: "bob@globex.example"}},
		{Line: 15, Environment: "qa", NewEnvironment: &account.Environment{ID: "qa", Name: "qa", DefaultAccessMode: account.DefaultOff, MaxDepth: account.DefaultMaxDepth, InvitationHours: 168, TokenMinutes: 15}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		line, code, field string
		says              string // part of the text
	}{
		"no JSON":             {`{"kind":"user",`, "invalid_json", "", "unexpected end"},
		"a list":              {`["user"]`, "invalid_json", "", "not a list"},
		"trailing garbage":    {`{"kind":"user","id":"a","email":"a@b.example"} {}`, "invalid_json", "", "after top-level value"},
		"invalid UTF-8":       {"{\"kind\":\"user\",\"id\":\"a\",\"email\":\"a@b.example\",\"name\":\"\xff\"}", "invalid_json", "", "UTF-8"},
		"UTF-8 in a comment":  {"# \xc3", "invalid_json", "", "UTF-8"},
		"half a surrogate":    {`{"kind":"user","id":"a","email":"a@b.example","name":"x\ud800"}`, "invalid_json", "name", "escape"},
		"half, in a name":     {`{"kind":"user","x\udc00":1}`, "invalid_json", "", "escape"},
		"a field twice":       {`{"kind":"user","id":"a","id":"b","email":"a@b.example"}`, "invalid_json", "id", "twice"},
		"twice, escaped":      {`{"kind":"user","id":"a","\u0069d":"b","email":"a@b.example"}`, "invalid_json", "id", "twice"},
		"a number for text":   {`{"kind":"user","id":7,"email":"a@b.example"}`, "invalid_json", "id", "a string, not a number"},
		"a flag for a mode":   {`{"kind":"account","id":"a","name":"A","sub_account_access":true}`, "invalid_json", "sub_account_access", "an access mode (default_off, default_on, always_on), not true or false"},
		"a mode for a flag":   {`{"kind":"membership","account":"a","user":"u","roles":["r"],"sub_account_access":"default_on"}`, "invalid_json", "sub_account_access", "true or false, not a string"},
		"text for a list":     {`{"kind":"membership","account":"a","user":"u","roles":"r"}`, "invalid_json", "roles", "a list of strings, not a string"},
		"a number in a list":  {`{"kind":"membership","account":"a","user":"u","roles":["r",{"x":[1,"]"]},3]}`, "invalid_json", "roles", "an object in it"},
		"a broken number":     {`{"kind":"environment","id":"e","name":"E","max_depth":1.5}`, "invalid_json", "max_depth", "whole number"},
		"text for a number":   {`{"kind":"environment","id":"e","name":"E","max_depth":"5"}`, "invalid_json", "max_depth", "whole number, not a string"},
		"kind of wrong type":  {`{"kind":{}}`, "invalid_json", "kind", "not an object"},
		"no kind":             {`{"id":"a"}`, "unknown_kind", "kind", "no kind"},
		"unknown kind":        {`{"kind":"tenant","id":"a"}`, "unknown_kind", "kind", `"tenant"`},
		"a client":            {`{"kind":"client","id":"a"}`, "unknown_kind", "kind", "membership"},
		"unknown field":       {`{"kind":"user","id":"a","mail":"a@b.example"}`, "unknown_field", "mail", "its fields are kind, id, email, name, blocked, created_at"},
		"fields have case":    {`{"kind":"user","ID":"a","email":"a@b.example"}`, "unknown_field", "ID", `"ID"`},
		"odd unknown field":   {`{"kind":"user","id":"a","email":"a@b.example","é\n":1}`, "unknown_field", "", "no field"},
		"too many fields":     {manyFields(40_000), "unknown_field", "", "more than 32 fields"},
		"no id":               {`{"kind":"account","name":"A"}`, "missing_field", "id", "must be given"},
		"null id":             {`{"kind":"account","id":null,"name":"A"}`, "missing_field", "id", "must be given"},
		"no email":            {`{"kind":"user","id":"a"}`, "missing_field", "email", "must be given"},
		"no permissions":      {`{"kind":"role","key":"a"}`, "missing_field", "permissions", "must be given"},
		"no name":             {`{"kind":"account","id":"a"}`, "missing_name", "name", "not be empty"},
		"no roles":            {`{"kind":"membership","account":"a","user":"u","roles":[]}`, "missing_role", "roles", "at least one"},
		"malformed id":        {`{"kind":"account","id":"a/b","name":"A"}`, "invalid_id", "id", `"a/b"`},
		"malformed parent":    {`{"kind":"account","id":"a","name":"A","parent":""}`, "invalid_id", "parent", "1 to 64"},
		"malformed role":      {`{"kind":"membership","account":"a","user":"u","roles":["r s"]}`, "invalid_id", "roles", `"r s"`},
		"control in a name":   {`{"kind":"account","id":"a","name":"A\u0000B"}`, "invalid_name", "name", "control"},
		"a long name":         {`{"kind":"account","id":"a","name":"` + strings.Repeat("é", 201) + `"}`, "name_too_long", "name", "201"},
		"malformed email":     {`{"kind":"user","id":"a","email":"ada"}`, "invalid_email", "email", `"ada"`},
		"unknown mode":        {`{"kind":"account","id":"a","name":"A","sub_account_access":"on"}`, "invalid_access_mode", "sub_account_access", `"on"`},
		"too deep":            {`{"kind":"environment","id":"e","name":"E","max_depth":41}`, "invalid_max_depth", "max_depth", "40"},
		"a date is no time":   {`{"kind":"membership","account":"a","user":"u","roles":["r"],"expires_at":"2035-01-01"}`, "invalid_time", "expires_at", "RFC 3339"},
		"half a second":       {`{"kind":"membership","account":"a","user":"u","roles":["r"],"expires_at":"2035-01-01T00:00:00.5Z"}`, "invalid_time", "expires_at", "whole seconds"},
		"out of history":      {`{"kind":"account","id":"a","name":"A","created_at":"0001-01-01T00:00:00Z"}`, "invalid_time", "created_at", "1900"},
		"kept without access": {`{"kind":"membership","account":"a","user":"u","roles":["r"],"sub_account_access":false,"kept_from_always_on":true}`, "kept_without_access", "kept_from_always_on", "refuses"},
		"line too long":       {"#" + strings.Repeat(" ", ndjson.MaxLine), "line_too_long", "", "1048576"},
		"line far too long":   {`{"kind":"` + strings.Repeat("a", 3*ndjson.MaxLine), "line_too_long", "", "1048576"},
		"a second mark":       {"\uFEFF{}", "invalid_json", "", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			records := 0
			err := ndjson.Read(strings.NewReader("# chapter\n"+`{"kind":"account","id":"a","name":"A"}`+"\n"+c.line+"\n"+`{"kind":"nonsense"}`+"\n"),
				func(directory.Record) error { records++; return nil })
			bad, ok := errors.AsType[*fault.Error](err)
			if !ok {
				t.Fatalf("got %v, want a fault", err)
			}
			got := []any{bad.Kind, bad.Code, bad.Field, bad.Line, records}
			if diff := cmp.Diff([]any{fault.Invalid, c.code, c.field, 3, 1}, got); diff != "" {
				t.Errorf("kind, code, field, line, records (-want +got):\n%s%v", diff, err)
			}
			if !strings.Contains(bad.Text, c.says) {
				t.Errorf("text %q does not say %q", bad.Text, c.says)
			}
		})
	}
}

func manyFields(n int) string {
	var s strings.Builder
	s.WriteString(`{"kind":"user"`)
	for i := range n {
		s.WriteString(`,"` + strings.Repeat("x", i%5) + string(rune('a'+i%26)) + string(rune(0x4e00+i%20000)) + `":1`)
	}
	return s.String() + "}"
}

func TestReadLongestLine(t *testing.T) {
	for _, end := range []string{"", "\n", "\r\n"} {
		for _, mark := range []string{"", "\uFEFF"} {
			line := `{"kind":"account","id":"a","name":"A"}`
			line += strings.Repeat(" ", ndjson.MaxLine-len(line))
			if got := len(readAll(t, mark+line+end)); got != 1 {
				t.Errorf("%d records of a line of MaxLine bytes with mark %q and end %q, want 1", got, mark, end)
			}
			err := ndjson.Read(strings.NewReader(mark+line+" "+end), func(directory.Record) error { return nil })
			if !errors.Is(err, fault.New(fault.Invalid, "line_too_long", "")) {
				t.Errorf("one byte more, mark %q, end %q: %v, want line_too_long", mark, end, err)
			}
		}
	}
}

func TestReadReturnsErrorsOfOthers(t *testing.T) {
	line := `{"kind":"account","id":"a","name":"A"}` + "\n"
	gone := errors.New("connection lost")

	err := ndjson.Read(io.MultiReader(strings.NewReader(line+`{"kind":"acc`), iotest.ErrReader(gone)),
		func(directory.Record) error { return nil })
	if !errors.Is(err, gone) || errors.Is(err, fault.Invalid) {
		t.Errorf("a line cut short by an error of the reader: %v, want that error", err)
	}

	calls := 0
	err = ndjson.Read(strings.NewReader(line+line), func(directory.Record) error { calls++; return gone })
	if err != gone || calls != 1 { //nolint:errorlint // the very error is promised
		t.Errorf("after an error of fn: %v after %d calls, want that error after 1", err, calls)
	}
}

func BenchmarkRead(b *testing.B) {
	text := strings.Repeat(`{"kind":"account","id":"acc-5","name":"Operations Central","parent":"acc-2","sub_account_management":false,"sub_account_access":"default_off","created_at":"2024-07-22T13:58:05Z"}
{"kind":"user","id":"user-1","email":"maja.bianchi.1@willow.example","name":"Maja Bianchi","blocked":false}
{"kind":"membership","account":"acc-1","user":"user-1","roles":["manager"],"sub_account_access":false}
`, 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := ndjson.Read(strings.NewReader(text), func(directory.Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
