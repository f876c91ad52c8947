package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/tenantry/tenantry/client"
)

func Example() {
	// In the place of a Tenantry server.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/check":
			_, _ = io.WriteString(w, `{"allowed":true}`)
		case "/v1/users/ada/accounts":
			_, _ = io.WriteString(w, `{"accounts":[{"id":"globex","name":"Globex","depth":0},{"id":"east","name":"Globex East","depth":1}],"total":2}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"code":"user_not_found","detail":"there is no user"}`)
		}
	}))
	defer server.Close()

	ctx := context.Background()
	tenantry, err := client.New(server.URL, "tenantry_production.shop.c2VjcmV0")
	if err != nil {
		fmt.Println(err)
		return
	}

	allowed, err := tenantry.Check(ctx, "user:ada", "fe.account-hierarchy.write.subAccount", "account:globex")
	fmt.Println(allowed, err)

	for account, err := range tenantry.AllAccounts(ctx, "ada", client.AccountsOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%*s%s\n", 2*account.Depth, "", account.Name)
	}

	_, err = tenantry.Accounts(ctx, "nobody", client.AccountsOptions{})
	if problem, ok := errors.AsType[*client.Problem](err); ok {
		fmt.Println(problem.Code)
	}
	// Output:
	// true <nil>
	// Globex
	//   Globex East
	// user_not_found
}
