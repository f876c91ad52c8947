// Package tree makes the content that account-hierarchy systems are compared on: a tree of accounts, users with memberships, and the right answers.
//
// The parent of account i is (i-1)/10: ten children each, numbered level by level. Nothing
// expires and nobody is blocked, so that systems without such notions have the same content.
package tree

import "strconv"

// FanOut is the number of children of an account, as far as there are accounts.
const FanOut = 10

// Role is what a membership carries: one of three, each with the permissions of those before it.
type Role uint8

// The roles.
const (
	Reader Role = iota
	Editor
	Admin
)

// Roles returns all roles.
func Roles() []Role { return []Role{Reader, Editor, Admin} }

// String returns the role's key.
func (r Role) String() string { return [...]string{"reader", "editor", "admin"}[r] }

// Permission is what a check asks for.
type Permission uint8

// The permissions, each with the role from which on it is held.
const (
	Read   Permission = iota // from Reader on
	Manage                   // from Editor on
	Rule                     // Admin alone
)

// Permissions returns all permissions.
func Permissions() []Permission { return []Permission{Read, Manage, Rule} }

// String returns the permission's name in Tenantry's schema, which the other systems take too.
func (p Permission) String() string {
	return [...]string{"read_users", "manage_users", "manage_roles"}[p]
}

// Key returns the permission's key in Tenantry's catalogue (schema/permissions.yaml).
func (p Permission) Key() string {
	return [...]string{"fe.secure.read.users", "fe.secure.write.users", "fe.secure.write.roles"}[p]
}

// Holds reports whether the role has the permission.
func (r Role) Holds(p Permission) bool { return uint8(r) >= uint8(p) }

// Membership is a user's place in an account. With Branch its role holds in the whole branch below as well.
type Membership struct {
	User, Account int32
	Role          Role
	Branch        bool
}

// AccountID returns an account's id; ids sort as numbers do.
func AccountID(i int) string { return id('a', i) }

// UserID returns a user's id.
func UserID(i int) string { return id('u', i) }

// id is a letter and seven digits, made in less time than what it asks for takes.
func id(kind byte, i int) string {
	const digits = 7
	var out [1 + digits]byte
	out[0] = kind
	for at := digits; at > 0; at-- {
		out[at] = "0123456789"[i%10]
		i /= 10
	}
	return string(out[:])
}

// Number is the reverse of AccountID and UserID; -1 if the text is neither.
func Number(id string) int {
	if len(id) < 2 {
		return -1
	}
	n, err := strconv.Atoi(id[1:])
	if err != nil {
		return -1
	}
	return n
}

// Parent returns the account above; -1 for the root.
func Parent(account int) int {
	if account == 0 {
		return -1
	}
	return (account - 1) / FanOut
}

// Branch counts the accounts of the branch whose top is given, in a tree of so many accounts.
func Branch(top, accounts int) int {
	count := 0
	for first, last := top, top; first < accounts; first, last = first*FanOut+1, last*FanOut+FanOut {
		count += min(last, accounts-1) - first + 1
	}
	return count
}
