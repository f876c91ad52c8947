package httpapi

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// awkward are values that break formats which are put together by hand.
var awkward = []string{
	"=HYPERLINK(\"http://evil.example\")", "+1", "-1", "@SUM(A1)", "\t=1", "'quoted", "comma, \"quote\"", "two\r\nlines", "a\nb", "ünï", "",
}

// TestL1_CSVIsReadBackAsItWas also by a spreadsheet: no cell begins a formula.
func TestL1_CSVIsReadBackAsItWas(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)
	var entries []directory.LogEntry
	for i, text := range awkward {
		before, after := account.User{ID: "-ada", Name: text, CreatedAt: at}, account.User{ID: "-ada", Email: text, CreatedAt: at}
		entries = append(entries, directory.LogEntry{Total: 3, Entry: account.Entry{
			Version: account.Version(i + 1), At: at, Kind: account.UserChanged, RequestID: text, From: text,
			Actor: account.Actor{Client: "-shop", User: "ada", Impersonation: "=imp"},
			Changes: []account.Change{
				{Before: account.Of(before), After: account.Of(after)},
				{After: account.Of(account.Membership{Account: "globex", User: "ada", Roles: []account.RoleKey{"a"}, CreatedAt: at})},
				{Before: account.Of(account.Assignment{Account: "globex", Role: "a"})},
			},
		}})
	}
	entries = append(entries, directory.LogEntry{Entry: account.Entry{Version: 99, At: at, Kind: account.Imported}})
	var out bytes.Buffer
	w := NewLogWriter(&out, CSV)
	for _, e := range entries {
		if err := w.Entry(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Complete(120); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, c := range row {
			if c != "" && strings.ContainsAny(c[:1], "=+-@\t\r\n") {
				t.Errorf("a cell begins a formula: %q", c)
			}
		}
	}
	if diff := cmp.Diff(LogColumns(), rows[0]); diff != "" {
		t.Errorf("columns:\n%s", diff)
	}
	if want := 1 + 3*len(awkward) + 1 + 1; len(rows) != want {
		t.Fatalf("%d rows, want %d", len(rows), want)
	}
	unlike := func(c string) string { return strings.TrimPrefix(c, "'") }
	for i, text := range awkward {
		row := rows[1+3*i]
		text := strings.ReplaceAll(text, "\r\n", "\n") // encoding/csv reads line ends so
		if got := []string{unlike(row[6]), unlike(row[7])}; got[0] != text || got[1] != text {
			t.Errorf("%q came back as %q", text, got)
		}
		var user User
		if err := json.Unmarshal([]byte(row[14]), &user); err != nil || user.Email != awkward[i] || unlike(row[12]) != "-ada" {
			t.Errorf("after: %v %q", err, row[14])
		}
		want := [][]string{{"1", "3", "changed", "user"}, {"2", "3", "created", "membership", "globex/ada"}, {"3", "3", "deleted", "assignment", "globex/a"}}
		for n, part := range want {
			if diff := cmp.Diff(part, rows[1+3*i+n][8:8+len(part)]); diff != "" {
				t.Errorf("change %d:\n%s", n, diff)
			}
		}
	}
	last := rows[len(rows)-1]
	if diff := cmp.Diff([]string{"complete", "entries=12", "through=120"}, last[:3]); diff != "" {
		t.Errorf("the last line:\n%s", diff)
	}
}

func TestL1_NDJSONHasOneEntryALine(t *testing.T) {
	var out bytes.Buffer
	w := NewLogWriter(&out, NDJSON)
	for i, text := range awkward {
		e := account.Entry{Version: account.Version(i + 1), RequestID: text, Kind: account.Imported, Actor: account.Actor{System: true}}
		if err := w.Entry(directory.LogEntry{Entry: e, Total: 7}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Complete(50); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for i, text := range awkward {
		var e Entry
		if err := json.Unmarshal([]byte(lines[i]), &e); err != nil || e.RequestID != text || e.ChangesTotal != 7 {
			t.Errorf("line %d: %v %s", i, err, lines[i])
		}
	}
	if last := lines[len(lines)-1]; last != `{"complete":true,"entries":11,"through":50}` {
		t.Errorf("the last line is %s", last)
	}
}
