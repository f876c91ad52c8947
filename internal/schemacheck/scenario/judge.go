package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// judge finds out which expectations do not hold; the number is that of the answers compared.
func (s *scenario) judge(ctx context.Context, w *world, checks []expectation) (int, error) {
	n := 0
	for _, e := range checks {
		var err error
		compared := 1
		switch e.claim {
		case may:
			compared, err = s.judgeMay(ctx, w, e)
		case onlyMay:
			err = s.judgeOnly(ctx, w, e)
		case accountsAre:
			err = s.judgeAccounts(ctx, w, e)
		case hasFeatures:
			compared, err = s.judgeFeatures(ctx, w, e)
		case featuresAre:
			err = s.judgeFeatureList(ctx, w, e)
		}
		if err != nil {
			return n, err
		}
		n += compared
	}
	return n, nil
}

// failed notes an expectation that does not hold.
func (s *scenario) failed(at finding.Place, text string, args ...any) {
	s.faultAt(at, finding.CodeExpectationFailed, "%s", s.titled(fmt.Sprintf(text, args...)))
}

// titled puts the scenario's own sentence before a text.
func (s *scenario) titled(text string) string {
	if s.title == "" {
		return text
	}
	return s.title + ": " + text
}

// unanswered notes a check that has no answer; false if it has one.
func (s *scenario) unanswered(at finding.Place, a answer) bool {
	switch {
	case a.err == nil:
		return false
	case errors.Is(a.err, errTooDeep):
		s.faultAt(at, finding.CodeTooDeep, "%s", s.titled(a.err.Error()))
	default:
		s.faultAt(at, finding.CodeInvalidExpectation, "%s", s.titled(a.err.Error()))
	}
	return true
}

func (s *scenario) judgeMay(ctx context.Context, w *world, e expectation) (int, error) {
	type asked struct{ who, right, place word }
	var what []asked
	var questions []question
	for _, who := range e.subjects {
		for _, place := range e.places {
			for _, right := range e.rights {
				what = append(what, asked{who, right, place})
				questions = append(questions, s.question(w, e.where, who.text, right.text, place.text))
			}
		}
	}
	answers, err := w.ask(ctx, questions)
	if err != nil {
		return 0, err
	}
	for i, a := range answers {
		q := what[i]
		one := expectation{claim: may, not: e.not, where: e.where, subjects: []word{q.who}, rights: []word{q.right}, places: []word{q.place}}
		switch {
		case s.unanswered(q.who.at, a) || a.allowed == !e.not && !a.conditional:
			continue
		case a.conditional:
			s.failed(e.at, "expected that %s, which depends on a caveat's context; scenarios give none", one)
			continue
		}
		why, err := s.reason(ctx, w, q.who.text)
		if err != nil {
			return 0, err
		}
		s.failed(e.at, "expected that %s, and it is not so: %s", one, why)
	}
	return len(answers), nil
}

// question is whether somebody may do something at a place.
func (s *scenario) question(w *world, where placeKind, who, right, place string) question {
	resource := relation.AccountObject(w.env, account.ID(place))
	switch where {
	case inEnvironment:
		resource = relation.EnvironmentObject(w.env)
	case onObject:
		objectType, id, _ := strings.Cut(place, ":")
		resource = relation.Object{Type: objectType, ID: id}
	case inAccount:
	}
	name, _ := s.model.right(resource.Type, right)
	return question{resource, name, s.subject(w, who)}
}

// subject is who a name of the scenario means to the engine.
func (s *scenario) subject(w *world, name string) relation.Object {
	switch s.names.kindOf(name, subjects()...) {
	case anOperator:
		return relation.OperatorObject(w.env, account.ClientID(name))
	case anAPIToken:
		return relation.APITokenObject(w.env, w.tokens[name])
	default:
		return relation.UserObject(w.env, account.UserID(name))
	}
}

func (s *scenario) judgeOnly(ctx context.Context, w *world, e expectation) error {
	everybody := s.names.all(subjects()...)
	for _, place := range e.places {
		for _, right := range e.rights {
			questions := make([]question, len(everybody))
			for i, name := range everybody {
				questions[i] = s.question(w, e.where, name, right.text, place.text)
			}
			one := expectation{claim: onlyMay, where: e.where, subjects: e.subjects, rights: []word{right}, places: []word{place}}
			if err := s.compare(ctx, w, e, one, questions, everybody, texts(e.subjects)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *scenario) judgeAccounts(ctx context.Context, w *world, e expectation) error {
	accounts := s.names.all(anAccount)
	questions := make([]question, len(accounts))
	for i, id := range accounts {
		questions[i] = s.question(w, inAccount, e.subjects[0].text, e.rights[0].text, id)
	}
	return s.compare(ctx, w, e, e, questions, accounts, texts(e.list))
}

func (s *scenario) judgeFeatureList(ctx context.Context, w *world, e expectation) error {
	features := s.names.all(aFeature)
	questions := make([]question, len(features))
	for i, key := range features {
		questions[i] = featureQuestion(w, e.subjects[0].text, key)
	}
	return s.compare(ctx, w, e, e, questions, features, texts(e.list))
}

func featureQuestion(w *world, id, key string) question {
	return question{relation.AccountObject(w.env, account.ID(id)), "has_feature", relation.FeatureObject(w.env, account.FeatureKey(key))}
}

func (s *scenario) judgeFeatures(ctx context.Context, w *world, e expectation) (int, error) {
	n := 0
	for _, id := range e.subjects {
		for _, key := range e.list {
			answers, err := w.ask(ctx, []question{featureQuestion(w, id.text, key.text)})
			if err != nil {
				return n, err
			}
			n++
			if !s.unanswered(id.at, answers[0]) && answers[0].allowed == e.not {
				is := "has the feature " + key.text + ", and should not"
				if !e.not {
					is = "does not have the feature " + key.text + ", and should"
				}
				s.failed(e.at, "%s %s", id.text, is)
			}
		}
	}
	return n, nil
}

// compare compares the names whose question is answered with yes with those expected.
func (s *scenario) compare(ctx context.Context, w *world, e, one expectation, questions []question, names, expected []string) error {
	answers, err := w.ask(ctx, questions)
	if err != nil {
		return err
	}
	var is []string
	for i, a := range answers {
		if s.unanswered(e.at, a) {
			return nil
		}
		if a.allowed {
			is = append(is, names[i])
		}
	}
	var differences []string
	without := func(all, some []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(n string) bool { return slices.Contains(some, n) })
	}
	if missing := without(account.Set(expected), is); len(missing) > 0 {
		differences = append(differences, "missing: "+listed(missing))
	}
	if extra := without(is, expected); len(extra) > 0 {
		differences = append(differences, "too many: "+listed(extra))
	}
	if len(differences) > 0 {
		s.failed(e.at, "expected %s, and it is %s (%s)", one, listed(is), strings.Join(differences, "; "))
	}
	return nil
}

// reason says what the directory knows of somebody, as a rule why they may or may not.
func (s *scenario) reason(ctx context.Context, w *world, name string) (string, error) {
	switch s.names.kindOf(name, subjects()...) {
	case anOperator:
		c, err := w.directory.GetClient(ctx, w.request().Actor, account.ClientID(name))
		if err != nil {
			return "", err
		}
		roles := make([]string, len(c.Value.Roles))
		for i, r := range c.Value.Roles {
			roles[i] = string(r)
		}
		return name + " is " + listed(roles), nil
	case anAPIToken:
		return name + " is an API token", nil
	default:
	}
	u, memberships, err := w.directory.GetUser(ctx, w.request().Actor, account.UserID(name))
	if err != nil {
		return name + " is no user any more", nil //nolint:nilerr // a step has deleted them
	}
	parts := make([]string, len(memberships))
	for i, m := range memberships {
		parts[i] = membershipText(m)
	}
	text := name + " is " + strings.Join(parts, ", and ")
	if u.Value.Blocked {
		text += ", and blocked"
	}
	return text, nil
}

func membershipText(m account.Membership) string {
	roles := make([]string, len(m.Roles))
	for i, r := range m.Roles {
		roles[i] = string(r)
	}
	text := strings.Join(roles, ", ") + " in " + string(m.Account)
	if m.BranchAccess != account.NoBranchAccess {
		text += " with sub-account access"
	}
	if m.ExpiresAt != nil {
		text += " until " + m.ExpiresAt.Format("2006-01-02")
	}
	return text
}
