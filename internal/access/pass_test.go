package access

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// TestW2_NoQuestionGoesOutsideTheAccount: an engine that says yes to everything is not even asked.
func TestW2_NoQuestionGoesOutsideTheAccount(t *testing.T) {
	s, engine, _, _ := withFeatures(t, 0)
	inGlobex := account.Actor{Environment: "prod", User: "ada", Account: "globex"}
	got, err := s.Decide(t.Context(), inGlobex, 1, []directory.Question{
		{Permission: "read_users", Resource: relation.AccountObject("prod", "initech")},
		{Permission: "read_users", Resource: relation.AccountObject("prod", "globex")},
		{Permission: "view_backoffice", Resource: relation.EnvironmentObject("prod")},
		{Permission: "read_users", Resource: relation.AccountObject("dev", "globex")},
	})
	if diff := cmp.Diff([]bool{false, true, false, false}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if diff := cmp.Diff([][]string{{"prod/globex#read_users@prod/ada"}}, engine.calls); diff != "" {
		t.Errorf("asked: %s", diff)
	}

	engine.calls = nil
	said, err := s.Check(t.Context(), inGlobex, asked, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for i, a := range said.Items {
		code := ""
		if a.Err != nil {
			code = a.Err.Code
		}
		if asked[i].Resource != "account:globex" && (code != "outside_account" || a.Allowed) {
			t.Errorf("%v is answered with %+v", asked[i], a)
		}
		codes = append(codes, code)
	}
	if diff := cmp.Diff([]string{"", "outside_account", "outside_account", "", "unknown_feature", "unknown_feature", "outside_account", "permission_gone", ""}, codes); diff != "" {
		t.Error(diff)
	}

	engine.calls = nil
	for name, err := range map[string]error{
		"the list":             second(s.Accounts(t.Context(), inGlobex, Subject{User: "ada"}, Filter{}, 0)),
		"who can open another": second(s.Openers(t.Context(), inGlobex, OpenersFilter{Account: "initech"}, 0)),
		"another's features":   second(s.AccountFeatures(t.Context(), inGlobex, "initech", directory.KeyPage{}, 0)),
		"why elsewhere":        second(s.Explain(t.Context(), inGlobex, Question{"user:ada", "access", "account:initech"}, 0)),
		"another switch":       second(s.Switch(t.Context(), inGlobex, account.Through{}, "initech", 0)),
	} {
		if !fault.HasCode(err, "outside_account") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(engine.calls) > 0 {
		t.Errorf("the engine was asked %v", engine.calls)
	}
}

func second[T any](_ T, err error) error { return err }
