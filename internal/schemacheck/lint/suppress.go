package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

const (
	badSuppression    = "bad-suppression"
	unusedSuppression = "unused-suppression"
)

// suppression is a comment that silences one lint in what it stands above.
type suppression struct {
	name string
	at   zed.Location
	in   *zed.Definition
	of   *zed.Relation // nil if it is for all of the definition
	by   *zed.Caveat
	used bool
}

func (s *suppression) covers(f found) bool {
	return s.name == f.Code && s.in == f.in && s.by == f.by && (s.of == nil || s.of == f.of)
}

var directive = regexp.MustCompile(`//\s*lint:ignore\b(.*)$`)

// suppress returns what was found and is not silenced, and what is wrong with the comments.
func (r *run) suppress() []finding.Finding {
	var findings []finding.Finding
	suppressions, wrong := r.suppressions()
	for _, f := range r.found {
		silenced := false
		for _, s := range suppressions {
			if s.covers(f) {
				s.used, silenced = true, true
			}
		}
		if !silenced {
			findings = append(findings, f.Finding)
		}
	}
	if r.enabled(badSuppression) {
		findings = append(findings, wrong...)
	}
	for _, s := range unused(suppressions) {
		if r.enabled(s.name) && r.enabled(unusedSuppression) {
			findings = append(findings, s.at.Finding(finding.Warning, unusedSuppression,
				"this comment silences %s, which finds nothing here: what it excuses is gone, or is elsewhere; remove the comment, or put it directly above what it is about", s.name))
		}
	}
	return findings
}

// unused returns the suppressions that silence nothing. What stands in a partial
// is there once for each definition that takes it, and may be for one of them alone.
func unused(all []*suppression) []*suppression {
	type written struct {
		name string
		line
	}
	at := func(s *suppression) written { return written{s.name, line{s.at.Source, s.at.Line}} }
	used := map[written]bool{}
	for _, s := range all {
		used[at(s)] = used[at(s)] || s.used
	}
	return slices.DeleteFunc(distinct(all, at), func(s *suppression) bool { return used[at(s)] })
}

// suppressions reads the comments of everything that may have them.
func (r *run) suppressions() ([]*suppression, []finding.Finding) {
	read := reader{known: map[string]Lint{}, seen: map[line]bool{}}
	for _, l := range All() {
		read.known[l.Name] = l
	}
	for _, c := range r.Caveats {
		read.above(c.At, c.Comments, suppression{by: c})
	}
	for _, d := range r.Definitions {
		read.above(d.At, d.Comments, suppression{in: d})
		for _, rel := range d.Relations {
			read.above(rel.At, rel.Comments, suppression{in: d, of: rel})
		}
	}
	read.rest(r.Text)
	return read.good, read.wrong
}

type line struct {
	source *finding.Source
	number int
}

// reader reads comments that silence lints.
type reader struct {
	known map[string]Lint
	seen  map[line]bool
	good  []*suppression
	wrong []finding.Finding
}

// above reads the comments above a place.
func (c *reader) above(at zed.Location, comments []string, s suppression) {
	if !slices.ContainsFunc(comments, func(text string) bool { return strings.Contains(text, "lint:ignore") }) {
		return
	}
	for n := at.Line - 1; n > 0 && isComment(at.Source.Line(n)); n-- {
		if m := directive.FindStringSubmatch(at.Source.Line(n)); m != nil {
			s.at = zed.Location{Source: at.Source, Place: finding.At(n, 1+len(leading(at.Source.Line(n))))}
			c.seen[line{at.Source, n}] = true
			c.read(s, m[1])
		}
	}
}

// read reads what follows lint:ignore.
func (c *reader) read(s suppression, text string) {
	names, reason, _ := strings.Cut(text, ":")
	if strings.TrimSpace(reason) == "" {
		c.bad(s.at, "this comment gives no reason, so it silences nothing: whoever reads it later must know why it may stay; write `// lint:ignore name: reason`")
		return
	}
	for name := range strings.SplitSeq(names, ",") {
		s.name = strings.TrimSpace(name)
		l, known := c.known[s.name]
		switch {
		case s.name == "":
			c.bad(s.at, "this comment names no lint, so it silences nothing; write `// lint:ignore name: reason`")
		case !known:
			c.bad(s.at, "there is no lint %q, so this comment silences nothing; the names are those in brackets after the findings", s.name)
		case l.fixed:
			c.bad(s.at, "%s cannot be silenced by a comment; mend what it says", s.name)
		default:
			one := s
			c.good = append(c.good, &one)
		}
	}
}

func (c *reader) bad(at zed.Location, text string, args ...any) {
	c.wrong = append(c.wrong, at.Finding(finding.Warning, badSuppression, text, args...))
}

// rest finds the comments of a text that stand above nothing.
func (c *reader) rest(text zed.Text) {
	for i, written := range strings.Split(text.Schema, "\n") {
		m := directive.FindStringIndex(written)
		if m == nil {
			continue
		}
		at := text.Placed(finding.At(i+1, m[0]+1))
		if !c.seen[line{text.Source, at.Line}] {
			c.bad(zed.Location{Source: text.Source, Place: at},
				"this comment silences nothing where it is: it must be on a line of its own directly above a definition, relation, permission or caveat")
		}
	}
}

func isComment(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "//") }

func leading(text string) string { return text[:len(text)-len(strings.TrimLeft(text, " \t"))] }
