package cover

import (
	"bufio"
	"fmt"
	"io"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// WriteLCOV writes the profile as an LCOV tracefile. A function is a relation or
// permission, a line is one on which a part begins, and the branches of a line are the
// possible outcomes of its parts: 0 is allowed and 1 is denied.
func (p *Profile) WriteLCOV(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, f := range p.files() {
		fmt.Fprintf(out, "TN:\nSF:%s\n", finding.Printable(f.source.Path))
		f.functions(out)
		f.branches(out)
		f.lines(out)
		fmt.Fprintln(out, "end_of_record")
	}
	return out.Flush()
}

// file is a source with its items.
type file struct {
	source *finding.Source
	items  []*Item
}

// files returns the items by file.
func (p *Profile) files() []file {
	var files []file
	for _, i := range p.Items() {
		if n := len(files); n == 0 || files[n-1].source.Path != i.At.Source.Path {
			files = append(files, file{source: i.At.Source})
		}
		last := &files[len(files)-1]
		last.items = append(last.items, i)
	}
	return files
}

func (f file) functions(w io.Writer) {
	found, hit := 0, 0
	var counts []string
	for _, i := range f.items {
		if i.Kind != Permission && i.Kind != Relation {
			continue
		}
		name := i.Definition + "#" + i.Relation
		fmt.Fprintf(w, "FN:%d,%s\n", i.At.Line, name)
		counts = append(counts, fmt.Sprintf("FNDA:%d,%s", i.Reached, name))
		found++
		if i.Reached > 0 {
			hit++
		}
	}
	for _, c := range counts {
		fmt.Fprintln(w, c)
	}
	fmt.Fprintf(w, "FNF:%d\nFNH:%d\n", found, hit)
}

func (f file) branches(w io.Writer) {
	found, hit, line, block := 0, 0, 0, 0
	write := func(i *Item, branch, count int) {
		taken := fmt.Sprint(count)
		if i.Reached == 0 {
			taken = "-"
		}
		fmt.Fprintf(w, "BRDA:%d,%d,%d,%s\n", i.At.Line, block, branch, taken)
		found++
		if count > 0 {
			hit++
		}
	}
	for _, i := range f.items {
		if block++; i.At.Line != line {
			line, block = i.At.Line, 0
		}
		if i.CanAllow {
			write(i, 0, i.Allowed)
		}
		write(i, 1, i.Denied)
	}
	fmt.Fprintf(w, "BRF:%d\nBRH:%d\n", found, hit)
}

func (f file) lines(w io.Writer) {
	type line struct{ number, count int }
	var lines []line
	for _, i := range f.items {
		if n := len(lines); n == 0 || lines[n-1].number != i.At.Line {
			lines = append(lines, line{number: i.At.Line})
		}
		last := &lines[len(lines)-1]
		last.count = max(last.count, i.Reached)
	}
	hit := 0
	for _, l := range lines {
		fmt.Fprintf(w, "DA:%d,%d\n", l.number, l.count)
		if l.count > 0 {
			hit++
		}
	}
	fmt.Fprintf(w, "LF:%d\nLH:%d\n", len(lines), hit)
}
