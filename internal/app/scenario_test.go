package app_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tenantry/tenantry/internal/account"
)

// TestScenarios runs testdata/scenarios, each in an environment of its own, on
// every shape. They tell the rules in the words of those who use them:
//
//	operator NAME ROLE…                      a client of the vendor's with portal roles; "vendor" is there, an admin
//	role KEY [of ACCOUNT] PERMISSION…        made by the vendor
//	account ID [under PARENT] [FIELD=VALUE…] made by the vendor; may have sub-accounts unless said otherwise
//	user ID in ACCOUNT as ROLE,… [with sub-account access]
//	as WHO                                   who asks from here on: an operator, a user, a kept token, nobody
//	ask METHOD PATH [JSON]                   which has to succeed
//	refused CODE METHOD PATH [JSON]          which has to be refused, and change nothing
//	[!] answer REGEXP                        of the body of the last answer
//	keep NAME FIELD                          a token out of the last answer, as a caller
//	[!] may USER PERMISSION ACCOUNT          a check
//	opens USER [ACCOUNT…]                    all that the switcher lists, sorted
func TestScenarios(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			service := start(t, s.make(t))
			var n atomic.Int64
			testscript.RunT(inSequence{t}, testscript.Params{
				Dir:                 "../../testdata/scenarios",
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				Setup: func(env *testscript.Env) error {
					name := fmt.Sprintf("scenario-%d", n.Add(1))
					env.Setenv("ENV", name)
					env.Values[sceneKey{}] = newScene(t, service, account.EnvironmentID(name))
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"operator": onScene((*scene).operator),
					"role":     onScene((*scene).role),
					"account":  onScene((*scene).account),
					"user":     onScene((*scene).user),
					"as":       onScene((*scene).as),
					"ask":      onScene((*scene).ask),
					"refused":  onScene((*scene).refused),
					"answer":   onScene((*scene).answered),
					"keep":     onScene((*scene).keep),
					"may":      onScene((*scene).may),
					"opens":    onScene((*scene).opens),
				},
			})
		})
	}
}

// inSequence runs scripts one after the other: the machine is busy enough.
type inSequence struct{ *testing.T }

func (inSequence) Parallel() {}

func (s inSequence) Run(name string, f func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) { f(inSequence{t}) })
}

func (s inSequence) Verbose() bool { return testing.Verbose() }

type sceneKey struct{}

// scene is where a script stands.
type scene struct {
	ts      *testscript.TestScript
	neg     bool // the command was written with !
	service *service
	env     account.EnvironmentID
	vendor  caller
	callers map[string]caller
	users   map[string]bool
	now     caller // who asks
	last    answer
}

func newScene(t *testing.T, s *service, env account.EnvironmentID) *scene {
	t.Helper()
	s.environment(env)
	vendor := s.client(env, "vendor", true, account.PortalAdmin, account.Impersonator)
	return &scene{
		service: s, env: env, vendor: vendor, now: vendor, users: map[string]bool{},
		callers: map[string]caller{"vendor": vendor, "nobody": {s: s}},
	}
}

func onScene(do func(*scene, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		s := ts.Value(sceneKey{}).(*scene)
		s.ts, s.neg = ts, neg
		do(s, args)
	}
}

// need ends the script unless the command is written as it should be.
func (s *scene) need(ok bool, usage string) {
	if !ok {
		s.ts.Fatalf("usage: %s", usage)
	}
}

func (s *scene) operator(args []string) {
	s.need(!s.neg && len(args) > 1, "operator NAME ROLE…")
	roles := make([]account.PortalRole, len(args)-1)
	for i, r := range args[1:] {
		roles[i] = account.PortalRole(r)
	}
	s.callers[args[0]] = s.service.client(s.env, account.ClientID(args[0]), false, roles...)
}

func (s *scene) role(args []string) {
	s.need(!s.neg && len(args) > 1, "role KEY [of ACCOUNT] PERMISSION…")
	body := obj{"key": args[0]}
	permissions := args[1:]
	if args[1] == "of" && len(args) > 2 {
		body["account"], permissions = args[2], args[3:]
	}
	if slices.Equal(permissions, []string{"everything"}) {
		permissions = nil
		for _, p := range s.service.Directory.Catalogue().Permissions {
			permissions = append(permissions, string(p.Key))
		}
	}
	body["permissions"] = permissions
	s.succeed(s.vendor, "POST", "/v1/roles", body)
}

func (s *scene) account(args []string) {
	s.need(!s.neg && len(args) > 0, "account ID [under PARENT] [FIELD=VALUE…]")
	body := obj{"id": args[0], "name": args[0], "sub_account_management": true}
	rest := args[1:]
	if len(rest) > 1 && rest[0] == "under" {
		body["parent"], rest = rest[1], rest[2:]
	}
	for _, a := range rest {
		field, value, ok := strings.Cut(a, "=")
		s.need(ok, "account ID [under PARENT] [FIELD=VALUE…]")
		body[field] = value
		if value == "true" || value == "false" {
			body[field] = value == "true"
		}
	}
	s.succeed(s.vendor, "POST", "/v1/accounts", body)
}

func (s *scene) user(args []string) {
	const usage = "user ID in ACCOUNT as ROLE,… [with sub-account access]"
	s.need(!s.neg && len(args) >= 5 && args[1] == "in" && args[3] == "as", usage)
	grant := obj{"roles": strings.Split(args[4], ",")}
	if len(args) > 5 {
		s.need(slices.Equal(args[5:], []string{"with", "sub-account", "access"}), usage)
		grant["sub_account_access"] = true
	}
	if s.users[args[0]] {
		s.succeed(s.vendor, "PUT", "/v1/accounts/"+args[2]+"/members/"+args[0], grant)
		return
	}
	grant["account"] = args[2]
	s.users[args[0]] = true
	s.succeed(s.vendor, "POST", "/v1/users", obj{"id": args[0], "email": args[0] + "@example.com", "memberships": []obj{grant}})
}

func (s *scene) as(args []string) {
	s.need(!s.neg && len(args) == 1, "as WHO")
	if c, ok := s.callers[args[0]]; ok {
		s.now = c
		return
	}
	s.now = s.vendor.as(args[0])
}

func (s *scene) ask(args []string) {
	s.need(!s.neg && (len(args) == 2 || len(args) == 3), "ask METHOD PATH [JSON]")
	s.succeed(s.now, args[0], args[1], bodyOf(args[2:]))
}

func (s *scene) refused(args []string) {
	s.need(!s.neg && (len(args) == 3 || len(args) == 4), "refused CODE METHOD PATH [JSON]")
	before := s.service.head(s.env)
	s.send(s.now, args[1], args[2], bodyOf(args[3:]))
	if s.last.code() != args[0] {
		s.ts.Fatalf("want the code %s, got %d %s", args[0], s.last.status, s.last.raw)
	}
	if after := s.service.head(s.env); after != before {
		s.ts.Fatalf("it was refused and has changed something: version %d became %d", before, after)
	}
}

func bodyOf(args []string) any {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

func (s *scene) send(c caller, method, path string, body any) {
	a, err := c.try(method, path, body)
	s.ts.Check(err)
	s.last = a
	s.ts.Logf("%d %s", a.status, a.raw)
}

func (s *scene) succeed(c caller, method, path string, body any) {
	s.send(c, method, path, body)
	if s.last.status != 200 && s.last.status != 201 {
		s.ts.Fatalf("%s %s %v: %d %s", method, path, body, s.last.status, s.last.raw)
	}
}

func (s *scene) answered(args []string) {
	s.need(len(args) == 1, "[!] answer REGEXP")
	if regexp.MustCompile(args[0]).Match(s.last.raw) == s.neg {
		s.ts.Fatalf("the answer is %s", s.last.raw)
	}
}

func (s *scene) keep(args []string) {
	s.need(!s.neg && len(args) == 2, "keep NAME FIELD")
	token, _ := s.last.body[args[1]].(string)
	if token == "" {
		s.ts.Fatalf("there is no %s in %s", args[1], s.last.raw)
	}
	s.callers[args[0]] = caller{s: s.service, token: token}
	s.ts.Setenv(args[0], token)
}

func (s *scene) may(args []string) {
	s.need(len(args) == 3, "[!] may USER PERMISSION ACCOUNT")
	subject := args[0]
	if !strings.Contains(subject, ":") {
		subject = "user:" + subject
	}
	s.send(s.vendor, "POST", "/v1/check", obj{"subject": subject, "permission": args[1], "resource": "account:" + args[2]})
	if s.last.status != 200 || (s.last.body["allowed"] == true) == s.neg {
		s.ts.Fatalf("the check says %s", s.last.raw)
	}
}

func (s *scene) opens(args []string) {
	s.need(!s.neg && len(args) > 0, "opens USER [ACCOUNT…]")
	s.send(s.vendor, "GET", "/v1/users/"+args[0]+"/accounts?limit=1000", nil)
	got, want := s.last.list("accounts", "id"), slices.Clone(args[1:])
	slices.Sort(got)
	slices.Sort(want)
	if s.last.status != 200 || !slices.Equal(got, want) {
		s.ts.Fatalf("%s may open %v, not %v: %s", args[0], got, want, s.last.raw)
	}
}
