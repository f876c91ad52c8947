package scenario

import (
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// claim is what an expectation is about.
type claim int

const (
	may         claim = iota // each of the subjects may, or may not, do each of the things at each of the places
	onlyMay                  // exactly the subjects may do the thing at the place, of all that there are
	accountsAre              // exactly the accounts named are those where the subject may do the thing
	hasFeatures              // each of the accounts has, or has not, each of the features
	featuresAre              // exactly the features named are those of the account
)

// expectation is a sentence of what must be.
type expectation struct {
	claim    claim
	not      bool
	subjects []word    // who; of features, the accounts
	rights   []word    // what may be done
	where    placeKind // what the places are
	places   []word
	list     []word // of accountsAre and featuresAre
	at       finding.Place
}

type placeKind int

const (
	inAccount placeKind = iota
	onObject            // of a type of the application's
	inEnvironment
)

const sentencesAre = `write "ada may read_users in acme", "ada may not open acme", "only ada and bob may open acme", ` +
	`"ada's accounts are exactly acme and depot" or "acme has the feature reports"`

// parseExpectation reads a sentence. If the list that some sentences end with
// was given apart, listed is true and list is it.
func parseExpectation(s *sentence, listed bool, list []word) (expectation, error) {
	e := expectation{at: s.place(), list: list}
	err := e.parse(s, listed)
	if err == nil {
		err = s.done()
	}
	return e, err
}

func (e *expectation) parse(s *sentence, listed bool) error {
	var err error
	switch {
	case s.peek() == "":
		return &wrongSentence{s.place(), "the sentence is empty; " + sentencesAre}
	case listed && s.take("who"):
		e.claim, e.subjects, e.list = onlyMay, e.list, nil
		if err := s.need("may", "can"); err != nil {
			return err
		}
		return e.parseRights(s)
	case listed && s.take("accounts", "of"):
		return e.parseAccountsOf(s)
	case s.take("nobody"):
		e.claim = onlyMay
		if err := s.need("may", "can"); err != nil {
			return err
		}
		err = e.parseRights(s)
	case s.take("only"):
		e.claim = onlyMay
		if e.subjects, err = s.names("who may"); err != nil {
			return err
		}
		if err := s.need("may", "can"); err != nil {
			return err
		}
		err = e.parseRights(s)
	default:
		if e.subjects, err = s.names("who is meant"); err != nil {
			return err
		}
		if s.take("'s") {
			return e.parseExactly(s, listed)
		}
		err = e.parsePredicate(s)
	}
	if err == nil && listed {
		return &wrongSentence{e.at, `this sentence takes no list; a list comes after "who may …", "accounts of …" or "ada's accounts are exactly"`}
	}
	return err
}

func (e *expectation) parsePredicate(s *sentence) error {
	switch {
	case s.takeAny("may not", "can not", "cannot"):
		e.not = true
		return e.parseRights(s)
	case s.takeAny("may", "can"):
		return e.parseRights(s)
	case s.takeAny("has no accounts", "have no accounts"):
		e.claim, e.rights = accountsAre, []word{{open, e.at}}
		return e.alone("accounts")
	case s.takeAny("has no features"):
		e.claim = featuresAre
		return e.alone("features")
	case s.takeAny("does not have", "do not have"):
		e.not = true
		return e.parseFeatures(s)
	case s.takeAny("has", "have"):
		return e.parseFeatures(s)
	default:
		if len(e.subjects) == 1 && s.peek() != "" {
			return s.need("may", "may not", "has")
		}
		return s.wrong(`"may", "may not" or "has"; ` + sentencesAre)
	}
}

// alone is an error if the sentence is about more than one thing.
func (e *expectation) alone(what string) error {
	if len(e.subjects) > 1 {
		return &wrongSentence{e.subjects[1].at, "a sentence about all " + what + " is about one name"}
	}
	return nil
}

// parseRights reads what may be done, and where.
func (e *expectation) parseRights(s *sentence) error {
	if s.peek() == open { // open acme, rather than open in acme
		right, err := s.name(open)
		if err != nil {
			return err
		}
		e.rights = []word{right}
		s.take("in")
		e.places, err = s.names("an account")
		return err
	}
	var err error
	if e.rights, err = s.names("a permission, or open"); err != nil {
		return err
	}
	switch {
	case s.take("in", "the", "environment"):
		e.where, e.places = inEnvironment, []word{{"", e.at}}
	case s.take("in"):
		e.places, err = s.names("an account")
	case s.take("on"):
		e.where = onObject
		e.places, err = s.names("type:id")
	default:
		return s.wrong(`"in" and an account, "in the environment", or "on" and type:id`)
	}
	return err
}

func (e *expectation) parseFeatures(s *sentence) error {
	e.claim = hasFeatures
	if err := s.need("the feature", "the features", "feature", "features"); err != nil {
		return err
	}
	var err error
	e.list, err = s.names("a feature")
	return err
}

// parseExactly reads what follows bob's.
func (e *expectation) parseExactly(s *sentence, listed bool) error {
	if err := s.need("accounts", "features"); err != nil {
		return err
	}
	e.claim = accountsAre
	if s.words[s.next-1].text == "features" {
		e.claim = featuresAre
		if err := e.alone("features"); err != nil {
			return err
		}
	} else {
		if err := e.alone("accounts"); err != nil {
			return err
		}
		if err := e.parseWith(s); err != nil {
			return err
		}
	}
	if err := s.need("are exactly"); err != nil || listed {
		return err
	}
	if s.takeAny("none", "nothing") {
		return nil
	}
	var err error
	e.list, err = s.names("a name, or none")
	return err
}

// parseAccountsOf reads what follows accounts of; the list was given apart.
func (e *expectation) parseAccountsOf(s *sentence) error {
	who, err := s.name("who is meant")
	if err != nil {
		return err
	}
	e.claim, e.subjects = accountsAre, []word{who}
	if err := e.parseWith(s); err != nil {
		return err
	}
	s.take("are", "exactly")
	return nil
}

// parseWith reads the permission that accounts are listed with.
func (e *expectation) parseWith(s *sentence) error {
	e.rights = []word{{open, e.at}}
	if !s.take("with") {
		return nil
	}
	right, err := s.name("a permission")
	e.rights = []word{right}
	return err
}

// String returns the expectation as a sentence.
func (e expectation) String() string {
	subjects, rights := joined(e.subjects), joined(e.rights)
	switch e.claim {
	case may:
		if e.not {
			return subjects + " may not " + rights + e.location()
		}
		return subjects + " may " + rights + e.location()
	case onlyMay:
		if len(e.subjects) == 0 {
			return "nobody may " + rights + e.location()
		}
		return "only " + subjects + " may " + rights + e.location()
	case accountsAre:
		with := ""
		if rights != open {
			with = " with " + rights
		}
		return subjects + "'s accounts" + with + " are exactly " + orNone(joined(e.list))
	case hasFeatures:
		if e.not {
			return subjects + " does not have the feature " + joined(e.list)
		}
		return subjects + " has the feature " + joined(e.list)
	default:
		return subjects + "'s features are exactly " + orNone(joined(e.list))
	}
}

func (e expectation) location() string {
	switch {
	case e.where == inEnvironment:
		return " in the environment"
	case e.where == onObject:
		return " on " + joined(e.places)
	case len(e.rights) == 1 && e.rights[0].text == open:
		return " " + joined(e.places)
	default:
		return " in " + joined(e.places)
	}
}

func joined(words []word) string { return strings.Join(texts(words), ", ") }

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func texts(words []word) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = w.text
	}
	return all
}
