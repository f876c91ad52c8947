package scenario

import (
	"context"
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// act carries out what a step says, as who the request says.
type act func(ctx context.Context, w *world, req directory.Request) error

// step is one change of the directory.
type step struct {
	text    string
	at      finding.Place
	actor   word // who takes it; the vendor if it has no text
	refused bool // it is expected to be
	code    word // of the refusal; any if it has no text
	do      act
}

const stepsAre = `write "move acme below south", "remove bob from depot", "add bob to depot as viewer", "block ada" or the like`

// readSteps reads a list of steps, or one alone.
func (s *state) readSteps(node *yaml.Node) []step {
	if isNull(node) {
		return nil
	}
	items := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		items = node.Content
	}
	var all []step
	for _, item := range items {
		item = resolve(item)
		st, told := step{}, item
		switch {
		case item.Kind == yaml.MappingNode && len(item.Content) == 2:
			if !s.readActor(&st, resolve(item.Content[0])) {
				continue
			}
			told = resolve(item.Content[1])
			fallthrough
		case item.Kind == yaml.ScalarNode && !isNull(item):
			if w, ok := s.text(told, "a step"); ok {
				st.text, st.at = w.text, w.at
				var err error
				if st.do, err = s.parseStep(s.sentence(told)); !s.wrong(err) && st.do != nil {
					all = append(all, st)
				}
			}
		default:
			s.fault(item, CodeInvalidScenario, `a step is a sentence, or a sentence after "ada:", "ada is refused:" or "refused:"`)
		}
	}
	return all
}

// readActor reads what stands before the colon of a step: who takes it, and whether it is refused.
func (s *state) readActor(st *step, key *yaml.Node) bool {
	words := s.sentence(key)
	if !words.take("refused") {
		var err error
		if st.actor, err = words.name(`who takes the step, or "refused"`); s.wrong(err) || !s.names.check(s, st.actor, subjects()...) {
			return false
		}
		if words.next == len(words.words) {
			return true
		}
		if err := words.need("is refused"); s.wrong(err) {
			return false
		}
	}
	st.refused = true
	if words.next < len(words.words) {
		st.code, _ = words.name("a code")
	}
	return !s.wrong(words.done())
}

// take carries out a step; false if what it comes to is not what the scenario says.
func (s *scenario) take(ctx context.Context, w *world, st step) (bool, error) {
	req := w.request()
	switch s.names.kindOf(st.actor.text, subjects()...) {
	case aUser:
		req.Actor = account.Actor{Environment: w.env, User: account.UserID(st.actor.text)}
	case anOperator:
		req.Actor = account.Actor{Environment: w.env, Client: account.ClientID(st.actor.text)}
	case anAPIToken:
		req.Actor = account.Actor{Environment: w.env, APIToken: w.tokens[st.actor.text]}
	default: // nobody is named: the vendor
	}
	err := st.do(ctx, w, req)
	f, isFault := errors.AsType[*fault.Error](err)
	switch {
	case err != nil && (!isFault || f.Kind == fault.Internal || f.Kind == fault.Unavailable):
		return false, err
	case err != nil && !st.refused:
		s.faultAt(st.at, CodeRefused, "%s", s.titled("it is refused: "+f.Text+" ("+f.Code+")"))
		return false, nil
	case err == nil && st.refused:
		s.faultAt(st.at, CodeNotRefused, "%s", s.titled("it should be refused, and is done"))
		return false, nil
	case err != nil && st.code.text != "" && st.code.text != f.Code:
		s.faultAt(st.code.at, CodeNotRefused, "%s", s.titled("it should be refused with "+st.code.text+", and is with "+f.Code+": "+f.Text))
		return false, nil
	}
	return true, w.follow(ctx)
}

// knownName takes a name that is one of the kinds; false, and a finding, if it is none.
func (s *state) knownName(words *sentence, kinds ...thing) (word, bool, error) {
	w, err := words.name("the name of an existing " + anyOf(kinds))
	if err != nil {
		return w, false, err
	}
	return w, s.names.check(s, w, kinds...), nil
}

// parseStep reads a sentence. No act and no error means that a name in it is unknown, which has been noted.
func (s *state) parseStep(words *sentence) (act, error) {
	forms := map[string]func(*sentence) (act, error){
		"move": s.stepMove, "create": s.stepCreate, "delete": s.stepDelete,
		"add": s.stepAdd, "remove": s.stepRemove, "give": s.stepGive, "take": s.stepTake,
		"block": s.stepBlock, "unblock": s.stepUnblock, "set": s.stepSet, "switch": s.stepSwitch,
		"revoke": s.stepRevoke, "write": s.stepWrite, "erase": s.stepErase,
	}
	verb := words.peek()
	form, ok := forms[verb]
	if !ok {
		known := make([]string, 0, len(forms))
		for v := range forms {
			known = append(known, v)
		}
		return nil, &wrongSentence{words.place(), account.Quote(verb) + " is nothing that can be done" + didYouMean(verb, known) + "; " + stepsAre}
	}
	words.next++
	do, err := form(words)
	if err == nil {
		err = words.done()
	}
	return do, err
}

// rest takes all that is left of a sentence as one word.
func (words *sentence) rest(what string) (word, error) {
	first, err := words.name(what)
	for err == nil && words.next < len(words.words) {
		first.text += words.words[words.next].text
		words.next++
	}
	return first, err
}
