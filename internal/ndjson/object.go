package ndjson

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// field is one name and value of a JSON object; the value is its text.
type field struct {
	name  string
	value []byte
	asked bool // a reader of the record's kind has asked for it
}

// mostFields bounds the work that one line can ask for; it is more than any kind has.
const mostFields = 32

// object is a JSON object whose values are still text. Readers (values.go) ask it for
// fields by name; the first that does not suit is kept, and reported by finish.
type object struct {
	fields []field
	names  []string // what was asked for, in order
	bad    *fault.Error
}

// parse takes the object apart. Values refer to the line.
func (o *object) parse(line []byte) *fault.Error {
	o.fields, o.names, o.bad = o.fields[:0], o.names[:0], nil
	if !json.Valid(line) {
		var whole json.RawMessage
		return invalidJSON("not valid JSON: %v", json.Unmarshal(line, &whole))
	}
	if line[0] != '{' {
		return invalidJSON("the line must be a JSON object, not %s", typeOf(line))
	}
	rest := skipSpace(line[1:])
	for rest[0] != '}' {
		end := valueEnd(rest)
		name, ok := text(rest[:end])
		if !ok {
			return invalidJSON("the name of a field has an escape that stands for no character")
		}
		rest = skipSpace(skipSpace(rest[end:])[1:]) // the colon
		end = valueEnd(rest)
		if slices.ContainsFunc(o.fields, func(f field) bool { return f.name == name }) {
			return in(name, invalidJSON("the field %s is given twice", account.Quote(name)))
		}
		if len(o.fields) == mostFields {
			return fault.New(fault.Invalid, "unknown_field", "the line has more than %d fields; no kind has as many", mostFields)
		}
		o.fields = append(o.fields, field{name: name, value: rest[:end]})
		if rest = skipSpace(rest[end:]); rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
	}
	return nil
}

// value returns the text of a field; nil if the object does not have it, or has null.
func (o *object) value(name string) []byte {
	if !slices.Contains(o.names, name) {
		o.names = append(o.names, name)
	}
	for i := range o.fields {
		if f := &o.fields[i]; f.name == name {
			f.asked = true
			if string(f.value) == "null" {
				return nil
			}
			return f.value
		}
	}
	return nil
}

// fail keeps the first fault.
func (o *object) fail(bad *fault.Error) {
	if o.bad == nil {
		o.bad = bad
	}
}

// finish returns what is wrong with the object, once all its fields have been asked for.
// A field nobody asked for comes first: as a rule it is a slip of the pen for one that is missing.
func (o *object) finish(kind string) *fault.Error {
	for _, f := range o.fields {
		if !f.asked {
			return in(f.name, fault.New(fault.Invalid, "unknown_field", "kind %s has no field %s; its fields are %s",
				kind, account.Quote(f.name), strings.Join(o.names, ", ")))
		}
	}
	return o.bad
}

func invalidJSON(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "invalid_json", format, args...)
}

// in names the field at fault, unless the name is itself too odd to repeat.
func in(name string, bad *fault.Error) *fault.Error {
	if len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return bad
	}
	return bad.In(name)
}

// The functions below read JSON that is known to be valid.

func skipSpace(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\r') {
		s = s[1:]
	}
	return s
}

// valueEnd returns the length of the value at the start of s.
func valueEnd(s []byte) int {
	switch s[0] {
	case '"':
		return stringEnd(s)
	case '{', '[':
		depth := 0
		for i := 0; ; i++ {
			switch s[i] {
			case '"':
				i += stringEnd(s[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	default: // a number, true, false or null; inside an object or array, so something follows
		return bytes.IndexAny(s, ",]} \t\r\n")
	}
}

func stringEnd(s []byte) int {
	for i := 1; ; i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// text returns the string that a JSON string stands for; false if one of its escapes is half a surrogate pair.
func text(s []byte) (string, bool) {
	if bytes.IndexByte(s, '\\') < 0 {
		return string(s[1 : len(s)-1]), true
	}
	var t string
	if json.Unmarshal(s, &t) != nil {
		return "", false
	}
	const replacement = "\uFFFD"
	if !strings.Contains(t, replacement) {
		return t, true
	}
	given := strings.Count(string(s), replacement) + strings.Count(strings.ToLower(string(s)), `\ufffd`)
	return t, given >= strings.Count(t, replacement)
}

func typeOf(value []byte) string {
	switch value[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}
