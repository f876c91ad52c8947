package httpapi

// Checks are asked more often than all else, so their bodies have a reader of their own, for the form in which
// programs write them. It takes nothing that the strict reader of all bodies (parseJSON, and the schema) would not take, and
// takes it for the same; whatever it does not know, right or wrong, is left to that one.

// quickly is a body's type that can be read so.
type quickly interface {
	// readQuickly reads a body, and changes nothing and reports false if it is to be read by the strict reader.
	readQuickly(text []byte) bool
}

func (c *Check) readQuickly(text []byte) bool {
	s := scan{text: text}
	read, ok := s.check()
	if ok = ok && s.isEnd(); ok {
		*c = read
	}
	return ok
}

// quickItems is the most items that are read so; it is no bound for callers.
const quickItems = 512

func (b *BulkCheck) readQuickly(text []byte) bool {
	s := scan{text: text}
	if name, ok := s.fieldAfter('{'); !ok || name != "items" || !s.takes('[') {
		return false
	}
	var items []Check
	for more := true; more; more = s.takes(',') {
		item, ok := s.check()
		if !ok || len(items) == quickItems {
			return false
		}
		items = append(items, item)
	}
	ok := s.takes(']') && s.takes('}') && s.isEnd()
	if ok {
		b.Items = items
	}
	return ok
}

// scan reads a text from its beginning.
type scan struct {
	text []byte
	at   int
}

// check reads an object with the three fields of a Check, each once and in any order, whose values are plain.
func (s *scan) check() (c Check, ok bool) {
	var read struct{ subject, permission, resource bool }
	before := byte('{')
	for range 3 { // all three, since none is read twice
		name, ok := s.fieldAfter(before)
		if !ok {
			return c, false
		}
		switch name {
		case "subject":
			ok = s.once(&read.subject, &c.Subject)
		case "permission":
			ok = s.once(&read.permission, &c.Permission)
		case "resource":
			ok = s.once(&read.resource, &c.Resource)
		default:
			ok = false
		}
		if !ok {
			return c, false
		}
		before = ','
	}
	return c, s.takes('}')
}

// once reads a field's value, unless it was read before.
func (s *scan) once(read *bool, into *string) (ok bool) {
	if *read {
		return false
	}
	*read = true
	*into, ok = s.plain()
	return ok
}

// fieldAfter reads a sign, the name of a field, and the colon after it.
func (s *scan) fieldAfter(sign byte) (name string, ok bool) {
	if !s.takes(sign) {
		return "", false
	}
	name, ok = s.plain()
	return name, ok && s.takes(':')
}

// plain reads a string of printable ASCII without escapes, which means what it says.
func (s *scan) plain() (string, bool) {
	if !s.takes('"') {
		return "", false
	}
	for end := s.at; end < len(s.text); end++ {
		switch c := s.text[end]; {
		case c == '"':
			text := string(s.text[s.at:end])
			s.at = end + 1
			return text, true
		case c < ' ' || c > '~' || c == '\\':
			return "", false
		}
	}
	return "", false
}

// takes passes over white space, and over the sign if that is next.
func (s *scan) takes(sign byte) bool {
	s.space()
	if s.at == len(s.text) || s.text[s.at] != sign {
		return false
	}
	s.at++
	return true
}

func (s *scan) isEnd() bool {
	s.space()
	return s.at == len(s.text)
}

func (s *scan) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}
