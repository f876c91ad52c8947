package mutate

import (
	"fmt"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// CodeSurvived is the code of the finding about a mutant that nothing kills.
const CodeSurvived = "mutant_survived"

// Kind says what fault a mutant has.
type Kind string

// The kinds of faults.
const (
	OperatorSwapped   Kind = "operator swapped"   // + & - for each other, or the operands of - exchanged
	BranchDropped     Kind = "branch dropped"     // an operand is left out; a whole expression becomes nil
	ReferenceReplaced Kind = "reference replaced" // by another relation or permission of the definition
	ArrowRedirected   Kind = "arrow redirected"   // over another relation, or to another relation or permission
	ArrowTurned       Kind = "any and all"        // a->b for a.all(b), or the other way round
	TypeDropped       Kind = "type dropped"       // a relation takes one type less
	TypeReplaced      Kind = "trait dropped"      // a type loses its caveat or its expiration
	TypeAdded         Kind = "type added"         // a relation takes one type more
	RelationDropped   Kind = "relation dropped"   // and nil is in the place of all that names it
)

// Fate is what became of a mutant.
type Fate string

// The fates.
const (
	Killed       Fate = "killed"              // an assertion does not hold any more
	Refused      Fate = "killed by a refusal" // a relationship is not allowed any more, so the validation file fails
	Survived     Fate = "survived"            // every assertion holds
	Unnoticeable Fate = "unnoticeable"        // it takes relationships that the schema refuses, and changes no answer about the others
)

// Mutant is a copy of a schema with one fault.
type Mutant struct {
	Kind     Kind
	Relation string       // or permission, as definition#name
	At       zed.Location // of what is faulty, in the schema
	Before   string       // what is faulty, as it may be written
	After    string       // the fault; "" if nothing is in its place
	Text     string       // the mutant as a schema, without comments
	Fate     Fate
	Killer   *Killer // nil if it is not killed

	changed []*zed.Relation // what an assertion must reach to notice it
}

// String says what became what.
func (m *Mutant) String() string {
	if m.After == "" {
		return fmt.Sprintf("`%s` dropped", m.Before)
	}
	return fmt.Sprintf("`%s` became `%s`", m.Before, m.After)
}

// Finding makes a warning of a mutant that survived.
func (m *Mutant) Finding() finding.Finding {
	return m.At.Finding(finding.Warning, CodeSurvived, "no assertion notices it if in %s %s", m.Relation, m.past())
}

func (m *Mutant) past() string {
	if m.After == "" {
		return fmt.Sprintf("`%s` is dropped", m.Before)
	}
	return fmt.Sprintf("`%s` becomes `%s`", m.Before, m.After)
}

// Killer is the assertion or relationship that a mutant is killed by.
type Killer struct {
	File string
	At   finding.Place
	Text string
	Was  string // what the assertion comes to in the schema; "" for a relationship
	Is   string // what it comes to in the mutant; "" for a relationship
}
