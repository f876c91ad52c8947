package storetest

import (
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// testE1 sees that the same identifiers in two environments have nothing to do with each other (E1).
func testE1(w *world) {
	t := w.T
	w.found("other")
	all := func(name string) []account.Change {
		a, u := tenant("a", ""), person("u")
		a.Name, u.Name = name, name
		return []account.Change{create(a), create(tenant("b", "a")), create(u), create(role("r", "p")), create(member("a", "u", "r")), create(assignment("a", "r"))}
	}
	w.write(all("here")...)
	other := *w
	other.env = "other"
	other.read(func(r directory.Reader) {
		if _, err := r.Account(w.ctx, "a"); !errors.Is(err, fault.NotFound) {
			t.Errorf("account of another environment: %v", err)
		}
		n := 0
		err := r.Entities(w.ctx, func(account.Entity) error { n++; return nil })
		want(t, "entities", n, err, 1)
		entries, err := r.Entries(w.ctx, 0, 10)
		want(t, "entries", len(entries), err, 1)
	})
	other.write(all("there")...)
	other.write(remove(member("a", "u", "r")), remove(assignment("a", "r")), remove(role("r", "p")), remove(tenant("b", "a")))
	w.read(func(r directory.Reader) {
		a, err := r.Account(w.ctx, "a")
		want(t, "name", a.Value.Name, err, "here")
		counts, err := r.Counts(w.ctx, "a")
		want(t, "counts", counts, err, directory.Counts{Members: 1, Children: 1, Descendants: 1})
		users, n, err := r.Users(w.ctx, directory.UserFilter{Limit: 5})
		want(t, "users", len(users)*10+n, err, 11)
	})
}

func testEnvironments(w *world) {
	t := w.T
	for _, id := range []account.EnvironmentID{"prod", "Zeta", "alpha"} {
		w.found(id)
	}
	all, err := w.db.Environments(w.ctx)
	want(t, "environments", all, err, []account.Environment{environment("Zeta"), environment("alpha"), environment("dev"), environment("prod")})

	first := entry(account.EnvironmentCreated, create(environment("qa")), create(role("r", "p")), create(tenant("a", "")))
	first.ID = "ent_given" // an id that is there stays
	if err := w.db.CreateEnvironment(w.ctx, first); err != nil {
		t.Fatal(err)
	}
	heads, err := w.db.Heads(w.ctx)
	want(t, "heads", heads, err, map[account.EnvironmentID]account.Version{"Zeta": 1, "alpha": 1, "dev": 1, "prod": 1, "qa": 1})
	qa, err := w.db.Entries(w.ctx, "qa", 0, 10)
	first.Environment, first.Version = "qa", 1
	want(t, "first entry", qa, err, []account.Entry{first})

	if err := w.db.CreateEnvironment(w.ctx, entry(account.EnvironmentCreated, create(tenant("a", "")))); err == nil {
		t.Error("an entry that creates no environment was taken as a first one")
	}
	if _, err := w.try(update(environment("prod"), environment("prod"))); err == nil {
		t.Error("an entry changed another environment")
	}
	if _, err := w.try(remove(environment("dev"))); err == nil {
		t.Error("an environment was removed")
	}
}

func testC1(w *world) {
	t := w.T
	client := account.Client{ID: "c", Name: "Client", Roles: []account.PortalRole{account.PortalAdmin}, CreatedAt: born}
	w.write(create(client))
	_, err := w.db.Credential(w.ctx, "nowhere", "c")
	wantFault(t, "no environment", err, fault.NotFound, "client_not_found")
	_, err = w.db.Credential(w.ctx, w.env, "x")
	wantFault(t, "no client", err, fault.NotFound, "client_not_found")
	got, err := w.db.Credential(w.ctx, w.env, "c")
	want(t, "client without a secret", got, err, account.ClientCredential{Client: client})

	old := account.ClientSecret{ID: "s1", Client: "c", ExpiresAt: new(born.Add(time.Hour)), CreatedAt: born}
	fresh := account.ClientSecret{ID: "s2", Client: "c", CreatedAt: born}
	w.write(create(fresh), create(old))
	hash := []byte{0, 1, 0xff, '\'', '"'}
	set := func(id account.SecretID) error {
		return w.db.Write(w.ctx, w.env, func(tx directory.Tx) error { return tx.SetSecret(w.ctx, id, hash) })
	}
	wantFault(t, "hash of no secret", set("x"), fault.NotFound, "secret_not_found")
	if err := set("s1"); err != nil {
		t.Fatal(err)
	}
	w.read(func(r directory.Reader) {
		secrets, err := r.ClientSecrets(w.ctx, "c")
		want(t, "secrets", valuesOf(secrets), err, []account.ClientSecret{old, fresh})
		secrets, err = r.ClientSecrets(w.ctx, "x")
		want(t, "secrets of no client", len(secrets), err, 0)
	})
	w.write(create(account.Client{ID: "b", Roles: client.Roles, CreatedAt: born}), create(account.Client{ID: "D", Roles: client.Roles, CreatedAt: born}))
	w.read(func(r directory.Reader) {
		all, err := r.Clients(w.ctx)
		ids := []account.ClientID{}
		for _, c := range all {
			ids = append(ids, c.ID)
		}
		want(t, "clients", ids, err, []account.ClientID{"D", "b", "c"})
	})
	renamed := client
	renamed.Name, renamed.Scopes = "Renamed", "check read"
	w.write(update(client, renamed))
	got, err = w.db.Credential(w.ctx, w.env, "c")
	want(t, "client", got, err, account.ClientCredential{Client: renamed, Secrets: []account.KeptSecret{{ClientSecret: old, Hash: hash}, {ClientSecret: fresh}}})
	w.write(remove(old))
	got, err = w.db.Credential(w.ctx, w.env, "c")
	want(t, "client after one was revoked", got, err, account.ClientCredential{Client: renamed, Secrets: []account.KeptSecret{{ClientSecret: fresh}}})
}
