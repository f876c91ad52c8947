package world

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/generate"
	"github.com/tenantry/tenantry/internal/ndjson"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

func small(t *testing.T) *World {
	t.Helper()
	w, err := New(Size{Accounts: 300, Users: 270, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A world holds what a relay would write if the same content had been loaded into Tenantry.
func TestRelationshipsAreThoseOfADirectory(t *testing.T) {
	w := small(t)
	var text bytes.Buffer
	if _, err := generate.Generate(&text, generate.Config{Accounts: 300, Users: 270, Seed: 3, Environment: Environment}); err != nil {
		t.Fatal(err)
	}
	var records []directory.Record
	if err := ndjson.Read(&text, func(r directory.Record) error { records = append(records, r); return nil }); err != nil {
		t.Fatal(err)
	}
	yes, added := true, w.users[w.byUser[reader]].memberships[0]
	records = append(records,
		directory.Record{Environment: Environment, User: &account.User{ID: reader, Email: "reader@bench.example"}},
		directory.Record{Environment: Environment, Membership: &directory.Grant{
			Account: w.accounts[added.at].id, User: reader, Roles: added.roles, SubAccountAccess: &yes,
		}})

	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "directory.db"), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	d := directory.New(db, yesMan{}, yesMan{}, catalogue, directory.Config{})
	if _, err := d.Load(t.Context(), directory.Request{Actor: account.Actor{System: true}}, records, directory.LoadOptions{}); err != nil {
		t.Fatal(err)
	}

	projector, implied := relation.NewProjector(catalogue), relation.Set{}
	if _, err := db.Snapshot(t.Context(), Environment, func(e account.Entity) error {
		rels, err := projector.Implied(Environment, e)
		implied.Add(rels...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	made := relation.Set{}
	made.Add(w.Relationships...)
	if diff := cmp.Diff(implied, made); diff != "" {
		t.Errorf("-directory +world\n%s", diff)
	}
	if len(made) != len(w.Relationships) {
		t.Errorf("%d relationships, of which %d are different", len(w.Relationships), len(made))
	}
	if !slices.IsSortedFunc(w.Relationships, func(a, b relation.Relationship) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) }) {
		t.Error("the relationships are not in the order of a relay")
	}
}

// yesMan allows everything, and everything is in force at once.
type yesMan struct{}

func (yesMan) Decide(_ context.Context, _ account.Actor, _ account.Version, questions []directory.Question) ([]bool, error) {
	return slices.Repeat([]bool{true}, len(questions)), nil
}

func (yesMan) InForce(context.Context, account.EnvironmentID, account.Version) error { return nil }

func TestQuestions(t *testing.T) {
	w := small(t)
	q, again := w.Questions(1), w.Questions(1)
	first, second := q.Next(200), q.Next(200)
	if diff := cmp.Diff(first, again.Next(200)); diff != "" {
		t.Errorf("equal seeds, other questions:\n%s", diff)
	}
	seen, allowed := map[[3]string]bool{}, 0
	for _, one := range slices.Concat(first, second) {
		key := [3]string{one.User, one.Account, one.Permission}
		if seen[key] {
			t.Errorf("%v is asked twice", key)
		}
		seen[key] = true
		if one.Allowed {
			allowed++
		}
	}
	if share := float64(allowed) / float64(len(seen)); len(seen) != 400 || share < .25 || share > .75 {
		t.Errorf("%d questions, of which %d are allowed", len(seen), allowed)
	}
}

func TestReaders(t *testing.T) {
	w := small(t)
	if got := w.Root(); got.Accounts != 300 || got.User != "bench/root" {
		t.Errorf("root: %+v", got)
	}
	if got := w.Reader(); got.Accounts < 20 || got.Accounts > 50 || got.User != "bench/reader" {
		t.Errorf("a reader of a ninth of 300 accounts: %+v", got)
	}
}
