package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// TestS5_SourcesAreTrue on random trees: a permission is held by the engine's
// word exactly if there is a source of it and nothing in the way; the switcher and
// the list of who can open an account say the same, and it is what SpiceDB's own
// lookup says.
func TestS5_SourcesAreTrue(t *testing.T) {
	for _, shape := range shapes(t) {
		t.Run(shape.name, func(t *testing.T) {
			s := start(t, shape.make(t))
			round := 0
			deadline := time.Now().Add(6 * time.Second)
			rapid.Check(t, func(rt *rapid.T) {
				if round > 2 && time.Now().After(deadline) {
					return // what there is time for on a slow machine
				}
				round++
				env := account.EnvironmentID(fmt.Sprintf("people%d", round))
				s.environment(env)
				p := drawPeople(rt)
				if err := plantIn(s, env, p.changes...); err != nil {
					rt.Fatal(err)
				}
				enabled := rapid.Bool().Draw(rt, "sub-accounts enabled")
				system := account.Actor{Environment: env, System: true}
				if _, err := s.Directory.UpdateEnvironment(t.Context(), directory.Request{Actor: system}, directory.EnvironmentPatch{SubAccountsEnabled: &enabled}); err != nil {
					rt.Fatal(err)
				}
				q := questioner{rt, s, env, p, system}
				for _, id := range p.ids {
					q.explanations(id)
					q.openers(id)
				}
				q.switchers()
			})
			t.Logf("%d rounds", round)
		})
	}
}

type questioner struct {
	t      *rapid.T
	s      *service
	env    account.EnvironmentID
	p      *people
	system account.Actor
}

// explanations holds every explanation at an account against the check.
func (q questioner) explanations(id account.ID) {
	ctx := q.s.t.Context()
	names := []string{
		"access", readSubAccounts, writeUsers, writeSubAccounts, "fe.secure.write.roles", "create_sub_account", "update_account", "delete_account",
		"move_account", "delegate_sub_account_management", "set_sub_account_management",
	}
	for _, subject := range slices.Concat(q.p.users, q.p.tokens, q.p.clients, []string{"user:nobody", "operator:nobody"}) {
		var questions []access.Question
		for _, name := range names {
			questions = append(questions, access.Question{Subject: subject, Permission: name, Resource: "account:" + string(id)})
		}
		said, err := q.s.Access.Check(ctx, q.system, questions, 0)
		if err != nil {
			q.t.Fatal(err)
		}
		for i, question := range questions {
			e, err := q.s.Access.Explain(ctx, q.system, question, 0)
			if err != nil || said.Items[i].Err != nil {
				q.t.Fatal(question, err, said.Items[i].Err)
			}
			explained := len(e.Sources) > 0 && len(e.Because) == 0
			if e.Allowed != said.Items[i].Allowed || e.Allowed != explained || slices.Contains(e.Because, access.NotExplainedHere) {
				q.t.Fatalf("%+v: checked %+v, explained %+v", question, said.Items[i], e)
			}
			if i < 4 && !strings.HasPrefix(subject, "operator:") {
				permission := account.PermissionKey(question.Permission)
				if i == 0 {
					permission = ""
				}
				if diff := cmp.Diff(q.p.reaching(subject, permission, id, time.Now()), told(e.Sources)); diff != "" {
					q.t.Fatalf("%+v: sources (-want +got) %s", question, diff)
				}
			}
		}
	}
}

// openers holds the list of who can open an account against SpiceDB's lookup, and its sources against explain.
func (q questioner) openers(id account.ID) {
	ctx := q.s.t.Context()
	var listed []string
	f := access.OpenersFilter{Account: id, Limit: 2}
	for {
		page, err := q.s.Access.Openers(ctx, q.system, f, 0)
		if err != nil {
			q.t.Fatal(err)
		}
		if page.Operators == nil || page.Operators.Total != len(q.p.clients) || len(page.Operators.Items) != len(q.p.clients) {
			q.t.Fatalf("operators: %+v", page.Operators)
		}
		for _, o := range page.Items {
			subject := o.Type + ":" + o.ID
			listed = append(listed, subject)
			if diff := cmp.Diff(q.p.reaching(subject, "", id, time.Now()), told(o.Sources)); diff != "" {
				q.t.Fatalf("%s at %s: sources (-want +got) %s", subject, id, diff)
			}
		}
		if f.After = page.Last; !page.More {
			if len(listed) != page.Total {
				q.t.Fatalf("the pages hold %v of %d", listed, page.Total)
			}
			break
		}
	}
	var found []string
	for _, kind := range []string{"user", "api_token"} {
		subjects, err := q.lookup(ctx, kind, id)
		if err != nil {
			q.t.Fatal(err)
		}
		found = append(found, subjects...)
	}
	if diff := cmp.Diff(found, listed); diff != "" {
		q.t.Fatalf("who can open %s (-SpiceDB +listed): %s", id, diff)
	}
}

// lookup asks SpiceDB itself who can open an account.
func (q questioner) lookup(ctx context.Context, kind string, id account.ID) ([]string, error) {
	stream, err := v1.NewPermissionsServiceClient(q.s.Engine.Conn()).LookupSubjects(ctx, &v1.LookupSubjectsRequest{
		Consistency: &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		Resource:    &v1.ObjectReference{ObjectType: "account", ObjectId: string(q.env) + "/" + string(id)},
		Permission:  "access", SubjectObjectType: kind,
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			slices.Sort(out)
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, kind+":"+strings.TrimPrefix(m.GetSubject().GetSubjectObjectId(), string(q.env)+"/"))
	}
}

// switchers holds what the switcher says of every user's accounts against explain.
func (q questioner) switchers() {
	ctx := q.s.t.Context()
	for _, subject := range q.p.users {
		reach, err := q.s.Access.Accounts(ctx, q.system, access.Subject{User: account.UserID(strings.TrimPrefix(subject, "user:"))}, access.Filter{All: true}, 0)
		if err != nil {
			q.t.Fatal(err)
		}
		for _, a := range reach.Accounts {
			e, err := q.s.Access.Explain(ctx, q.system, access.Question{Subject: subject, Permission: "access", Resource: "account:" + string(a.ID)}, 0)
			if err != nil || !e.Allowed {
				q.t.Fatalf("%s at %s: %+v, %v", subject, a.ID, e, err)
			}
			if diff := cmp.Diff(e.Sources, a.Sources); diff != "" {
				q.t.Fatalf("%s at %s (-explain +switcher): %s", subject, a.ID, diff)
			}
		}
	}
}
