package cover_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tenantry/tenantry/internal/schemacheck/cover"
)

func render(t *testing.T, path, text string) (*html.Node, string) {
	t.Helper()
	s := compile(t, path, text)
	p := story(t, path)
	if text != documents {
		p = cover.New(s)
	}
	var out bytes.Buffer
	if err := p.WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return root, out.String()
}

func each(n *html.Node, visit func(*html.Node)) {
	visit(n)
	for c := range n.ChildNodes() {
		each(c, visit)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// content is the text of a node without the signs and line numbers that the page adds.
func content(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.DataAtom == atom.Sup || attribute(n, "class") == "n" {
		return ""
	}
	var s strings.Builder
	for c := range n.ChildNodes() {
		s.WriteString(content(c))
	}
	return s.String()
}

func TestPageShowsEachPartWithWhatWasSeen(t *testing.T) {
	t.Parallel()
	root, _ := render(t, "documents.zed", documents)
	got := map[string]string{}
	each(root, func(n *html.Node) {
		if title := attribute(n, "title"); n.DataAtom == atom.Mark && title != "" {
			name, _, _ := strings.Cut(title, ": allowed by")
			got[name] = attribute(n, "class") + " " + content(n)
		}
		if n.DataAtom == atom.Pre {
			if text := strings.TrimSpace(content(n)); text != strings.TrimSpace(documents) {
				t.Errorf("the text became:\n%s", text)
			}
		}
	})
	for name, want := range map[string]string{
		"type user with office of document#reader": "denied user with office",
		"type user:* of document#reader":           "denied user:*",
		"branch reader - banned of document#view":  "covered reader - banned",
		"branch banned of document#view":           "covered banned",
		"branch folder->open of document#view":     "covered folder->open",
		"branch folder.all(open) of document#both": "none folder.all(open)",
		"permission document#view":                 "covered permission view",
		"relation document#reader":                 "covered relation reader",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if len(got) != 20 {
		t.Errorf("%d marks", len(got))
	}
}

func TestPageStandsAloneAndCanBeReadByAll(t *testing.T) {
	t.Parallel()
	root, text := render(t, "documents.zed", documents)
	ids, headings, counts := map[string]bool{}, "", map[atom.Atom]int{}
	each(root, func(n *html.Node) {
		counts[n.DataAtom]++
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("the id %s is there twice", id)
			}
			ids[id] = true
		}
		switch n.DataAtom {
		case atom.H1, atom.H2, atom.H3:
			headings += n.Data
		case atom.Html:
			if attribute(n, "lang") != "en" {
				t.Error("the page does not say its language")
			}
		case atom.Th:
			if attribute(n, "scope") == "" {
				t.Error("a heading of the table does not say of what")
			}
		case atom.Mark:
			if s := n.LastChild; s.DataAtom != atom.Sup || s.FirstChild.Data == "" {
				t.Errorf("a part is marked by colour alone: %s", content(n))
			}
		default: // holds nothing that is looked at
		}
	})
	each(root, func(n *html.Node) {
		if to := attribute(n, "href"); to != "" && !ids[strings.TrimPrefix(to, "#")] {
			t.Errorf("a link leads nowhere: %s", to)
		}
	})
	if headings != "h1h2h2h3" || counts[atom.Title] != 1 || counts[atom.Main] != 1 || counts[atom.Script]+counts[atom.Link]+counts[atom.Img] != 0 || strings.Contains(text, "http") {
		t.Errorf("%s %v", headings, counts)
	}
}

func TestPageEscapesWhatIsWritten(t *testing.T) {
	t.Parallel()
	root, _ := render(t, `<img src=x onerror=alert(1)>".zed`, "// <script>alert(1)</script> & \"quotes\"\ndefinition user {}\ndefinition team {\n\trelation member: user // <b>\n}\n")
	each(root, func(n *html.Node) {
		if n.DataAtom == atom.Script || n.DataAtom == atom.Img || n.DataAtom == atom.B {
			t.Errorf("<%s>", n.Data)
		}
		if n.DataAtom == atom.Pre && !strings.Contains(content(n), "// <script>alert(1)</script> & \"quotes\"\n") {
			t.Error(content(n))
		}
	})
}

func TestPartsOverSeveralLines(t *testing.T) {
	t.Parallel()
	const text = "definition user {}\ndefinition team {\n\trelation member: user\n\trelation banned: user\n\tpermission view = member + (\n\t\tmember - // why\n\t\tbanned)\n}\n"
	root, _ := render(t, "lines.zed", text)
	var marks []string
	each(root, func(n *html.Node) {
		if n.DataAtom == atom.Mark && strings.HasPrefix(attribute(n, "title"), "branch member - banned ") {
			marks = append(marks, content(n))
		}
		if n.DataAtom == atom.Pre && strings.TrimSpace(content(n)) != strings.TrimSpace(text) {
			t.Error(content(n))
		}
	})
	if strings.Join(marks, "|") != "member - // why|banned" {
		t.Errorf("%q", marks)
	}
}
