package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

func invalidJSON(text string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "invalid_json", text, args...)
}

// What is read of a body before it is known whether it has the API's shapes, which
// have three levels, and a thousand values or so.
const (
	maxNesting = 16      // levels of arrays and objects
	maxValues  = 1 << 17 // values, which take many times as much memory as text
)

// parseJSON reads one JSON value. Unlike encoding/json it refuses a field that is
// there twice (readers disagree on which one counts), text that is not UTF-8,
// and, since Go would take them for others, field names that are not in lower case.
func parseJSON(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, invalidJSON("the body is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	p := parser{dec: dec}
	value, err := p.value(maxNesting)
	if err != nil {
		return nil, jsonFault(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, invalidJSON("there is more after the JSON value")
	}
	return value, nil
}

func jsonFault(err error) error {
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return invalidJSON("the body is not JSON, at byte %d: %s", syntax.Offset, syntax)
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return invalidJSON("the body has a number that is too large").Because(err)
	}
	return invalidJSON("the body is not JSON: it ends too early").Because(err)
}

// parser reads one body.
type parser struct {
	dec    *json.Decoder
	values int // that were read
}

func (p *parser) value(levels int) (any, error) {
	dec := p.dec
	if p.values++; p.values > maxValues {
		return nil, invalidJSON("the body has more than %d values", maxValues)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if levels == 0 {
		return nil, invalidJSON("the body has more than %d levels", maxNesting)
	}
	if delim == '[' {
		list := []any{}
		for dec.More() {
			value, err := p.value(levels - 1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := dec.Token()
		return list, err
	}
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // the decoder takes nothing else here
		if _, twice := object[name]; twice {
			return nil, invalidJSON("the field %s is there twice", account.Quote(name))
		}
		if strings.ContainsFunc(name, notInNames) {
			return nil, invalidRequest("", []error{&huma.ErrorDetail{Location: "body." + name, Message: "there is no such field"}})
		}
		if object[name], err = p.value(levels - 1); err != nil {
			return nil, err
		}
	}
	_, err = dec.Token()
	return object, err
}

func notInNames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
}
