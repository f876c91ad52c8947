package access

import (
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// Via says how a subject comes by the access to an account (S5).
type Via = account.Via

// Source is one reason why a subject may open an account (S5).
type Source = account.Source

// The ways.
const (
	Direct       = account.Direct
	Grant        = account.ViaGrant
	Kept         = account.ViaKept
	AlwaysOn     = account.ViaAlwaysOn
	OperatorRole = account.ThroughPortalRole
)

// holding is a membership, of a user or of an API token: what sources are made of.
type holding struct {
	at      account.ID
	roles   []account.RoleKey
	branch  account.BranchAccess
	expires *time.Time
}

func holdingOf(m account.Membership) holding {
	return holding{m.Account, m.Roles, m.BranchAccess, m.ExpiresAt}
}

func holdingOfToken(t account.APIToken) holding {
	return holding{t.Account, t.Roles, t.BranchAccess, t.ExpiresAt}
}

func (h holding) expired(now time.Time) bool { return h.expires != nil && !h.expires.After(now) }

// source is what a holding is to the last account of a line, from the root on:
// nothing if it is elsewhere, Via "" if it does not reach down from an account above.
func (h holding) source(line []account.Account) (Source, bool) {
	i := slices.IndexFunc(line, func(a account.Account) bool { return a.ID == h.at })
	if i < 0 {
		return Source{}, false
	}
	s := Source{At: h.at, Roles: h.roles, ExpiresAt: h.expires}
	switch {
	case i == len(line)-1:
		s.Via = Direct
	case line[i].AccessMode == account.AlwaysOn:
		s.Via = AlwaysOn
	case h.branch == account.GrantedAccess:
		s.Via = Grant
	case h.branch == account.KeptFromAlwaysOn:
		s.Via = Kept
	}
	return s, true
}

// sourcesOf says by which holdings the last account of a line, from the root on,
// can be opened (S5), the nearest first.
func sourcesOf(line []account.Account, holdings []holding, now time.Time) []Source {
	var out []Source
	for _, h := range holdings {
		if s, ok := h.source(line); ok && s.Via != "" && !h.expired(now) {
			out = append(out, s)
		}
	}
	nearestFirst(line, out)
	return out
}

func nearestFirst(line []account.Account, sources []Source) {
	level := func(s Source) int {
		return slices.IndexFunc(line, func(a account.Account) bool { return a.ID == s.At })
	}
	slices.SortStableFunc(sources, func(a, b Source) int { return level(b) - level(a) })
}
