package httpapi

import (
	"strings"
	"sync"
)

// party is whom a request's share of the server is reckoned to, and of which larger shares that is a part.
type party struct {
	name        string // see caller
	environment string // "" for strangers: who has no credential
	member      bool   // a member's own machine sends it, an account's or a user's, and not the vendor's
}

// party is the request's.
func (i *info) party() party {
	p := party{name: i.caller(), member: i.actor.IsAtHand()}
	if i.credential != "" {
		p.environment, _, _ = strings.Cut(i.credential, "/")
	}
	return p
}

// tally counts what there is at once, under several names each.
type tally struct {
	mu *sync.Mutex
	by map[string]int
}

func newTally() tally { return tally{mu: &sync.Mutex{}, by: map[string]int{}} }

// bound is how many there may be at once under a name.
type bound struct {
	name string
	most int
}

// take adds one to each of the names, which are different ones, unless one of them is at its bound already. release takes it away again.
func (t tally) take(bounds ...bound) (release func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range bounds {
		if t.by[b.name] >= b.most {
			return nil, false
		}
	}
	for _, b := range bounds {
		t.by[b.name]++
	}
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, b := range bounds {
			if t.by[b.name]--; t.by[b.name] == 0 {
				delete(t.by, b.name)
			}
		}
	}), true
}

// forAll is the name under which all are counted.
const forAll = "all"

// part is one of several equal parts of a number, rounded up.
func part(of, parts int) int { return (of + parts - 1) / parts }

// places bounds how many requests are under way at once, from when their caller is
// known until they are answered: in all, of one environment, and with one credential. A request that
// has a place may still have to wait for its turn.
type places struct {
	most, each int
	taken      tally
}

func newPlaces(most, each int) *places {
	return &places{most: most, each: each, taken: newTally()}
}

// One address of a stranger has a 32nd of the strangers' places, so that a few of them do not have all.
const strangersShare = 32

// take takes a place, which release gives back; an Unavailable fault (too_busy) if there
// is none. An environment has half of the places, and its members' own machines half of
// that; all members together have half, and all strangers a quarter.
func (p *places) take(by party) (release func(), err error) {
	bounds := append(make([]bound, 0, 5), bound{forAll, p.most})
	if by.environment == "" {
		bounds = append(bounds, bound{"strangers", part(p.most, 4)}, bound{"by " + by.name, min(p.each, part(p.most, 4*strangersShare))})
	} else {
		bounds = append(bounds, bound{"by " + by.name, p.each}, bound{"in " + by.environment, part(p.most, 2)})
	}
	if by.member {
		bounds = append(bounds, bound{"members", part(p.most, 2)}, bound{"members in " + by.environment, part(p.most, 4)})
	}
	return p.under(bounds...)
}

// document takes a place for a document that everybody may have, as take does. Documents have an eighth
// of the places, so that who does not read them keeps nobody from anything else.
func (p *places) document(by party) (release func(), err error) {
	return p.under(bound{forAll, p.most}, bound{"documents", part(p.most, 8)}, bound{"documents by " + by.name, part(p.most, 8*strangersShare)})
}

func (p *places) under(bounds ...bound) (release func(), err error) {
	release, ok := p.taken.take(bounds...)
	if !ok {
		return nil, tooBusy()
	}
	return release, nil
}
