package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/client"
)

// TestFollowAccountsGoesOnWhereItWasCut and ends where it is refused.
func TestFollowAccountsGoesOnWhereItWasCut(t *testing.T) {
	var asked []string
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Act-For-User")+" "+r.Header.Get("Last-Event-ID"))
		event := func(id int, name, data string) { fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", id, name, data) }
		if len(asked) == 1 {
			event(5, "open", `{"version":5,"consistency_token":"at-5"}`)
			event(7, "changed", `{"gained":[{"id":"eu","name":"Europe","parent":null}],"lost":["us"],"renamed":[],"moved":[],"consistency_token":"at-7"}`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		event(9, "open", `{"version":9,"consistency_token":"at-9"}`)
		event(9, "reload", `{"version":9,"consistency_token":"at-9"}`)
		event(10, "later", `{}`) // of a newer server
		fmt.Fprint(w, "event: end\ndata: {\"code\":\"user_blocked\",\"detail\":\"no more\"}\n\n")
	})
	var got []client.AccountsChange
	var last error
	for change, err := range c.ActingFor("ada").FollowAccounts(t.Context()) {
		if last = err; err == nil {
			got = append(got, change)
		}
	}
	want := []client.AccountsChange{
		{Reload: true, ConsistencyToken: "at-5"},
		{Gained: []client.Account{{ID: "eu", Name: "Europe"}}, Lost: []string{"us"}, Renamed: []client.Account{}, Moved: []client.Account{}, ConsistencyToken: "at-7"},
		{Reload: true, ConsistencyToken: "at-9"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if refused := (*client.Problem)(nil); !errors.As(last, &refused) || refused.Code != "user_blocked" || refused.Status != http.StatusForbidden {
		t.Errorf("ended with %v", last)
	}
	const path = "/v1/me/accounts/stream ada "
	if diff := cmp.Diff([]string{path, path + "7"}, asked); diff != "" {
		t.Errorf("asked:\n%s", diff)
	}
}

func TestFollowAccountsEndsWithItsContextAndItsLoop(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "id: 1\nevent: open\ndata: {}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.FollowAccounts(ctx) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ended with %v", last)
	}
	for range c.FollowAccounts(t.Context()) {
		break
	}
}
