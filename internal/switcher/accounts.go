package switcher

import (
	"hash/maphash"
	"math"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/switcher/paged"
)

// slot is the number of an account, a subject, a membership or a role in its array. Slots
// of what is gone are used again.
type slot = uint32

// none is no slot.
const none slot = math.MaxUint32

var seed = maphash.MakeSeed()

// The texts of an account. The folded name is what names are searched and ordered by; "" if that is the name.
const (
	textID = iota
	textName
	textFolded
)

// accounts are the accounts of an environment, by slot.
type accounts struct {
	texts  paged.Texts
	nodes  paged.Array[node]
	sizes  paged.Array[uint32] // how many accounts the branch has, its top included
	labels paged.Array[uint64] // see byName
	places paged.Array[place]
	byID   paged.Table
}

// place is where in the tree an account is.
type place struct {
	chunk uint32 // its id
	near  uint32 // where in the chunk the account is, or was before others came and went there
}

// node is what is known of an account besides its texts.
type node struct {
	parent  slot
	first   slot  // the newest of its memberships
	created int64 // in microseconds since 1970
	flags   flags
}

type flags uint8

const (
	alwaysOn flags = 1 << iota // every member has sub-account access (S3)
	managed                    // sub-account management is on (A3)
	capitals                   // the id has capital letters
)

func (a *accounts) id(s slot) account.ID { return account.ID(a.texts.At(s, textID)) }

func (a *accounts) name(s slot) string { return a.texts.At(s, textName) }

func (a *accounts) folded(s slot) string {
	if text := a.texts.At(s, textFolded); text != "" {
		return text
	}
	return a.texts.At(s, textName)
}

func (a *accounts) parent(s slot) slot { return a.nodes.At(s).parent }

func (a *accounts) find(id account.ID) (slot, bool) {
	return a.byID.Find(maphash.String(seed, string(id)), func(s slot) bool { return a.texts.At(s, textID) == string(id) })
}

func (a *accounts) hashOf(s slot) uint64 { return maphash.String(seed, a.texts.At(s, textID)) }

// isUnder reports whether an account is below another, or that itself.
func (a *accounts) isUnder(top, s slot) bool {
	for ; s != none; s = a.parent(s) {
		if s == top {
			return true
		}
	}
	return false
}

func flagsOf(v account.Account) flags {
	var f flags
	if v.AccessMode == account.AlwaysOn {
		f |= alwaysOn
	}
	if v.SubAccountManagement {
		f |= managed
	}
	if strings.ToLower(string(v.ID)) != string(v.ID) {
		f |= capitals
	}
	return f
}

func textsOf(v account.Account) [paged.Fields]string {
	texts := [paged.Fields]string{textID: string(v.ID), textName: v.Name, textFolded: account.Fold(v.Name)}
	if texts[textFolded] == v.Name {
		texts[textFolded] = ""
	}
	return texts
}
