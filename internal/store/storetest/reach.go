package storetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// holders is a line of accounts with members and API tokens, in the plainest terms.
type holders struct {
	at       time.Time
	accounts []account.Account // from the root down, and one beside
	users    []account.User
	members  []account.Membership
	tokens   []account.APIToken
	roles    []account.Role
}

func drawHolders(t *rapid.T) *holders {
	h := &holders{at: born.Add(time.Hour)}
	parent := account.ID("")
	for i := range rapid.IntRange(1, 4).Draw(t, "accounts") {
		a := tenant(numbered[account.ID]("a", i), parent)
		a.AccessMode = rapid.SampledFrom([]account.AccessMode{account.DefaultOff, account.DefaultOn, account.AlwaysOn}).Draw(t, "mode")
		h.accounts, parent = append(h.accounts, a), a.ID
	}
	h.accounts = append(h.accounts, tenant("beside", ""))
	for _, key := range []account.RoleKey{"empty", "p", "pq"} {
		r := role(key)
		for _, c := range strings.TrimPrefix(string(key), "empty") {
			r.Permissions = append(r.Permissions, account.PermissionKey(c))
		}
		h.roles = append(h.roles, r)
	}
	branch := rapid.SampledFrom([]account.BranchAccess{"", "", account.GrantedAccess, account.KeptFromAlwaysOn})
	ends := rapid.SampledFrom([]time.Duration{0, 0, -time.Second, 0, time.Second, -time.Hour})
	expires := func() *time.Time {
		d := ends.Draw(t, "ends")
		if at := h.at.Add(d); d != 0 {
			return &at
		}
		return rapid.SampledFrom([]*time.Time{nil, nil, nil, &h.at}).Draw(t, "expires") // at that very moment it has
	}
	roles := rapid.SliceOfN(rapid.SampledFrom([]account.RoleKey{"empty", "p", "pq"}), 1, 2)
	for i := range rapid.IntRange(0, 5).Draw(t, "users") {
		u := person(numbered[account.UserID]("u", i))
		u.Blocked = rapid.IntRange(0, 4).Draw(t, "blocked") == 0
		h.users = append(h.users, u)
	}
	for _, a := range h.accounts {
		for _, u := range h.users {
			if rapid.IntRange(0, 2).Draw(t, "member") == 0 {
				m := member(a.ID, u.ID, roles.Draw(t, "roles")...)
				m.BranchAccess, m.ExpiresAt = branch.Draw(t, "branch access"), expires()
				h.members = append(h.members, m)
			}
		}
		if rapid.Bool().Draw(t, "token") {
			h.tokens = append(h.tokens, account.APIToken{
				ID: account.APITokenID("t-" + string(a.ID)), Account: a.ID, Name: "Token of " + string(a.ID), Roles: account.Set(roles.Draw(t, "roles")),
				BranchAccess: branch.Draw(t, "branch access"), ExpiresAt: expires(), CreatedBy: account.Actor{System: true}, CreatedAt: born,
			})
		}
	}
	return h
}

func (h *holders) changes() []account.Change {
	var changes []account.Change
	add := func(e *account.Entity) { changes = append(changes, account.Change{After: e}) }
	uses := map[place[account.RoleKey]]bool{}
	for _, v := range h.roles {
		add(account.Of(v))
	}
	for _, v := range h.accounts {
		add(account.Of(v))
	}
	for _, v := range h.users {
		add(account.Of(v))
	}
	for _, v := range h.members {
		add(account.Of(v))
		for _, key := range v.Roles {
			uses[place[account.RoleKey]{v.Account, key}] = true
		}
	}
	for _, v := range h.tokens {
		add(account.Of(v))
		for _, key := range v.Roles {
			uses[place[account.RoleKey]{v.Account, key}] = true
		}
	}
	for use := range uses {
		add(account.Of(assignment(use.account, use.other)))
	}
	return changes
}

func (h *holders) blocked(id account.UserID) bool {
	return slices.ContainsFunc(h.users, func(u account.User) bool { return u.ID == id && u.Blocked })
}

// reaches is whether access at an account reaches into the branch below.
func (h *holders) reaches(id account.ID, own account.BranchAccess) bool {
	always := slices.ContainsFunc(h.accounts, func(a account.Account) bool { return a.ID == id && a.AccessMode == account.AlwaysOn })
	return always || own != account.NoBranchAccess
}

// testReach compares who comes by access to what with the plainest answer.
func testReach(w *world) {
	n := 0
	rapid.Check(w.T, func(t *rapid.T) {
		n++
		mine := *w
		mine.env = numbered[account.EnvironmentID]("env", n)
		mine.found(mine.env)
		h := drawHolders(t)
		if _, err := mine.try(h.changes()...); err != nil {
			t.Fatalf("append: %v", err)
		}
		mine.read(func(r directory.Reader) {
			for i := range h.accounts {
				h.compareBranches(t, &mine, r, h.accounts[:i])
			}
			h.compareUsers(t, &mine, r)
			for i := range h.accounts[:len(h.accounts)-1] {
				h.compareOpeners(t, &mine, r, h.accounts[:i+1])
			}
		})
	})
}

func idsOfAccounts(accounts []account.Account) []account.ID {
	ids := make([]account.ID, len(accounts))
	for i, a := range accounts {
		ids[i] = a.ID
	}
	return ids
}

func sortReach(reach []directory.Reach) []directory.Reach {
	slices.SortFunc(reach, func(a, b directory.Reach) int {
		return cmp.Or(strings.Compare(string(a.Account), string(b.Account)), strings.Compare(string(a.User), string(b.User)))
	})
	return reach
}

func (h *holders) compareBranches(t *rapid.T, w *world, r directory.Reader, accounts []account.Account) {
	ids := idsOfAccounts(accounts)
	var reach []directory.Reach
	keys := map[account.RoleKey]bool{}
	for _, m := range h.members {
		if !slices.Contains(ids, m.Account) || m.Expired(h.at) || !h.reaches(m.Account, m.BranchAccess) {
			continue
		}
		for _, key := range m.Roles {
			keys[key] = true
		}
		if !h.blocked(m.User) {
			reach = append(reach, directory.Reach{Account: m.Account, User: m.User, Branch: true})
		}
	}
	for _, v := range h.tokens {
		if slices.Contains(ids, v.Account) && !v.Expired(h.at) && h.reaches(v.Account, v.BranchAccess) {
			for _, key := range v.Roles {
				keys[key] = true
			}
		}
	}
	got, err := r.BranchReach(w.ctx, ids, h.at)
	same(t, "branch reach", sortReach(got), err, sortReach(reach))
	roles := slices.DeleteFunc(slices.Clone(h.roles), func(r account.Role) bool { return !keys[r.Key] })
	found, err := r.BranchRoles(w.ctx, ids, h.at)
	same(t, "branch roles", append([]account.Role{}, found...), err, roles)
}

func (h *holders) compareUsers(t *rapid.T, w *world, r directory.Reader) {
	ids := idsOfAccounts(h.accounts)
	for i := range h.users {
		var named []account.UserID
		for _, u := range h.users[:i] {
			named = append(named, u.ID)
		}
		var reach []directory.Reach
		var members []account.Membership
		for _, m := range h.members {
			if slices.Contains(named, m.User) {
				if m.Account == ids[0] {
					members = append(members, m)
				}
				if !m.Expired(h.at) {
					reach = append(reach, directory.Reach{Account: m.Account, User: m.User, Branch: h.reaches(m.Account, m.BranchAccess)})
				}
			}
		}
		got, err := r.ReachOf(w.ctx, named, h.at)
		same(t, "reach of users", sortReach(got), err, sortReach(reach))
		at, err := r.MembershipsAt(w.ctx, ids[:1], named)
		same(t, "memberships at", describe(at), err, describe(members))
	}
}

func describe(members []account.Membership) []string {
	var out []string
	for _, m := range members {
		expires := "never"
		if m.ExpiresAt != nil {
			expires = m.ExpiresAt.UTC().String()
		}
		out = append(out, fmt.Sprint(m.Account, m.User, m.Roles, m.BranchAccess, expires))
	}
	return out
}

func (h *holders) compareOpeners(t *rapid.T, w *world, r directory.Reader, line []account.Account) {
	ids := idsOfAccounts(line)
	last := ids[len(ids)-1]
	opens := func(at account.ID, own account.BranchAccess) bool {
		return at == last || slices.Contains(ids, at) && h.reaches(at, own)
	}
	all := map[string]directory.Opener{}
	for _, m := range h.members {
		if !m.Expired(h.at) && !h.blocked(m.User) && opens(m.Account, m.BranchAccess) {
			u := h.users[slices.IndexFunc(h.users, func(u account.User) bool { return u.ID == m.User })]
			all["1"+string(m.User)] = directory.Opener{Type: directory.OpenerUser, ID: string(u.ID), Name: u.Name, Email: u.Email}
		}
	}
	for _, v := range h.tokens {
		if !v.Expired(h.at) && opens(v.Account, v.BranchAccess) {
			all["2"+string(v.ID)] = directory.Opener{Type: directory.OpenerAPIToken, ID: string(v.ID), Name: v.Name}
		}
	}
	for _, f := range []directory.OpenerFilter{{}, {Type: directory.OpenerUser}, {Type: directory.OpenerAPIToken}, {Query: "u00"}, {Query: "token of a001"}, {Query: "nobody"}} {
		f.Account, f.Above, f.At = last, ids[:len(ids)-1], h.at
		var wanted, got []directory.Opener
		for _, key := range slices.Sorted(maps.Keys(all)) {
			o := all[key]
			if (f.Type == "" || f.Type == o.Type) && strings.Contains(account.Fold(o.ID+" "+o.Name+" "+o.Email), f.Query) {
				wanted = append(wanted, o)
			}
		}
		for f.Limit = 2; ; f.After = got[len(got)-1] {
			page, total, err := r.Openers(w.ctx, f)
			same(t, "total of openers", total, err, len(wanted))
			if got = append(got, page...); len(page) == 0 {
				break
			}
		}
		same(t, fmt.Sprintf("openers %+v", f), got, nil, wanted)
	}
	var named []account.APITokenID
	for _, v := range h.tokens {
		named = append(named, v.ID)
	}
	found, err := r.APITokensByID(w.ctx, append(named, "nobody"))
	same(t, "API tokens by id", len(found), err, len(named))
}

// testMembersByRole keeps the members of an account who carry a role.
func testMembersByRole(w *world) {
	w.write(create(tenant("a", "")), create(role("r")), create(role("s")), create(person("u")), create(person("v")),
		create(member("a", "u", "r", "s")), create(member("a", "v", "r")))
	w.read(func(r directory.Reader) {
		for key, wanted := range map[account.RoleKey]int{"": 2, "r": 2, "s": 1, "none": 0} {
			page, total, err := r.Members(w.ctx, directory.MemberFilter{Account: "a", Role: key, Limit: 10})
			want(w.T, "members with role "+string(key), len(page)*10+total, err, wanted*11)
		}
	})
}
