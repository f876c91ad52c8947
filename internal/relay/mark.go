package relay

import (
	"fmt"
	"strconv"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
)

// mark is what the engine holds of its position: the version and the id of the
// entry that was applied last, and, while a write in several calls is under way,
// a word that is new with every call. The zero mark is that of an engine that
// has none.
type mark struct {
	version account.Version
	entry   string // id of the entry with that version; "none" before the first
	busy    string // "" between entries
}

const (
	applied = "applied" // environment#applied@version
	noEntry = "none"
)

// of is the mark of an entry that has been applied.
func markOf(e account.Entry) mark { return mark{version: e.Version, entry: e.ID} }

// during is the mark while a write in several calls, begun at m, is under way.
func (m mark) during(word string) mark {
	if m.entry == "" {
		m.entry = noEntry
	}
	m.busy = word
	return m
}

// String returns the mark as the engine holds it, e.g. "17-ent_k3v9x".
func (m mark) String() string {
	s := strconv.FormatInt(int64(m.version), 10) + "-" + m.entry
	if m.busy != "" {
		s += "-" + m.busy
	}
	return s
}

func parseMark(s string) (mark, error) {
	number, rest, _ := strings.Cut(s, "-")
	version, err := strconv.ParseInt(number, 10, 64)
	entry, busy, _ := strings.Cut(rest, "-")
	if err != nil || version < 0 || entry == "" {
		return mark{}, fmt.Errorf("the engine's mark %q is not readable", s)
	}
	return mark{version: account.Version(version), entry: entry, busy: busy}, nil
}

// relationship is the relationship that holds the mark.
func (m mark) relationship(env account.EnvironmentID) relation.Relationship {
	return relation.Relationship{Key: relation.Key{
		Resource: relation.EnvironmentObject(env),
		Relation: applied,
		Subject:  relation.In(env, relation.TypeVersion, m.String()),
	}}
}

// still demands that the engine's mark is m.
func (m mark) still(env account.EnvironmentID) *v1.Precondition {
	filter := &v1.RelationshipFilter{
		ResourceType:       relation.TypeEnvironment,
		OptionalResourceId: string(env),
		OptionalRelation:   applied,
	}
	if m == (mark{}) {
		return &v1.Precondition{Operation: v1.Precondition_OPERATION_MUST_NOT_MATCH, Filter: filter}
	}
	subject := m.relationship(env).Subject
	filter.OptionalSubjectFilter = &v1.SubjectFilter{SubjectType: subject.Type, OptionalSubjectId: subject.ID}
	return &v1.Precondition{Operation: v1.Precondition_OPERATION_MUST_MATCH, Filter: filter}
}

// becoming returns the updates that replace m by next.
func (m mark) becoming(env account.EnvironmentID, next mark) []relation.Update {
	if m == next {
		return nil
	}
	var out []relation.Update
	if m != (mark{}) {
		out = append(out, relation.Update{Delete: true, Relationship: m.relationship(env)})
	}
	return append(out, relation.Update{Relationship: next.relationship(env)})
}
