package storetest

import (
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// testAllowLists: the list that holds at an account is its own, or that of the nearest one above that has one (E3).
func testAllowLists(w *world) {
	t := w.T
	w.found("prod")
	const home, office, all = account.Networks("192.0.2.7/32"), account.Networks("198.51.100.0/24 2001:db8::/32"), account.Networks("0.0.0.0/0")
	lists := func(ids ...account.ID) directory.AllowLists {
		t.Helper()
		found, err := w.db.AllowLists(w.ctx, w.env, ids...)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	of := func(environment account.Networks, accounts map[account.ID]account.Networks) directory.AllowLists {
		if accounts == nil {
			accounts = map[account.ID]account.Networks{}
		}
		return directory.AllowLists{Environment: environment, Accounts: accounts}
	}
	tenants := []account.Account{tenant("a", ""), tenant("b", "a"), tenant("c", "b"), tenant("d", "c"), tenant("other", "")}
	for _, a := range tenants {
		w.write(create(a))
	}
	want(t, "without any", lists("a", "d", "no-such"), nil, of("", nil))

	a, c := tenants[0], tenants[2]
	a.IPAllowList, c.IPAllowList = home, office
	w.write(update(tenants[0], a), update(tenants[2], c))
	want(t, "of the environment alone", lists(), nil, of("", nil))
	want(t, "own, and of the nearest above", lists("a", "b", "c", "d", "other", "no-such"), nil,
		of("", map[account.ID]account.Networks{"a": home, "b": home, "c": office, "d": office}))

	moved := tenants[3]
	moved.Parent = "other"
	limited := environment(w.env)
	limited.IPAllowList = all
	w.write(update(tenants[3], moved), update(environment(w.env), limited))
	want(t, "of an account that was moved", lists("d", "c"), nil, of(all, map[account.ID]account.Networks{"c": office}))

	elsewhere := *w
	elsewhere.env = "prod"
	elsewhere.write(create(tenant("a", "")))
	found, err := w.db.AllowLists(w.ctx, "prod", "a", "b")
	want(t, "of another environment", found, err, of("", nil))
	_, err = w.db.AllowLists(w.ctx, "nowhere", "a")
	wantFault(t, "no environment", err, fault.NotFound, "environment_not_found")
	_, err = w.db.AllowLists(w.ctx, "nowhere")
	wantFault(t, "no environment, no account", err, fault.NotFound, "environment_not_found")

	lifted := c
	lifted.IPAllowList = ""
	w.write(update(c, lifted), update(a, tenants[0]))
	want(t, "lifted", lists("a", "c"), nil, of(all, nil))

	looped := tenants[0]
	looped.Parent = "c"
	w.write(update(tenants[0], looped), create(limitedTenant("fenced", home)))
	want(t, "in a cycle", lists("a", "c", "fenced"), nil, of(all, map[account.ID]account.Networks{"fenced": home}))
}

func limitedTenant(id account.ID, list account.Networks) account.Account {
	a := tenant(id, "")
	a.IPAllowList = list
	return a
}
