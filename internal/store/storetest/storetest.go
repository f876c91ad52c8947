// Package storetest is the conformance suite of the directory's database: what every database under [store.DB] must do, as tests.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/store"
)

// Open opens an empty database, which it closes when t ends.
type Open func(t *testing.T, cfg store.Config) *store.DB

// Run runs the suite on the databases that open returns.
func Run(t *testing.T, open Open) {
	t.Helper()
	tests := []struct {
		name string
		test func(*world)
	}{
		{"RoundTrip", testRoundTrip},
		{"RoundTripOfAwkwardValues", testAwkwardValues},
		{"MissingThings", testMissing},
		{"Entitlements", testEntitlements},
		{"TakenIdentifiers", testTaken},
		{"E1_EnvironmentsAreApart", testE1},
		{"Environments", testEnvironments},
		{"C1_Credentials", testC1},
		{"C2_ClientUses", testClientUses},
		{"C1_APITokens", testAPITokens},
		{"E4_Operators", testOperators},
		{"C1_Identities", testIdentities},
		{"C1_UnlinkedSubjects", testUnlinked},
		{"E3_SettingsOfAccess", testSettingsOfAccess},
		{"SigningKeys", testSigningKeys},
		{"I1_Invitations", testI1},
		{"I1_InvitationSecrets", testInvitationSecrets},
		{"I1_Letters", testLetters},
		{"I1_LettersOfOthersAreLeftAlone", testForeignLetters},
		{"I1_LettersAreClaimedOnce", testLetterClaims},
		{"I1_EnvironmentsTakeTurns", testLetterTurns},
		{"I1_OpenInvitations", testOpenInvitations},
		{"E3_AllowLists", testAllowLists},
		{"Model", testModel},
		{"A2_CyclesEndReads", testCycles},
		{"S5_Reach", testReach},
		{"MembersByRole", testMembersByRole},
		{"Paging", testPaging},
		{"Search", testSearch},
		{"OrderIsBytewise", testOrder},
		{"EntitiesInOrder", testEntities},
		{"ReachingIsWhatEntitiesAre", testReaching},
		{"AppendInAnyOrder", testAppendOrder},
		{"AppendOneRowTwice", testAppendTwice},
		{"AppendChecksWhatWasBefore", testAppendWrongBefore},
		{"AppendOfThousands", testAppendThousands},
		{"FailedAppendLeavesNothing", testFailedAppend},
		{"DanglingReferencesAreRefused", testDangling},
		{"RollbackLeavesNothing", testRollback},
		{"CancelledWriteLeavesNothing", testCancelled},
		{"L1_Journal", testL1},
		{"JournalPagesAreBounded", testBoundedPages},
		{"L1_LogModel", testLogModel},
		{"L1_LogPagesAreBounded", testBoundedLog},
		{"L1_LogOfDeletedAccounts", testLogOfDeleted},
		{"L1_LogOfLargeEntry", testLogOfLarge},
		{"VersionsAreGapFree", testVersions},
		{"WritersOfTwoEnvironments", testTwoWriters},
		{"ReadIsASnapshot", testSnapshot},
		{"WritersThatReadDoNotBlock", testReadInsideWrite},
		{"IdempotencyMemory", testMemory},
		{"Positions", testPositions},
		{"SchemaChanges", testSchemaChanges},
		{"ClosedDatabase", testClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(newWorld(t, open)) })
	}
}

// born is when everything in these tests was created: to the microsecond, which is what is kept.
var born = time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// world is a database with one environment that a test works in.
type world struct {
	*testing.T
	ctx  context.Context //nolint:containedctx // the world lives as long as the test, and so does its context
	open Open
	db   *store.DB
	env  account.EnvironmentID
}

func newWorld(t *testing.T, open Open) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	w := &world{T: t, ctx: ctx, open: open, db: open(t, store.Config{}), env: "dev"}
	w.found(w.env)
	return w
}

func environment(id account.EnvironmentID) account.Environment {
	return account.Environment{ID: id, Name: "Environment " + string(id), DefaultAccessMode: account.DefaultOff, MaxDepth: account.DefaultMaxDepth, CreatedAt: born}
}

// found creates an environment.
func (w *world) found(id account.EnvironmentID) {
	w.Helper()
	if err := w.db.CreateEnvironment(w.ctx, entry(account.EnvironmentCreated, create(environment(id)))); err != nil {
		w.Fatalf("create environment %s: %v", id, err)
	}
}

func entry(kind account.Kind, changes ...account.Change) account.Entry {
	return account.Entry{At: born, Actor: account.Actor{System: true}, RequestID: "r-1", From: "127.0.0.1", Kind: kind, Changes: changes}
}

func create[T account.Value](v T) account.Change { return account.Change{After: account.Of(v)} }
func remove[T account.Value](v T) account.Change { return account.Change{Before: account.Of(v)} }
func update[T account.Value](before, after T) account.Change {
	return account.Change{Before: account.Of(before), After: account.Of(after)}
}

// try appends one entry with the changes.
func (w *world) try(changes ...account.Change) (v account.Version, err error) {
	err = w.db.Write(w.ctx, w.env, func(tx directory.Tx) (err error) {
		v, err = tx.Append(w.ctx, entry(account.Imported, changes...))
		return err
	})
	return v, err
}

// write appends one entry with the changes, and fails the test if that fails.
func (w *world) write(changes ...account.Change) account.Version {
	w.Helper()
	v, err := w.try(changes...)
	if err != nil {
		w.Fatalf("append: %v", err)
	}
	return v
}

// read runs fn in a snapshot of the environment.
func (w *world) read(fn func(directory.Reader)) {
	w.Helper()
	if err := w.db.Read(w.ctx, w.env, func(r directory.Reader) error { fn(r); return nil }); err != nil {
		w.Fatalf("read: %v", err)
	}
}

// want compares the answer of a call with what it should be.
func want[T any](tb testing.TB, what string, got T, err error, wanted T) {
	tb.Helper()
	if err != nil {
		tb.Errorf("%s: %v", what, err)
	} else if diff := cmp.Diff(wanted, got); diff != "" {
		tb.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// wantFault sees that err is a fault of a kind and code.
func wantFault(tb testing.TB, what string, err error, kind fault.Kind, code string) {
	tb.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != kind || f.Code != code {
		tb.Errorf("%s: got error %v, want %s (%s)", what, err, kind, code)
	}
}

// wantInternal sees that err is an error that is no fault.
func wantInternal(tb testing.TB, what string, err error) {
	tb.Helper()
	if _, ok := errors.AsType[*fault.Error](err); ok || err == nil {
		tb.Errorf("%s: got error %v, want an internal one", what, err)
	}
}

// head is the environment's version.
func (w *world) head() account.Version {
	w.Helper()
	v, err := w.db.Head(w.ctx, w.env)
	if err != nil {
		w.Fatalf("head: %v", err)
	}
	return v
}

func tenant(id, parent account.ID) account.Account {
	return account.Account{ID: id, Name: "Account " + string(id), Parent: parent, AccessMode: account.DefaultOff, CreatedAt: born}
}

func person(id account.UserID) account.User {
	return account.User{ID: id, Email: string(id) + "@example.com", Name: "User " + string(id), CreatedAt: born}
}

func role(key account.RoleKey, permissions ...account.PermissionKey) account.Role {
	return account.Role{Key: key, Name: "Role " + string(key), Permissions: account.Set(permissions)}
}

func member(id account.ID, user account.UserID, roles ...account.RoleKey) account.Membership {
	return account.Membership{Account: id, User: user, Roles: account.Set(roles), CreatedAt: born}
}

func assignment(id account.ID, key account.RoleKey) account.Assignment {
	return account.Assignment{Account: id, Role: key}
}

// numbered returns prefix000, prefix001, …
func numbered[T ~string](prefix string, n int) T { return T(fmt.Sprintf("%s%03d", prefix, n)) }
