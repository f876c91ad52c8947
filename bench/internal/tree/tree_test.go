package tree

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBranchCounts(t *testing.T) {
	const accounts = 100_000
	for top, want := range map[int]int{0: accounts, 1: 11_111, 11: 1_111, 111: 111, 1_111: 11, 11_111: 1, accounts: 0} {
		if got := Branch(top, accounts); got != want {
			t.Errorf("the branch of %d has %d accounts, not %d", top, got, want)
		}
	}
}

func TestWorldIsWhatItSays(t *testing.T) {
	const accounts = 1_000
	w, err := New(SizeOf(accounts, 1))
	if err != nil {
		t.Fatal(err)
	}
	again, err := New(SizeOf(accounts, 1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, again, cmp.AllowUnexported(World{})); diff != "" {
		t.Errorf("equal sizes, other worlds: %s", diff)
	}
	var reaches []int
	for _, r := range w.Reaches {
		reaches = append(reaches, r.Accounts)
		if got := len(w.List(r.User)); got != r.Accounts {
			t.Errorf("the user of %d accounts reaches %d", r.Accounts, got)
		}
	}
	if diff := cmp.Diff([]int{11, 111, accounts}, reaches); diff != "" {
		t.Errorf("users by what they reach: %s", diff)
	}
	if got := len(w.List(w.Three)); got != 3 {
		t.Errorf("the user of three accounts reaches %d", got)
	}
	for user := range w.Users {
		if n := len(w.Of(user)); n < 1 || n > 3 || n > 2 && user != w.Three {
			t.Fatalf("user %d has %d memberships", user, n)
		}
	}
}

func TestQuestionsAreOfBothKinds(t *testing.T) {
	w, err := New(SizeOf(1_000, 2))
	if err != nil {
		t.Fatal(err)
	}
	const n = 1_000
	allowed := 0
	for _, q := range w.Questions(n, 0) {
		if q.Allowed {
			allowed++
		}
	}
	if allowed < n/4 || allowed > n*3/4 {
		t.Errorf("%d of %d questions are allowed", allowed, n)
	}
}

// TestAnswersAgree holds the way up the tree to the way down.
func TestAnswersAgree(t *testing.T) {
	w, err := New(SizeOf(500, 3))
	if err != nil {
		t.Fatal(err)
	}
	for user := range w.Users {
		opens := map[int32]bool{}
		for _, a := range w.List(user) {
			opens[a] = true
		}
		for account := range w.Size.Accounts {
			if got := w.Allowed(user, account, Read); got != opens[int32(account)] {
				t.Fatalf("user %d at account %d: allowed %t, in the list %t", user, account, got, !got)
			}
		}
	}
}
