package storetest

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

func valuesOf[T any](versioned []account.Versioned[T]) []T {
	var out []T
	for _, v := range versioned {
		out = append(out, v.Value)
	}
	return out
}

// testOperators: one id, one address and one subject of a provider each; those who have not signed in yet have no subject.
func testOperators(w *world) {
	t := w.T
	mara := account.Operator{ID: "mara", Email: "mara@vendor.example", Name: "Mara", Roles: []account.PortalRole{account.PortalAdmin}, CreatedAt: born}
	noor := account.Operator{ID: "noor", Email: "noor@vendor.example", Roles: []account.PortalRole{account.BackofficeViewer}, CreatedAt: born}
	w.write(create(mara), create(noor))
	signed := mara
	signed.Issuer, signed.Subject = "https://login.example", "a|1"
	w.write(update(mara, signed))
	w.read(func(r directory.Reader) {
		found, err := r.OperatorAt(w.ctx, "https://login.example", "a|1")
		want(t, "by subject", found.Value, err, signed)
		_, err = r.OperatorAt(w.ctx, "https://login.example", "A|1")
		wantFault(t, "by another subject", err, fault.NotFound, "operator_not_found")
		found, err = r.OperatorByEmail(w.ctx, "noor@vendor.example")
		want(t, "by address", found.Value, err, noor)
		page, total, err := r.Operators(w.ctx, directory.KeyPage{After: "mara", Limit: 1})
		want(t, "page", valuesOf(page), err, []account.Operator{noor})
		want(t, "total", total, nil, 2)
	})
	second := noor
	second.Issuer, second.Subject = signed.Issuer, signed.Subject
	_, err := w.try(update(noor, second))
	wantFault(t, "the subject of another", err, fault.Exists, "operator_exists")
	_, err = w.try(create(account.Operator{ID: "m2", Email: mara.Email, Roles: mara.Roles, CreatedAt: born}))
	wantFault(t, "the address of another", err, fault.Exists, "operator_exists")
}

// testIdentities: a subject of a provider is one user at most; a user may be several.
func testIdentities(w *world) {
	t := w.T
	issuer := account.Issuer{
		ID: "login", Name: "Login", URL: "https://login.example", Audiences: []string{"shop", "api"}, Purpose: account.ForUsers,
		LinkByEmail: true, EmailDomains: []string{"globex.example"}, CreatedAt: born,
	}
	w.write(create(issuer), create(person("ada")), create(person("bob")))
	_, err := w.try(create(account.Issuer{ID: "other", URL: issuer.URL, Audiences: issuer.Audiences, Purpose: account.ForOperators, CreatedAt: born}))
	wantFault(t, "an address twice", err, fault.Exists, "issuer_exists")
	first := account.Identity{ID: "idn_1", Issuer: issuer.URL, Subject: "1", User: "ada", CreatedAt: born}
	second := account.Identity{ID: "idn_2", Issuer: issuer.URL, Subject: "2", User: "ada", CreatedAt: born}
	w.write(create(first), create(second))
	w.read(func(r directory.Reader) {
		found, err := r.IssuerAt(w.ctx, issuer.URL)
		want(t, "issuer", found.Value, err, issuer)
		_, err = r.IssuerAt(w.ctx, issuer.URL+"/")
		wantFault(t, "no issuer", err, fault.NotFound, "issuer_not_found")
		all, err := r.IdentitiesOf(w.ctx, "ada")
		want(t, "identities", valuesOf(all), err, []account.Identity{first, second})
		is, err := r.IdentityAt(w.ctx, issuer.URL, "2")
		want(t, "who it is", is.Value, err, second)
		all, err = r.IdentitiesOf(w.ctx, "bob", "ada")
		want(t, "identities of several", valuesOf(all), err, []account.Identity{first, second})
		all, err = r.IdentitiesOf(w.ctx)
		want(t, "identities of nobody", len(all), err, 0)
		_, err = r.IdentityAt(w.ctx, issuer.URL, "3")
		wantFault(t, "nobody", err, fault.NotFound, "identity_not_found")
	})
	trusted, err := w.db.TrustedIssuer(w.ctx, w.env, issuer.URL)
	want(t, "trusted issuer", trusted, err, issuer)
	_, err = w.db.TrustedIssuer(w.ctx, w.env, issuer.URL+"/")
	wantFault(t, "an issuer that is not trusted", err, fault.NotFound, "issuer_not_found")
	for _, env := range []account.EnvironmentID{"other", "nowhere"} {
		_, err = w.db.TrustedIssuer(w.ctx, env, issuer.URL)
		wantFault(t, "an issuer of another environment", err, fault.NotFound, "issuer_not_found")
	}
	_, err = w.try(create(account.Identity{ID: "idn_3", Issuer: issuer.URL, Subject: "1", User: "bob", CreatedAt: born}))
	wantFault(t, "the identity of another", err, fault.Exists, "identity_exists")
	w.write(remove(issuer))
	w.read(func(r directory.Reader) {
		is, err := r.IdentityAt(w.ctx, issuer.URL, "1")
		want(t, "without its issuer", is.Value, err, first)
	})
}

// testUnlinked: what is noted of a subject and of a user is of that one alone, in that environment.
func testUnlinked(w *world) {
	t := w.T
	const login = "https://login.example"
	do := func(set func(tx directory.Tx) error) {
		t.Helper()
		if err := w.db.Write(w.ctx, w.env, set); err != nil {
			t.Fatal(err)
		}
	}
	unlink := func(tx directory.Tx) error { return tx.SetUnlinked(w.ctx, login, "1", "ada") }
	noted := func(issuer, subject string, user account.UserID, wanted bool) {
		t.Helper()
		w.read(func(r directory.Reader) {
			got, err := r.IsUnlinked(w.ctx, issuer, subject, user)
			want(t, "unlinked "+subject+" "+string(user), got, err, wanted)
		})
	}
	noted(login, "1", "ada", false)
	do(unlink)
	do(unlink)
	noted(login, "1", "bob", true)
	noted(login, "2", "ada", true)
	noted(login, "2", "bob", false)
	noted(login, "2", "", false)
	noted(login+"/", "1", "bob", false)
	do(func(tx directory.Tx) error { return tx.SetLinked(w.ctx, login, "1") })
	do(func(tx directory.Tx) error { return tx.SetLinked(w.ctx, login, "2") })
	noted(login, "1", "bob", false)
	noted(login, "1", "ada", true)
	do(func(tx directory.Tx) error { return tx.ForgetUnlinked(w.ctx, "bob", "eve") })
	noted(login, "1", "ada", true)
	do(func(tx directory.Tx) error { return tx.ForgetUnlinked(w.ctx, "bob", "ada") })
	noted(login, "1", "ada", false)
}

// testSettingsOfAccess: networks and times of keys are kept as they were given.
func testSettingsOfAccess(w *world) {
	before := environment(w.env)
	after := before
	var err error
	after.IPAllowList, err = account.ParseNetworks("ip_allow_list", []string{"2001:db8::/32", "192.0.2.7"})
	after.ExchangeOnly, after.KeysRotatedAt, after.KeysRevokedAt = true, new(born), new(born.Add(time.Hour))
	w.write(update(before, after))
	holder := tenant("a", "")
	holder.IPAllowList = "192.0.2.7/32"
	w.write(create(holder))
	w.read(func(r directory.Reader) {
		found, readErr := r.Environment(w.ctx)
		want(w.T, "networks", found.Value.IPAllowList, err, "192.0.2.7/32 2001:db8::/32")
		want(w.T, "environment", found.Value, readErr, after)
		a, err := r.Account(w.ctx, "a")
		want(w.T, "account", a.Value, err, holder)
	})
}
