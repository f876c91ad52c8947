package eval

// Outcome is what a check, or a branch of one, comes to.
type Outcome uint8

// The outcomes. Undecided is that of a check which SpiceDB refuses to answer:
// it leads in a circle, or a caveat it depends on cannot be evaluated.
const (
	Denied Outcome = iota
	Allowed
	Conditional // on context that a caveat lacks
	Undecided
)

// String returns the word that assertions have for it: false, true or conditional; undecided otherwise.
func (o Outcome) String() string {
	switch o {
	case Denied:
		return "false"
	case Allowed:
		return "true"
	case Conditional:
		return "conditional"
	default:
		return "undecided"
	}
}

// A definite operand that settles an operation does so whatever the other is.
// Where none does, an undecided one leaves all undecided.

func or(a, b Outcome) Outcome {
	if a == Allowed || b == Allowed {
		return Allowed
	}
	return max(a, b)
}

func and(a, b Outcome) Outcome {
	switch {
	case a == Denied || b == Denied:
		return Denied
	case a == Undecided || b == Undecided:
		return Undecided
	case a == Conditional || b == Conditional:
		return Conditional
	default:
		return Allowed
	}
}

func not(a Outcome) Outcome {
	switch a {
	case Denied:
		return Allowed
	case Allowed:
		return Denied
	default:
		return a
	}
}
