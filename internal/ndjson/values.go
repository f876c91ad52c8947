package ndjson

import (
	"strconv"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Readers of fields by type. Each returns the zero value and notes a fault if the field does not suit.

func (o *object) wrongType(name, want string, value []byte) {
	o.fail(invalidJSON("%s must be %s, not %s", name, want, typeOf(value)).In(name))
}

func (o *object) str(name string) string {
	v := o.value(name)
	if v == nil {
		return ""
	}
	return o.strOf(name, "a string", v)
}

func (o *object) strOf(name, want string, v []byte) string {
	if v[0] != '"' {
		o.wrongType(name, want, v)
		return ""
	}
	s, ok := text(v)
	if !ok {
		o.fail(invalidJSON("%s has an escape that stands for no character", name).In(name))
		return ""
	}
	return s
}

// flag returns nil if the field is not there.
func (o *object) flag(name string) *bool {
	v := o.value(name)
	if v == nil {
		return nil
	}
	switch string(v) {
	case "true", "false":
		is := v[0] == 't'
		return &is
	default:
		o.wrongType(name, "true or false", v)
		return nil
	}
}

func (o *object) is(name string) bool {
	f := o.flag(name)
	return f != nil && *f
}

func (o *object) number(name string, absent int) int {
	v := o.value(name)
	if v == nil {
		return absent
	}
	n, err := strconv.Atoi(string(v))
	if err != nil {
		if t := typeOf(v); t == "a number" {
			o.fail(invalidJSON("%s must be a whole number, not %s", name, account.Quote(string(v))).In(name))
		} else {
			o.wrongType(name, "a whole number", v)
		}
	}
	return n
}

// set returns a list of strings as a set: sorted, without repeats, never nil.
func set[T ~string](o *object, name string) []T {
	const want = "a list of strings"
	v := o.value(name)
	if v == nil {
		return []T{}
	}
	if v[0] != '[' {
		o.wrongType(name, want, v)
		return []T{}
	}
	var all []T
	for rest := skipSpace(v[1:]); rest[0] != ']'; {
		end := valueEnd(rest)
		if rest[0] == '"' {
			all = append(all, T(o.strOf(name, want, rest[:end])))
		} else {
			o.fail(invalidJSON("%s must be %s, but has %s in it", name, want, typeOf(rest)).In(name))
		}
		if rest = skipSpace(rest[end:]); rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
	}
	return account.Set(all)
}

// networks returns a list of addresses and networks, "" if it is not there.
func (o *object) networks(name string) account.Networks {
	n, err := account.ParseNetworks(name, set[string](o, name))
	o.check(err)
	return n
}

// given reports whether the field is there, and notes a fault if it is not.
func (o *object) given(name string) bool {
	if o.value(name) != nil {
		return true
	}
	o.fail(fault.New(fault.Invalid, "missing_field", "%s must be given", name).In(name))
	return false
}

// id returns an identifier that must be there.
func id[T ~string](o *object, name string) T {
	if !o.given(name) {
		return ""
	}
	return idIfAny[T](o, name)
}

// idIfAny returns an identifier, "" if it is not there or null.
func idIfAny[T ~string](o *object, name string) T {
	v := o.value(name)
	if v == nil {
		return ""
	}
	s := T(o.strOf(name, "a string", v))
	o.check(account.CheckID(name, s))
	return s
}

func (o *object) name(name string) string {
	s, err := account.CleanName(name, o.str(name))
	o.check(err)
	return s
}

// nameIfAny takes a name that is empty for one that is not there.
func (o *object) nameIfAny() string {
	const field = "name"
	s := o.str(field)
	if s == "" {
		return ""
	}
	s, err := account.CleanName(field, s)
	o.check(err)
	return s
}

func (o *object) email(name string) string {
	if !o.given(name) {
		return ""
	}
	s, err := account.CleanEmail(name, o.str(name))
	o.check(err)
	return s
}

// mode returns an access mode, or absent if the field is not there.
func (o *object) mode(name string, absent account.AccessMode) account.AccessMode {
	v := o.value(name)
	if v == nil {
		return absent
	}
	m := account.AccessMode(o.strOf(name, "an access mode (default_off, default_on, always_on)", v))
	o.check(account.CheckAccessMode(name, m))
	return m
}

// time returns a point in time in UTC, the zero time if the field is not there.
func (o *object) time(name string) time.Time {
	v := o.value(name)
	if v == nil {
		return time.Time{}
	}
	var t time.Time
	s := o.strOf(name, "a time", v)
	if err := t.UnmarshalText([]byte(s)); err != nil {
		o.fail(fault.New(fault.Invalid, "invalid_time", "%s must be a time like 2035-01-31T18:00:00Z (RFC 3339), not %s", name, account.Quote(s)).In(name))
		return time.Time{}
	}
	if t = t.UTC(); t.Year() < 1900 || t.Year() > 9999 {
		o.fail(fault.New(fault.Invalid, "invalid_time", "%s must be between the years 1900 and 9999 (UTC), not %s", name, account.Quote(s)).In(name))
	}
	return t
}

// check notes what the rules of package account say of a field.
func (o *object) check(err error) {
	if err != nil {
		o.fail(fault.From(err))
	}
}
