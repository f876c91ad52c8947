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
			m, put, finish := sowing(b)
			for i := range 5 {
				a := account.Account{ID: account.ID(fmt.Sprintf("acc-%d", i)), Name: "Acme"}
				if i > 0 {
					a.Parent = account.ID(fmt.Sprintf("acc-%d", i-1))
				}
				put(*account.Of(a))
			}
			for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(members) {
				user := fmt.Sprintf("user-%d", i)
				put(*account.Of(account.User{ID: account.UserID(user)}))
				put(reader(user, 0, account.GrantedAccess))
			}
			v := finish().publish().view(m, start)
			for b.Loop() {
				if p, ok := v.Openers(OpenersQuery{Account: "acc-4", Limit: 50}); !ok || p.Total != members {
					b.Fatal(p.Total)
				}
			}
		})
	}
}
