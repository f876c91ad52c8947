package ndjson

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// MaxLine is the longest line that is read or written, in bytes, its end not counted.
const MaxLine = 1 << 20

const byteOrderMark = "\uFEFF"

// Read calls fn with each record of r, in order, and keeps no more than one line in memory.
// Records come cleaned: names without surrounding space, addresses in lower case,
// permissions and roles as sets, times in UTC.
//
// The first line that is not of the format ends it with an Invalid fault that names
// the line, and the field where it is one field's: invalid_json (also for invalid
// UTF-8, a field given twice, a value of the wrong type), unknown_kind,
// unknown_field, line_too_long, missing_field, missing_role, invalid_time,
// kept_without_access, and the codes of account.CheckID, CleanName, CleanEmail,
// CheckAccessMode and CheckMaxDepth. An error of r is returned wrapped, an error of fn as it is.
func Read(r io.Reader, fn func(directory.Record) error) error {
	in := bufio.NewReaderSize(r, len(byteOrderMark)+MaxLine+len("\r\n"))
	var (
		env account.EnvironmentID
		obj object
	)
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("reading line %d: %w", n, err)
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		}
		rec, found, bad := parse(line, &obj)
		if bad != nil {
			return bad.AtLine(n)
		}
		if found {
			if rec.NewEnvironment != nil {
				env = rec.NewEnvironment.ID
			}
			rec.Line, rec.Environment = n, env
			if err := fn(rec); err != nil {
				return err
			}
		}
		if err != nil { // the end: a full buffer is a line too long, which parse has refused
			return nil //nolint:nilerr // the end of the input is no error
		}
	}
}

// parse returns the record of one line, if the line has one. obj is scratch space.
func parse(line []byte, obj *object) (rec directory.Record, found bool, bad *fault.Error) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(line) > MaxLine:
		return rec, false, fault.New(fault.Invalid, "line_too_long", "the line is longer than %d bytes", MaxLine)
	case !utf8.Valid(line):
		return rec, false, fault.New(fault.Invalid, "invalid_json", "the line is not valid UTF-8")
	}
	line = bytes.Trim(line, " \t")
	if len(line) == 0 || line[0] == '#' {
		return rec, false, nil
	}
	if bad = obj.parse(line); bad != nil {
		return rec, false, bad
	}
	rec, bad = record(obj)
	return rec, bad == nil, bad
}
