package mail

import (
	"embed"
	"errors"
	"html"
	htmltemplate "html/template"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/fault"
)

//go:embed templates
var builtin embed.FS

// maxTemplate is the most bytes of a template file.
const maxTemplate = 256 << 10

// functions are what templates have beside those of Go.
var functions = map[string]any{"date": date}

// date writes a time for readers anywhere.
func date(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006, 15:04 UTC") }

// templates are the parsed ones of every kind of letter.
type templates map[Kind]pair

type pair struct {
	text *texttemplate.Template // its first line is the subject: "Subject: …"
	html *htmltemplate.Template
}

// loadTemplates reads the templates: those in the folder, if one is named, in
// place of the built-in ones of the same names. Each is filled once, so that a
// mistake is an Invalid fault (mail_template), with file and line, before any letter is sent.
func loadTemplates(folder string) (templates, error) {
	own, err := replaced(folder)
	if err != nil {
		return nil, err
	}
	loaded := templates{}
	for _, kind := range kinds {
		loaded[kind], err = loadPair(kind, own)
		if err != nil {
			return nil, err
		}
	}
	return loaded, nil
}

// replaced returns the text of the files in the folder by their names.
func replaced(folder string) (map[string]string, error) {
	own := map[string]string{}
	if folder == "" {
		return own, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fault.New(fault.Invalid, badTemplate, "the folder of mail templates, %s, cannot be read", folder).Because(err)
	}
	in := os.DirFS(folder)
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue // hidden, as in a folder that Kubernetes mounts
		}
		if !slices.Contains(names(), name) {
			return nil, fault.New(fault.Invalid, badTemplate, "%s in the folder of mail templates is none of %s", name, strings.Join(names(), ", "))
		}
		if own[name], err = readTemplate(in, name); err != nil {
			return nil, err
		}
	}
	return own, nil
}

// names are the file names of all templates.
func names() []string {
	var all []string
	for _, k := range kinds {
		all = append(all, string(k)+".txt", string(k)+".html")
	}
	return all
}

func readTemplate(in fs.FS, name string) (string, error) {
	info, err := fs.Stat(in, name)
	if err == nil && info.Size() > maxTemplate {
		err = errors.New("it has more than " + strconv.Itoa(maxTemplate) + " bytes")
	}
	var text []byte
	if err == nil {
		text, err = fs.ReadFile(in, name)
	}
	if err == nil && !utf8.Valid(text) {
		err = errors.New("it is not valid UTF-8")
	}
	if err != nil {
		return "", fault.New(fault.Invalid, badTemplate, "mail template %s cannot be used", name).Because(err)
	}
	return strings.ReplaceAll(strings.TrimPrefix(string(text), "\uFEFF"), "\r\n", "\n"), nil
}

func loadPair(kind Kind, own map[string]string) (pair, error) {
	source := func(name string) (string, error) {
		if text, ok := own[name]; ok {
			return text, nil
		}
		text, err := builtin.ReadFile("templates/" + name)
		return string(text), err
	}
	textName, htmlName := string(kind)+".txt", string(kind)+".html"
	var p pair
	content, err := source(textName)
	if err != nil {
		return p, err
	}
	if p.text, err = texttemplate.New(textName).Funcs(functions).Parse(content); err != nil {
		return p, wrong(textName, err)
	}
	if content, err = source(htmlName); err != nil {
		return p, err
	}
	if p.html, err = htmltemplate.New(htmlName).Funcs(functions).Parse(content); err != nil {
		return p, wrong(htmlName, err)
	}
	return p, p.try(kind)
}

// try fills the templates with letters that have every field, and only those that all have.
func (p pair) try(kind Kind) error {
	full := Sample("ada@customer.example")
	full.Kind = kind
	bare := full
	bare.ToName, bare.InviterName = "", ""
	for _, l := range []Letter{full, bare} {
		c, err := p.fill(l)
		if err != nil {
			return err
		}
		if !strings.Contains(c.text, l.Link) {
			return wrong(p.text.Name(), errors.New("it does not show {{.Link}}"))
		}
		if !strings.Contains(html.UnescapeString(c.html), l.Link) {
			return wrong(p.html.Name(), errors.New("it does not show {{.Link}}"))
		}
	}
	return nil
}

// place is how the template packages say where a mistake is.
var place = regexp.MustCompile(`^(?:html/)?template: ?[^:]*:(\d+)(?::\d+)?: `)

// badTemplate is the code of every fault of a template.
const badTemplate = "mail_template"

// wrong is the fault of a template that cannot be used, with its line if that is known.
func wrong(name string, err error) error {
	text, where := err.Error(), ""
	if m := place.FindStringSubmatch(text); m != nil {
		text, where = text[len(m[0]):], ", line "+m[1]
	}
	return fault.New(fault.Invalid, badTemplate, "mail template %s%s: %s", name, where, text)
}
