package switcher

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
)

// BenchmarkOpeners asks who can open an account at a depth of 5, of which so many are members of the top.
func BenchmarkOpeners(b *testing.B) {
	for _, members := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			m := testModel(b)
			l := newLoader("prod", m.bits)
			put := func(e account.Entity) {
				if err := l.add(e); err != nil {
					b.Fatal(err)
				}
			}
			put(*account.Of(account.Role{Key: "reader", Permissions: []account.PermissionKey{readSubAccounts}}))
			for i := range 5 {
				a := account.Account{ID: account.ID(fmt.Sprintf("acc-%d", i)), Name: "Acme"}
				if i > 0 {
					a.Parent = account.ID(fmt.Sprintf("acc-%d", i-1))
				}
				put(*account.Of(a))
			}
			for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(members) {
				put(*account.Of(account.User{ID: account.UserID(fmt.Sprintf("user-%d", i))}))
				put(*account.Of(account.Membership{Account: "acc-0", User: account.UserID(fmt.Sprintf("user-%d", i)), Roles: []account.RoleKey{"reader"}, BranchAccess: account.GrantedAccess}))
			}
			w, err := l.finish(1)
			if err != nil {
				b.Fatal(err)
			}
			v := w.publish().view(m, start)
			for b.Loop() {
				if p, ok := v.Openers(OpenersQuery{Account: "acc-4", Limit: 50}); !ok || p.Total != members {
					b.Fatal(p.Total)
				}
			}
		})
	}
}
