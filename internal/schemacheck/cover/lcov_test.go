package cover_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// record is a file of a tracefile, read as the format's manual has it.
type record struct {
	functions, lines   map[string]int // by name and by number
	branches           map[string]string
	declared, contents map[string]int // the totals, and what they should be
}

// parseLCOV reads a tracefile; whatever breaks the format fails the test.
func parseLCOV(t *testing.T, text string) map[string]*record {
	t.Helper()
	files := map[string]*record{}
	var now *record
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			t.Fatalf("no count: %q", s)
		}
		return n
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		key, value, _ := strings.Cut(line, ":")
		if (now == nil) != (key == "TN" || key == "SF") {
			t.Fatalf("%s is at the wrong place", line)
		}
		fields := strings.Split(value, ",")
		switch key {
		case "TN":
		case "SF":
			now = &record{map[string]int{}, map[string]int{}, map[string]string{}, map[string]int{}, map[string]int{}}
			files[value] = now
		case "FN":
			number(fields[0])
			now.functions[fields[1]] = -1
			now.contents["FNF"]++
		case "FNDA":
			if now.functions[fields[1]] != -1 {
				t.Fatalf("%s before its FN, or twice", line)
			}
			if now.functions[fields[1]] = number(fields[0]); now.functions[fields[1]] > 0 {
				now.contents["FNH"]++
			}
		case "BRDA":
			place := strings.Join(fields[:3], ",")
			if _, twice := now.branches[place]; twice {
				t.Fatalf("%s twice", place)
			}
			now.branches[place] = fields[3]
			now.contents["BRF"]++
			if fields[3] != "-" && number(fields[3]) > 0 {
				now.contents["BRH"]++
			}
		case "DA":
			now.lines[fields[0]] = number(fields[1])
			now.contents["LF"]++
			if now.lines[fields[0]] > 0 {
				now.contents["LH"]++
			}
		case "FNF", "FNH", "BRF", "BRH", "LF", "LH":
			if now.declared[key] = number(value); now.declared[key] == 0 {
				delete(now.declared, key)
			}
		case "end_of_record":
			if diff := cmp.Diff(now.contents, now.declared); diff != "" {
				t.Error(diff)
			}
			now = nil
		default:
			t.Fatalf("the format has no %s", key)
		}
	}
	if now != nil {
		t.Error("no end_of_record")
	}
	return files
}

func TestLCOV(t *testing.T) {
	t.Parallel()
	p := story(t, "documents.zed")
	p.Merge(story(t, "other.zed"))
	var out bytes.Buffer
	if err := p.WriteLCOV(&out); err != nil {
		t.Fatal(err)
	}
	files := parseLCOV(t, out.String())
	if len(files) != 2 || !cmp.Equal(files["documents.zed"], files["other.zed"], cmp.AllowUnexported(record{})) {
		t.Fatalf("%d files", len(files))
	}
	got := files["documents.zed"]
	if got.functions["document#view"] != 4 || got.functions["document#both"] != 0 || got.lines["12"] != 4 || got.lines["13"] != 0 || len(got.lines) != 9 {
		t.Errorf("%+v", got)
	}
	of := func(line int) []string {
		var all []string
		for block := 0; ; block++ {
			allowed, hasAllowed := got.branches[fmt.Sprintf("%d,%d,0", line, block)]
			denied, ok := got.branches[fmt.Sprintf("%d,%d,1", line, block)]
			if !ok {
				return all
			}
			if !hasAllowed {
				allowed = "never"
			}
			all = append(all, allowed+"/"+denied)
		}
	}
	for line, want := range map[int][]string{
		10: {"2/1", "2/2", "0/3", "0/4"}, 12: {"2/1", "1/2", "2/1", "1/3", "1/3"}, 14: {"-/-", "never/-", "-/-"}, 5: {"never/-"},
	} {
		if diff := cmp.Diff(want, of(line)); diff != "" {
			t.Errorf("line %d: %s", line, diff)
		}
	}
}
