package app_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
)

// saga is the life of an account: the modes that it has, one after the other. At each three people
// come, who are asked for nothing, for sub-account access, and for none.
//
// want says how each of them opens the branch then, in the order of their coming:
//
//   - not at all        g  by a grant of their own
//     a  by always_on      k  by what they kept from it
//     !  they did not become a member: what was asked for them was refused
type saga []struct{ mode, want string }

// sagas are the table of S3 and S4, written from the rules.
var sagas = map[string]saga{
	"default_off to default_on":  {{off, "-g-"}, {on, "-g-/gg-"}},
	"default_off to always_on":   {{off, "-g-"}, {always, "aaa/aa!"}},
	"default_on to default_off":  {{on, "gg-"}, {off, "gg-/-g-"}},
	"default_on to always_on":    {{on, "gg-"}, {always, "aaa/aa!"}},
	"always_on to default_off":   {{always, "aa!"}, {off, "kk!/-g-"}},
	"always_on to default_on":    {{always, "aa!"}, {on, "kk!/gg-"}},
	"to the mode that it has":    {{always, "aa!"}, {always, "aa!/aa!"}, {off, "kk!/kk!/-g-"}, {off, "kk!/kk!/-g-/-g-"}},
	"default_on, default_off":    {{off, "-g-"}, {on, "-g-/gg-"}, {off, "-g-/gg-/-g-"}, {on, "-g-/gg-/-g-/gg-"}, {off, "-g-/gg-/-g-/gg-/-g-"}},
	"twice from default_off":     {{off, "-g-"}, {always, "aaa/aa!"}, {off, "kgk/kk!/-g-"}, {always, "aaa/aa!/aaa/aa!"}, {off, "kgk/kk!/kgk/kk!/-g-"}},
	"twice from default_on":      {{on, "gg-"}, {always, "aaa/aa!"}, {on, "ggk/kk!/gg-"}, {always, "aaa/aa!/aaa/aa!"}, {on, "ggk/kk!/ggk/kk!/gg-"}},
	"round by all of the modes":  {{off, "-g-"}, {on, "-g-/gg-"}, {always, "aaa/aaa/aa!"}, {off, "kgk/ggk/kk!/-g-"}},
	"round the other way":        {{always, "aa!"}, {on, "kk!/gg-"}, {off, "kk!/gg-/-g-"}, {always, "aa!/aaa/aaa/aa!"}, {on, "kk!/ggk/kgk/kk!/gg-"}},
	"begun with twice always_on": {{always, "aa!"}, {off, "kk!/-g-"}, {always, "aa!/aaa/aa!"}, {off, "kk!/kgk/kk!/-g-"}},
}

const (
	off    = "default_off"
	on     = "default_on"
	always = "always_on"
)

// cast is an account of a saga, with a branch below it, and who came.
type cast struct {
	*world
	top, child, grandchild string
	came                   []string
}

func (w *world) cast(mode string) *cast {
	top, child := w.branch(mode)
	return &cast{world: w, top: top, child: child, grandchild: w.newAccount(child)}
}

// arrive lets three people come.
func (c *cast) arrive(t *testing.T, mode string) {
	t.Helper()
	for _, asked := range []string{"", "true", "false"} {
		user, a := c.join(c.top, asked)
		if mode == always && asked == "false" {
			a.is(t, 409, "always_on", "sub_account_access")
		} else if a.status != 200 {
			t.Fatalf("joining: %s", a.raw)
		}
		c.came = append(c.came, user)
	}
}

// seen is how each one opens the branch, as want says it.
func (c *cast) seen(t *testing.T) string {
	t.Helper()
	letters := map[string]string{"grant": "g", "always_on": "a", "kept": "k"}
	reads := c.reads(t)
	var out strings.Builder
	for i, user := range c.came {
		if i > 0 && i%3 == 0 {
			out.WriteString("/")
		}
		letter := "-"
		list := c.op.must("GET", "/v1/users/"+user+"/accounts?under="+c.top, nil).body["accounts"].([]any)
		switch len(list) {
		case 0:
			letter = "!"
		case 1: // only the account itself
		case 3:
			sources := list[2].(map[string]any)["sources"].([]any)
			letter = letters[sources[0].(map[string]any)["via"].(string)]
		default:
			letter = "?"
		}
		for _, id := range []string{c.child, c.grandchild} {
			if reads[[2]string{user, id}] != (len(list) == 3) {
				letter = "?" // the check and the list are not of one mind
			}
		}
		out.WriteString(letter)
	}
	return out.String()
}

// reads asks who of them reads sub-accounts in the branch, by user and account.
func (c *cast) reads(t *testing.T) map[[2]string]bool {
	t.Helper()
	var asked [][2]string
	var items []obj
	for _, user := range c.came {
		for _, id := range []string{c.child, c.grandchild} {
			asked = append(asked, [2]string{user, id})
			items = append(items, obj{"subject": "user:" + user, "permission": readSubAccounts, "resource": "account:" + id})
		}
	}
	reads := map[[2]string]bool{}
	for i, item := range c.op.in(t).must("POST", "/v1/check/bulk", obj{"items": items}).body["items"].([]any) {
		reads[asked[i]] = item.(map[string]any)["allowed"] == true
	}
	return reads
}

// grants counts the relationships that sub-account access is made of in the engine, for one role.
func (c *cast) grants(t *testing.T, role string) int {
	t.Helper()
	stream, err := v1.NewPermissionsServiceClient(c.Engine.Conn()).ReadRelationships(t.Context(), &v1.ReadRelationshipsRequest{
		Consistency: &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		RelationshipFilter: &v1.RelationshipFilter{
			ResourceType: "assignment", OptionalResourceId: "prod/" + c.top + "/" + role, OptionalRelation: "branch_member",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestS4_EverySaga holds the whole table: who opens the branch after each change of the mode, and how; that
// a change is one entry; and what it is made of in the engine, where always_on is one relationship.
func TestS4_EverySaga(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			for name, saga := range sagas {
				t.Run(name, func(t *testing.T) {
					c := w.cast(saga[0].mode)
					for i, chapter := range saga {
						before := w.head("prod")
						w.mode(c.top, chapter.mode)
						entries := 1
						if i == 0 || chapter.mode == saga[i-1].mode {
							entries = 0
						}
						if n := int(w.head("prod") - before); n != entries {
							t.Errorf("%s: %d entries of the journal, want %d", chapter.mode, n, entries)
						}
						c.arrive(t, chapter.mode)
						if got := c.seen(t); got != chapter.want {
							t.Errorf("chapter %d, %s: %s, want %s", i, chapter.mode, got, chapter.want)
						}
					}
					c.epilogue(t, saga)
				})
			}
			w.inStep(t)
		})
	}
}

// ownGrants is how many members have sub-account access of their own.
func ownGrants(want string) int {
	return strings.Count(want, "g") + strings.Count(want, "k")
}

// epilogue goes on after a saga with each one who came.
func (c *cast) epilogue(t *testing.T, s saga) {
	t.Helper()
	last := s[len(s)-1]
	if last.mode == always {
		if n := c.grants(t, "viewer"); n != 1+ownGrants(s[len(s)-2].want) {
			t.Errorf("%d relationships of sub-account access, of which always_on is one", n)
		}
		return
	}
	if n := c.grants(t, "viewer"); n != ownGrants(last.want) {
		t.Errorf("%d relationships of sub-account access, want %d", n, ownGrants(last.want))
	}
	returns := map[string]bool{off: false, on: true}[last.mode]
	for i, letter := range strings.ReplaceAll(last.want, "/", "") {
		if letter == '!' {
			continue
		}
		c.life(t, c.came[i], letter != '-', returns)
	}
}

// life is what may still happen to a member: another role, the end of the access, the end and the return of the membership.
func (c *cast) life(t *testing.T, user string, has, returns bool) {
	t.Helper()
	may := func(what, permission, id string, want bool) {
		t.Helper()
		if got := c.op.allowed("user:"+user, permission, "account:"+id); got != want {
			t.Errorf("%s, %s: %s at %s is %v", user, what, permission, id, got)
		}
	}
	c.set(c.top, user, "", "viewer", "manager") // a role given after the grant goes with it
	may("with a second role", inviteUsers, c.child, has)
	c.set(c.top, user, "", "manager")
	may("with another role", inviteUsers, c.grandchild, has)
	if a := c.set(c.top, user, "false", "manager"); a.status != 200 || a.body["sub_account_access"] != false || a.body["kept_from_always_on"] == true {
		t.Errorf("%s: taking the access away: %s", user, a.raw)
	}
	may("without", "access", c.child, false)
	may("without", "access", c.top, true)
	c.set(c.top, user, "", "viewer")
	may("still without", "access", c.child, false)
	c.op.must("DELETE", "/v1/accounts/"+c.top+"/members/"+user, nil)
	may("gone", "access", c.top, false)
	c.set(c.top, user, "")
	may("back, as one who is new", "access", c.child, returns)
	may("back", "access", c.top, true)
}

// TestS3_AlwaysOnIsOneRelationship for a role, however many members hold it; and its end is one entry that names each of them.
func TestS3_AlwaysOnIsOneRelationship(t *testing.T) {
	const members = 20
	w := newWorld(t, oneMachine)
	c := w.cast(always)
	for i := range members {
		user := w.newUser("initech")
		w.set(c.top, user, "", []string{"viewer", "manager"}[i%2])
	}
	for _, role := range []string{"viewer", "manager"} {
		if n := c.grants(t, role); n != 1 {
			t.Errorf("%s: %d relationships", role, n)
		}
	}
	before := w.head("prod")
	w.mode(c.top, off)
	entries := w.op.must("GET", fmt.Sprintf("/v1/journal?after=%d", before), nil).body["entries"].([]any)
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	kept := 0
	for _, change := range entries[0].(map[string]any)["changes"].([]any) {
		if strings.Contains(fmt.Sprint(change), "kept_from_always_on:true") {
			kept++
		}
	}
	if kept != members {
		t.Errorf("the entry names %d of %d members: %v", kept, members, entries[0])
	}
	for _, role := range []string{"viewer", "manager"} {
		if n := c.grants(t, role); n != members/2 {
			t.Errorf("%s: %d relationships", role, n)
		}
	}
	w.inStep(t)
}
