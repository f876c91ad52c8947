package client_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/client"
)

func TestSwitch(t *testing.T) {
	type sent struct{ Method, Path, Auth, ActFor, Body string }
	var got sent
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = sent{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Act-For-User"), string(body)}
		if r.URL.Path == "/v1/check" {
			answer(w, http.StatusOK, `{"allowed":true}`)
			return
		}
		answer(w, http.StatusOK, `{"token":"eyJ.e30.x","token_type":"Bearer","expires_at":"2035-01-31T18:00:00Z","account":{"id":"east","name":"East","parent":"globex","depth":1,"path":[{"id":"globex","name":"Globex"}]}}`)
	})
	opened, err := c.ActingFor("ada").Switch(t.Context(), "east")
	if err != nil {
		t.Fatal(err)
	}
	want := client.AccountToken{
		Token: "eyJ.e30.x", ExpiresAt: time.Date(2035, 1, 31, 18, 0, 0, 0, time.UTC),
		Account: client.Account{ID: "east", Name: "East", Parent: "globex", Depth: 1, Path: []client.Place{{ID: "globex", Name: "Globex"}}},
	}
	if diff := cmp.Diff(want, opened); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sent{"POST", "/v1/me/switch", "Bearer " + token, "ada", `{"account":"east"}`}, got); diff != "" {
		t.Error(diff)
	}
	inEast, err := c.ActingFor("ada").WithToken(opened.Token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inEast.Check(t.Context(), "user:ada", "access", "account:east"); err != nil || got.Auth != "Bearer eyJ.e30.x" || got.ActFor != "" {
		t.Errorf("with the account's token: %+v, %v", got, err)
	}
	if _, err := c.WithToken(""); err == nil {
		t.Error("an empty token is taken")
	}
}

func TestSwitchRefused(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusForbidden, `{"code":"permission_denied","status":403,"detail":"no","token":"eyJ.e30.x"}`)
	})
	opened, err := c.Switch(t.Context(), "east")
	var problem *client.Problem
	if !errors.As(err, &problem) || problem.Code != "permission_denied" || opened.Token != "" {
		t.Errorf("%+v, %v", opened, err)
	}
}
