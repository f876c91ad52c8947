package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/httpapi"
)

// row is a request, who succeeds with it, and how all others are refused.
type row struct {
	route     string // as in the OpenAPI document
	on        func(w *world) (path string, body any)
	may       string // personas; "*" is whoever has a good token, "**" is everybody
	otherwise string // the code of the refusal; permission_denied if empty
	made      bool   // it is about something made for it in prod, that dev does not have

	// but says of single personas what differs from that: the code of the refusal, "" for success.
	but map[string]string
}

// The personas, by what is enough for a request.
const (
	see         = "admin beditor bviewer eeditor eviewer impersonator " // view_backoffice
	edit        = "admin beditor "
	seeRoles    = "admin eeditor eviewer "
	editRoles   = "admin eeditor "
	secure      = "admin "
	atGlobex    = "owner viewer "            // hold read.subAccount at globex
	atEU        = "owner euadmin api-token " // hold everything at globex-eu
	aboveEU     = "owner "                   // hold everything at globex
	users       = "owner euadmin viewer outsider "
	nobodies    = "no-token wrong-secret not-a-token revoked "
	everyPerson = see + users + "api-token impersonating banned " + nobodies + "dev"
)

// The other callers: api-token is an API token of globex-eu with the role admin
// there, impersonating is an operator who impersonates owner: that persona may what
// owner may, but for what a row says.

// personas are the callers of the table.
func (w *world) personas() map[string]caller {
	p := map[string]caller{
		"admin":        w.op,
		"beditor":      w.client("prod", "beditor", false, account.BackofficeEditor),
		"bviewer":      w.client("prod", "bviewer", false, account.BackofficeViewer),
		"eeditor":      w.client("prod", "eeditor", false, account.EntitlementsEditor),
		"eviewer":      w.client("prod", "eviewer", false, account.EntitlementsViewer),
		"impersonator": w.support,
		"no-token":     {s: w.service},
		"wrong-secret": {s: w.service, token: w.op.token[:len(w.op.token)-4] + "AAAA"},
		"not-a-token":  {s: w.service, token: "let-me-in"},
		"revoked":      w.client("prod", "revoked", true, account.PortalAdmin),
		"dev":          w.dev,
		"banned":       w.as("banned"),
	}
	for user := range strings.FieldsSeq(users) {
		p[user] = w.as(user)
	}
	p["api-token"] = w.machine("globex-eu", obj{"name": "Robot", "roles": []string{"admin"}})
	p["impersonating"], _ = w.impersonate(w.support, "owner")
	w.op.must("DELETE", "/v1/environment/clients/revoked", nil)
	return p
}

// expect is the code that a persona is refused with, "" for success.
func (r row) expect(name string) string {
	may := func(name string) bool { return slices.Contains(strings.Fields(r.may), name) }
	if code, said := r.but[name]; said {
		return code
	}
	if name == "impersonating" {
		name = "owner"
	}
	switch {
	case r.may == "**":
		return ""
	case slices.Contains(strings.Fields(nobodies), name):
		return "unauthenticated"
	case name == "banned":
		return "user_blocked"
	case r.may == "*":
		return ""
	case name == "dev" && r.made:
		return "not_found"
	case name == "dev" && may("admin"), may(name):
		return ""
	case r.otherwise != "":
		return r.otherwise
	default:
		return "permission_denied"
	}
}

// allRows are the requests of the whole API.
func allRows() []row {
	return slices.Concat(accountRows(), peopleRows(), invitationRows(), otherRows(), machineRows(), accessRows(), featureRows(), journalRows(), tokenRows(), clientRows(), switchRows(), signInRows(), allowRows())
}

// TestE4_EveryRouteByEveryPersona sends every request of the API as every kind
// of caller. What is refused leaves no trace, and what dev does leaves none in prod.
func TestE4_EveryRouteByEveryPersona(t *testing.T) {
	w := newInviting(t, oneMachine).world
	personas := w.personas()
	rows := allRows()
	for _, r := range rows {
		t.Run(r.route, func(t *testing.T) {
			for name := range strings.FieldsSeq(everyPerson) {
				method, _, _ := strings.Cut(r.route, " ")
				path, body := r.on(w)
				before := w.head("prod")
				a := personas[name].in(t).do(method, path, body)
				want := r.expect(name)
				switch {
				case want == "" && a.status < 300:
				case want == "not_found" && strings.HasSuffix(a.code(), "_not_found"):
				case want != "" && a.code() == want:
				default:
					t.Errorf("%s: %s %s %v: want %q, got %d %.300s", name, method, path, body, want, a.status, a.raw)
				}
				if after := w.head("prod"); after != before && (want != "" || name == "dev" && r.may != "**") {
					t.Errorf("%s: %s %s was refused or not prod's business, and is in its journal", name, method, path)
				}
			}
		})
	}
	everyRouteHasARow(t, rows)
}

// everyRouteHasARow holds the table against the document that the service serves.
func everyRouteHasARow(t *testing.T, rows []row) {
	t.Helper()
	served := operations(t)
	for _, r := range rows {
		if !slices.Contains(served, r.route) {
			t.Errorf("%s is in the table and not in the document", r.route)
		}
	}
	for _, route := range served {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.route == route }) {
			t.Errorf("%s is in the document and not in the table", route)
		}
	}
}

// operations are the requests that the API has, as METHOD /path.
func operations(t *testing.T) []string {
	t.Helper()
	raw, err := httpapi.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	var served []string
	for path, methods := range document.Paths {
		for method := range methods {
			served = append(served, strings.ToUpper(method)+" "+path)
		}
	}
	return served
}

// outlives is said of requests that who impersonates may not make.
var outlives = map[string]string{"impersonating": "not_while_impersonating"}

// get is a request without a body that destroys nothing.
func get(path string) func(*world) (string, any) {
	return func(*world) (string, any) { return path, nil }
}

// send is a request with a body that can be repeated.
func send(path string, body any) func(*world) (string, any) {
	return func(*world) (string, any) { return path, body }
}
