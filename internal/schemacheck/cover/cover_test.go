package cover_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/cover"
	"github.com/tenantry/tenantry/internal/schemacheck/eval"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const documents = `caveat office(day int) { day < 5 }
definition user {}
definition folder {
	relation owner: user
	permission none = nil
	permission open = owner
}
definition document {
	relation folder: folder
	relation reader: user | user with office | user:*
	relation banned: user
	permission view = (reader - banned) + folder->open + nil
	permission both = reader & folder.all(open)
	permission never = folder->none + reader
}`

func compile(t *testing.T, path, text string) *zed.Schema {
	t.Helper()
	s, findings := zed.Compile(t.Context(), zed.File(finding.NewSource(path, text)))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return s
}

// ask adds assertions about relationships to a profile.
func ask(t *testing.T, p *cover.Profile, s *zed.Schema, relationships []string, questions ...string) {
	t.Helper()
	var all []tuple.Relationship
	for _, r := range relationships {
		all = append(all, tuple.MustParse(r))
	}
	w := eval.New(s, all, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, q := range questions {
		r := tuple.MustParse(q)
		if v := p.Add(w, r.Resource, r.Subject, nil); v.Outcome == eval.Undecided {
			t.Fatal(v.Why)
		}
	}
}

func story(t *testing.T, path string) *cover.Profile {
	t.Helper()
	s := compile(t, path, documents)
	p := cover.New(s)
	ask(t, p, s, []string{
		"document:a#folder@folder:f", "folder:f#owner@user:owner", "document:a#reader@user:reader", "document:a#banned@user:banned",
		"document:a#reader@user:banned", "document:a#reader@user:sometimes[office]",
	}, "document:a#view@user:owner", "document:a#view@user:reader", "document:a#view@user:banned", "document:a#view@user:sometimes")
	return p
}

func lines(p *cover.Profile) []string {
	var all []string
	for _, i := range p.Items() {
		all = append(all, fmt.Sprintf("%d:%d %s: %d = %d allowed, %d denied, %d conditional; %s", i.At.Line, i.At.Column, i, i.Reached, i.Allowed, i.Denied, i.Conditional, i.Missing()))
	}
	return all
}

func TestEveryPartIsCountedByWhatItCameTo(t *testing.T) {
	t.Parallel()
	want := []string{
		"4:2 relation folder#owner: 4 = 1 allowed, 3 denied, 0 conditional; ",
		"5:2 permission folder#none: 0 = 0 allowed, 0 denied, 0 conditional; never reached",
		"6:2 permission folder#open: 4 = 1 allowed, 3 denied, 0 conditional; ",
		"9:2 relation document#folder: 4 = 1 allowed, 3 denied, 0 conditional; ",
		"10:2 relation document#reader: 4 = 2 allowed, 1 denied, 1 conditional; ",
		"10:19 type user of document#reader: 4 = 2 allowed, 2 denied, 0 conditional; ",
		"10:26 type user with office of document#reader: 4 = 0 allowed, 3 denied, 1 conditional; never allowed",
		"10:45 type user:* of document#reader: 4 = 0 allowed, 4 denied, 0 conditional; never allowed",
		"11:2 relation document#banned: 4 = 1 allowed, 3 denied, 0 conditional; ",
		"12:2 permission document#view: 4 = 2 allowed, 1 denied, 1 conditional; ",
		"12:21 branch reader - banned of document#view: 4 = 1 allowed, 2 denied, 1 conditional; ",
		"12:21 branch reader of document#view: 4 = 2 allowed, 1 denied, 1 conditional; ",
		"12:30 branch banned of document#view: 4 = 1 allowed, 3 denied, 0 conditional; ",
		"12:40 branch folder->open of document#view: 4 = 1 allowed, 3 denied, 0 conditional; ",
		"13:2 permission document#both: 0 = 0 allowed, 0 denied, 0 conditional; never reached",
		"13:20 branch reader of document#both: 0 = 0 allowed, 0 denied, 0 conditional; never reached",
		"13:29 branch folder.all(open) of document#both: 0 = 0 allowed, 0 denied, 0 conditional; never reached",
		"14:2 permission document#never: 0 = 0 allowed, 0 denied, 0 conditional; never reached",
		"14:21 branch folder->none of document#never: 0 = 0 allowed, 0 denied, 0 conditional; never reached",
		"14:36 branch reader of document#never: 0 = 0 allowed, 0 denied, 0 conditional; never reached",
	}
	p := story(t, "documents.zed")
	if diff := cmp.Diff(want, lines(p)); diff != "" {
		t.Error(diff)
	}
	// 20 items of two outcomes each, but for folder#none and folder->none, which can only deny; 13 items were seen to deny, 11 to allow
	if want := 100 * 24.0 / 38; p.Percent() != want {
		t.Errorf("%v%%, want %v%%", p.Percent(), want)
	}
}

func TestWhatCanOnlyDenyIsCoveredWhenItDid(t *testing.T) {
	t.Parallel()
	s := compile(t, "x.zed", documents)
	p := cover.New(s)
	ask(t, p, s, []string{"document:a#folder@folder:f"}, "document:a#never@user:x")
	for _, i := range p.Items() {
		if strings.HasSuffix(i.Relation, "none") || i.Text == "folder->none" {
			if i.Possible() != 1 || i.Missing() != "" || i.Seen() != 1 {
				t.Errorf("%s: %d of %d, %q", i, i.Seen(), i.Possible(), i.Missing())
			}
		}
	}
}

func TestProfilesOfTheSameFileMerge(t *testing.T) {
	t.Parallel()
	p, q := story(t, "same.zed"), story(t, "same.zed")
	p.Merge(q)
	p.Merge(story(t, "other.zed"))
	counts := map[string]int{}
	for _, i := range p.Items() {
		if i.Kind == cover.Permission && i.Relation == "view" {
			counts[i.At.Source.Path] = i.Reached
		}
	}
	if diff := cmp.Diff(map[string]int{"same.zed": 8, "other.zed": 4}, counts); diff != "" {
		t.Error(diff)
	}
	if len(q.Items())*2 != len(p.Items()) || q.Items()[0].Reached != 4 {
		t.Error("merging changed what was merged")
	}
}

func TestTextHasTheTableAndABoundedList(t *testing.T) {
	t.Parallel()
	p := story(t, "documents.zed")
	var all, some bytes.Buffer
	if err := p.WriteText(&all, 100); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteText(&some, 2); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(all.String(), "\ndocuments.zed:10:26: type user with office of document#reader: never allowed\n") || strings.Contains(all.String(), "more\n") {
		t.Error(all.String())
	}
	if !strings.Contains(all.String(), "63.2%") || strings.Count(all.String(), "documents.zed:") != 9 {
		t.Error(all.String())
	}
	if strings.Count(some.String(), "documents.zed:") != 2 || !strings.HasSuffix(some.String(), "\nand 7 more\n") {
		t.Error(some.String())
	}
}
