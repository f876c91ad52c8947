package cover

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

//go:embed page.html.tmpl
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// WriteHTML writes the profile as one page that needs nothing else: a table of the
// definitions, and the text of each file with its parts marked by what was seen of them.
func (p *Profile) WriteHTML(w io.Writer) error {
	var view struct {
		Summary Summary
		Files   []fileView
	}
	view.Summary = p.Summary()
	for n, f := range p.files() {
		view.Files = append(view.Files, f.view(n+1))
	}
	return page.Execute(w, view)
}

// fileView is a file as the page shows it.
type fileView struct {
	Number  int
	Path    string
	Lines   []lineView
	Missing []missingView
}

type missingView struct {
	Line, Column int
	Item, What   string
}

type lineView struct {
	Number int
	Pieces []piece
}

// piece is some text, or the beginning or end of a part.
type piece struct {
	Text  string
	Open  bool
	Close bool
	State string // covered, allowed, denied, conditional or none: a class of the style sheet
	Sign  string // the same for eyes that do not tell the colours apart
	Title string
}

func (f file) view(number int) fileView {
	v := fileView{Number: number, Path: finding.Printable(f.source.Path)}
	for _, i := range f.items {
		if missing := i.Missing(); missing != "" {
			v.Missing = append(v.Missing, missingView{i.At.Line, i.At.Column, finding.Printable(i.String()), missing})
		}
	}
	spans := f.spans()
	for n := 1; n <= f.source.LastLine(); n++ {
		var on []span
		for _, s := range spans {
			if s.start.Line <= n && n <= s.end.Line {
				on = append(on, s)
			}
		}
		v.Lines = append(v.Lines, lineView{n, pieces([]rune(f.source.Line(n)), n, on)})
	}
	return v
}

// span is the text of a part; of several if a partial definition is used more than once.
type span struct {
	start, end finding.Place
	item       Item // what the parts have together
}

// spans returns the parts' texts from left to right, each before those within it.
func (f file) spans() []span {
	var all []span
	for _, i := range f.items {
		at := slices.IndexFunc(all, func(s span) bool {
			return s.start == i.At.Place && s.end == i.End && s.item.Kind == i.Kind && s.item.Text == i.Text && s.item.Relation == i.Relation
		})
		if at >= 0 {
			all[at].item.add(i)
			all[at].item.CanAllow = all[at].item.CanAllow || i.CanAllow
			continue
		}
		all = append(all, span{i.At.Place, i.End, *i})
	}
	slices.SortStableFunc(all, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start.Line, b.start.Line), cmp.Compare(a.start.Column, b.start.Column),
			cmp.Compare(b.end.Line, a.end.Line), cmp.Compare(b.end.Column, a.end.Column))
	})
	return all
}

// pieces cuts a line where parts begin and end. A part that goes over several lines begins and ends on each.
func pieces(line []rune, number int, on []span) []piece {
	var out []piece
	type opened struct {
		end  int // a column
		sign string
	}
	var open []opened
	at := 1
	text := func(to int) {
		if to = min(to, len(line)+1); to > at {
			out = append(out, piece{Text: string(line[at-1 : to-1])})
			at = to
		}
	}
	closeUntil := func(column int) {
		for len(open) > 0 && open[len(open)-1].end <= column {
			last := open[len(open)-1]
			text(last.end)
			out = append(out, piece{Close: true, Sign: last.sign})
			open = open[:len(open)-1]
		}
	}
	for _, s := range on {
		start, end := 1+leading(line), len(line)+1
		if s.start.Line == number {
			start = max(1, s.start.Column)
		}
		if s.end.Line == number {
			end = min(end, s.end.Column)
		}
		closeUntil(start)
		if len(open) > 0 {
			end = min(end, open[len(open)-1].end)
		}
		if end <= start { // nothing of it is here
			continue
		}
		text(start)
		begin := s.begin()
		out = append(out, begin)
		open = append(open, opened{end, begin.Sign})
	}
	closeUntil(len(line) + 1)
	text(len(line) + 1)
	return out
}

func leading(line []rune) int {
	return len(line) - len([]rune(strings.TrimLeft(string(line), " \t")))
}

func (s span) begin() piece {
	i := &s.item
	p := piece{Open: true, Title: fmt.Sprintf("%s: allowed by %d, denied by %d, conditional by %d of %d assertions that reached it",
		finding.Printable(i.String()), i.Allowed, i.Denied, i.Conditional, i.Reached)}
	switch i.Missing() {
	case "":
		p.State, p.Sign = "covered", "✓"
	case "never denied":
		p.State, p.Sign = "allowed", "+"
	case "never allowed":
		p.State, p.Sign = "denied", "−"
	case "only conditional":
		p.State, p.Sign = "conditional", "?"
	default:
		p.State, p.Sign = "none", "0"
	}
	return p
}
