package storetest

import (
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// testPaging walks through pages of accounts, users and members.
func testPaging(w *world) {
	t := w.T
	const n = 25
	changes := []account.Change{create(tenant("root", "")), create(role("r")), create(tenant("apart", ""))}
	for i := range n {
		id, user := numbered[account.ID]("a", i), numbered[account.UserID]("u", i)
		changes = append(changes, create(tenant(id, "root")), create(person(user)), create(member("root", user, "r")))
	}
	w.write(append(changes, create(tenant("leaf", "a003")))...)
	root, none := account.ID("root"), account.ID("")
	w.read(func(r directory.Reader) {
		accounts := func(f directory.AccountFilter) (ids []string, totals []int) {
			return walk(t, func(after string) ([]string, int, error) {
				f.After, f.Limit = account.ID(after), 10
				page, total, err := r.Accounts(w.ctx, f)
				return idsOf(page, func(a account.Account) string { return string(a.ID) }), total, err
			})
		}
		for _, tt := range []struct {
			what   string
			filter directory.AccountFilter
			total  int
			first  string
		}{
			{"all", directory.AccountFilter{}, n + 3, "a000"},
			{"under", directory.AccountFilter{Under: "root"}, n + 2, "a000"},
			{"under a leaf", directory.AccountFilter{Under: "leaf"}, 1, "leaf"},
			{"children", directory.AccountFilter{Child: &root}, n, "a000"},
			{"roots", directory.AccountFilter{Child: &none}, 2, "apart"},
			{"roots under", directory.AccountFilter{Child: &none, Under: "root"}, 1, "root"},
			{"by name", directory.AccountFilter{Query: "account a01"}, 10, "a010"},
			{"by name under", directory.AccountFilter{Query: "account a00", Under: "a003"}, 1, "a003"},
			{"nothing", directory.AccountFilter{Query: "zzz"}, 0, ""},
		} {
			ids, totals := accounts(tt.filter)
			if len(ids) != tt.total || !slices.IsSorted(ids) || len(ids) > 0 && ids[0] != tt.first {
				t.Errorf("accounts %s: got %v, want %d from %s", tt.what, ids, tt.total, tt.first)
			}
			for _, total := range totals {
				want(t, "total of accounts "+tt.what, total, nil, tt.total)
			}
		}
		ids, totals := walk(t, func(after string) ([]string, int, error) {
			page, total, err := r.Users(w.ctx, directory.UserFilter{After: account.UserID(after), Limit: 10})
			return idsOf(page, func(u account.User) string { return string(u.ID) }), total, err
		})
		want(t, "users", len(ids)*1000+totals[0], nil, n*1000+n)
		for query, count := range map[string]int{"": n, "user u01": 10, "@example.com": n, "u024": 1, "nobody": 0} {
			ids, totals = walk(t, func(after string) ([]string, int, error) {
				page, total, err := r.Members(w.ctx, directory.MemberFilter{Account: "root", Query: query, After: account.UserID(after), Limit: 10})
				return idsOf(page, func(m account.Membership) string { return string(m.User) }), total, err
			})
			want(t, "members "+query, len(ids)*1000+totals[0], nil, count*1000+count)
		}
		page, total, err := r.Users(w.ctx, directory.UserFilter{})
		want(t, "limit 0 counts as 1", len(page)*1000+total, err, 1000+n)
	})
}

// walk reads all pages and returns what is on them, and the total that each names.
func walk(t *testing.T, page func(after string) ([]string, int, error)) (ids []string, totals []int) {
	t.Helper()
	for after := ""; ; after = ids[len(ids)-1] {
		next, total, err := page(after)
		if err != nil {
			t.Fatal(err)
		}
		totals = append(totals, total)
		if len(next) == 0 {
			return ids, totals
		}
		ids = append(ids, next...)
	}
}

func idsOf[T any](page []account.Versioned[T], id func(T) string) []string {
	out := make([]string, len(page))
	for i, v := range page {
		out[i] = id(v.Value)
	}
	return out
}

func testSearch(w *world) {
	t := w.T
	names := map[account.ID]string{
		"strasse": "Hauptstraße 5", "istanbul": "İstanbul", "wide": "ＡＣＭＥ", "sigma": "ΟΔΥΣΣΕΥΣ",
		"percent": "100% sure", "under": "a_b", "backslash": `c\d`, "accent": "Cafe\u0301", "UPPER-id": "plain",
	}
	var changes []account.Change
	for id, name := range names {
		a, u := tenant(id, ""), account.User{ID: account.UserID(id), Email: string(id) + "@straße.example", Name: name, CreatedAt: born}
		a.Name = name
		changes = append(changes, create(a), create(u))
	}
	w.write(changes...)
	w.read(func(r directory.Reader) {
		for query, ids := range map[string][]string{
			"HAUPTSTRASSE": {"strasse"}, "ß": {"strasse"}, "acme": {"wide"}, "οδυσσευσ": {"sigma"}, "οδυσσευς": {"sigma"},
			"%": {"percent"}, "_": {"under"}, `\`: {"backslash"}, "CAFÉ": {"accent"}, "i\u0307stan": {"istanbul"},
			"upper-ID": {"UPPER-id"}, "no such": nil, "bad\xffbytes": nil, "nul\x00": nil,
		} {
			page, total, err := r.Accounts(w.ctx, directory.AccountFilter{Query: foldValid(query), Limit: 20})
			got := idsOf(page, func(a account.Account) string { return string(a.ID) })
			want(t, "accounts with "+query, got, err, append([]string{}, ids...))
			want(t, "total of accounts with "+query, total, nil, len(ids))
		}
		page, _, err := r.Users(w.ctx, directory.UserFilter{Query: account.Fold("@STRASSE.example"), Limit: 20})
		want(t, "users by e-mail", len(page), err, len(names))
		page, _, err = r.Users(w.ctx, directory.UserFilter{Query: account.Fold("ＡＣＭＥ"), Limit: 20})
		want(t, "users by name", idsOf(page, func(u account.User) string { return string(u.ID) }), err, []string{"wide"})
	})
}

// foldValid folds what can be folded; a query that is no text arrives as it is.
func foldValid(query string) string {
	if query == "bad\xffbytes" {
		return query
	}
	return account.Fold(query)
}

// testOrder sees that identifiers come in the order of their bytes, whatever the database's locale.
func testOrder(w *world) {
	t := w.T
	ids := []string{"-", "-a", "0", "10", "9", "A", "B", "Z", "_", "_a", "a", "aB", "aa", "b", "z"}
	changes := []account.Change{create(role("r"))}
	for _, id := range ids {
		changes = append(changes, create(tenant(account.ID(id), "")), create(person(account.UserID(id))), create(role(account.RoleKey(id+"r"))))
	}
	w.write(changes...)
	w.read(func(r directory.Reader) {
		accounts, _, err := r.Accounts(w.ctx, directory.AccountFilter{Limit: 100})
		want(t, "accounts", idsOf(accounts, func(a account.Account) string { return string(a.ID) }), err, ids)
		users, _, err := r.Users(w.ctx, directory.UserFilter{Limit: 100})
		want(t, "users", idsOf(users, func(u account.User) string { return string(u.ID) }), err, ids)
		accounts, _, err = r.Accounts(w.ctx, directory.AccountFilter{After: "Z", Limit: 3})
		want(t, "after Z", idsOf(accounts, func(a account.Account) string { return string(a.ID) }), err, []string{"_", "_a", "a"})
		roles, err := r.Roles(w.ctx)
		keys := idsOf(roles, func(r account.Role) string { return string(r.Key) })
		want(t, "roles are sorted", slices.IsSorted(keys), err, true)
	})
}
