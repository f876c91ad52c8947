package storetest

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

func robot(id account.APITokenID, holder account.ID, roles ...account.RoleKey) account.APIToken {
	return account.APIToken{ID: id, Account: holder, Name: "Robot " + string(id), Roles: account.Set(roles), CreatedBy: account.Actor{User: "u"}, CreatedAt: born}
}

// testAPITokens: secrets and last uses stay apart from the state, and with it.
func testAPITokens(w *world) {
	t := w.T
	first := robot("t1", "a", "r")
	first.ExpiresAt = new(born.Add(time.Hour))
	w.write(create(role("r")), create(tenant("a", "")), create(first), create(robot("t2", "a", "r")))
	_, _, err := w.db.APITokenCredential(w.ctx, "nowhere", "t1")
	wantFault(t, "no environment", err, fault.NotFound, "api_token_not_found")
	_, _, err = w.db.APITokenCredential(w.ctx, w.env, "x")
	wantFault(t, "no token", err, fault.NotFound, "api_token_not_found")
	got, hash, err := w.db.APITokenCredential(w.ctx, w.env, "t1")
	want(t, "token without a secret", got, err, first)
	want(t, "no secret", hash, nil, nil)

	secret := []byte{0, 1, 0xff, '\'', '"'}
	set := func(id account.APITokenID) error {
		return w.db.Write(w.ctx, w.env, func(tx directory.Tx) error { return tx.SetAPITokenSecret(w.ctx, id, secret) })
	}
	wantFault(t, "secret of no token", set("x"), fault.NotFound, "api_token_not_found")
	if err := set("t1"); err != nil {
		t.Fatal(err)
	}
	note := func(uses map[account.APITokenID]time.Time) {
		t.Helper()
		if err := w.db.NoteUses(w.ctx, w.env, uses); err != nil {
			t.Fatal(err)
		}
	}
	late := born.Add(time.Minute)
	note(map[account.APITokenID]time.Time{"t1": late, "gone": late})
	note(map[account.APITokenID]time.Time{"t1": born})
	note(nil)

	// a change of the token leaves them as they are
	kept := first
	kept.BranchAccess = account.KeptFromAlwaysOn
	w.write(update(first, kept))
	got, hash, err = w.db.APITokenCredential(w.ctx, w.env, "t1")
	want(t, "token", got, err, kept)
	want(t, "secret", hash, nil, secret)
	w.read(func(r directory.Reader) {
		uses, err := r.APITokenUses(w.ctx, []account.APITokenID{"t1", "t2", "x"})
		want(t, "uses", uses, err, map[account.APITokenID]time.Time{"t1": late})
		uses, err = r.APITokenUses(w.ctx, nil)
		want(t, "no uses", len(uses), err, 0)
		by, err := r.APITokensBy(w.ctx, account.Actor{User: "u"})
		want(t, "of their maker", by, err, []account.APIToken{kept, robot("t2", "a", "r")})
	})
	w.write(remove(kept))
	_, _, err = w.db.APITokenCredential(w.ctx, w.env, "t1")
	wantFault(t, "a token that went", err, fault.NotFound, "api_token_not_found")
}
