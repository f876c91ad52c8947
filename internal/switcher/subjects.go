package switcher

import (
	"hash/maphash"
	"maps"
	"math/bits"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/switcher/paged"
)

// Kind is what a subject is.
type Kind uint8

// The kinds.
const (
	User     Kind = iota + 1
	APIToken      // a machine member of one account (C1)
	Operator      // a client or a person of the vendor's, with portal roles (E4)
)

// Subject is a user, an API token or an operator.
type Subject struct {
	Kind Kind
	ID   string
}

func (s Subject) hash() uint64 { return maphash.String(seed, s.ID) ^ uint64(s.Kind)<<56 }

// subjects are the users and API tokens of an environment, by slot.
type subjects struct {
	ids  paged.Texts // the first is the id
	info paged.Array[holder]
	byID paged.Table
}

// holder is what is known of a subject besides its id.
type holder struct {
	first   slot   // the newest of its memberships
	count   uint32 // of its memberships
	kind    Kind   // 0 for a slot that is free
	blocked bool   // U5
}

func (s *subjects) subject(at slot) Subject { return Subject{s.info.At(at).kind, s.ids.At(at, textID)} }

func (s *subjects) find(v Subject) (slot, bool) {
	return s.byID.Find(v.hash(), func(at slot) bool {
		return s.ids.At(at, textID) == v.ID && s.info.At(at).kind == v.Kind
	})
}

func (s *subjects) hashOf(at slot) uint64 { return s.subject(at).hash() }

// membership is one of a user, or what an API token is; in two lists, of its subject's and of its account's.
type membership struct {
	account slot
	subject slot
	roles   uint32 // the number of the set
	branch  branch
	expires int64 // in microseconds since 1970; 0 is never (U6)

	nextOfSubject, prevOfSubject slot
	nextOfAccount, prevOfAccount slot
}

// branch is account.BranchAccess.
type branch uint8

const (
	noBranch branch = iota
	granted
	kept
)

func branchOf(b account.BranchAccess) branch {
	switch b {
	case account.GrantedAccess:
		return granted
	case account.KeptFromAlwaysOn:
		return kept
	default:
		return noBranch
	}
}

// over reports whether a membership has expired (U6).
func (m *membership) over(now int64) bool { return m.expires != 0 && m.expires <= now }

// memberships are all of an environment.
type memberships struct {
	all    paged.Array[membership]
	byPair paged.Table // by account and subject
}

func pairHash(account, subject slot) uint64 {
	high, low := bits.Mul64(uint64(account)<<32|uint64(subject)^0x9e3779b97f4a7c15, 0xd1342543de82ef95)
	return high ^ low
}

func (m *memberships) hashOf(at slot) uint64 {
	v := m.all.At(at)
	return pairHash(v.account, v.subject)
}

func (m *memberships) find(account, subject slot) (slot, bool) {
	return m.byPair.Find(pairHash(account, subject), func(at slot) bool {
		v := m.all.At(at)
		return v.account == account && v.subject == subject
	})
}

// officers are the operators of an environment, and what they hold.
type officers map[string]officer

// officer is a client, or an operator who signs in; ids are one set.
type officer struct {
	portal   []account.PortalRole
	delegate bool // may send requests in the name of a user
}

func (o officers) with(id account.ClientID, v officer) officers {
	out := maps.Clone(o)
	if out == nil {
		out = officers{}
	}
	out[string(id)] = v
	return out
}

func (o officers) without(id account.ClientID) officers {
	out := maps.Clone(o)
	delete(out, string(id))
	return out
}
