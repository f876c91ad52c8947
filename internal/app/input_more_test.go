package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func wrongRoles() []wrong {
	return []wrong{
		{"unknown role", "PUT", "/v1/accounts/globex/members/viewer", obj{"roles": []string{"viewer", "no-such"}}, nil, 404, "role_not_found", "roles"},
		{"unknown role of a new user", "POST", "/v1/users", obj{"email": "x@example.com", "memberships": []obj{{"account": "globex", "roles": []string{"no-such"}}}}, nil, 404, "role_not_found", "roles"},
		{"role changed that is unknown", "PATCH", "/v1/roles/no-such", obj{"name": "X"}, nil, 404, "role_not_found", ""},
		{"unknown permission", "POST", "/v1/roles", obj{"key": "x", "permissions": []string{"fe.no.such"}}, nil, 422, "unknown_permission", "permissions"},
		{"unknown new permission", "PATCH", "/v1/roles/viewer", obj{"permissions": []string{readSubAccounts, ""}}, nil, 422, "unknown_permission", "permissions"},
		{"permission in other letters", "PATCH", "/v1/roles/viewer", obj{"permissions": []string{"FE.account-hierarchy.read.subAccount"}}, nil, 422, "unknown_permission", "permissions"},
		{"internal permission", "PATCH", "/v1/roles/viewer", obj{"permissions": []string{"branch_read_sub_accounts"}}, nil, 422, "unknown_permission", "permissions"},
		{"permissions that are null", "POST", "/v1/roles", obj{"key": "x", "permissions": nil}, nil, 422, "invalid_request", "permissions"},
		{"unknown portal role", "POST", "/v1/environment/clients", obj{"roles": []string{"root"}}, nil, 422, "unknown_portal_role", "roles"},
		{"no portal role", "POST", "/v1/environment/clients", obj{"roles": []string{}}, nil, 422, "missing_role", "roles"},
		{"impersonator alone", "POST", "/v1/environment/clients", obj{"roles": []string{"impersonator", "entitlements_editor"}}, nil, 422, "impersonator_alone", "roles"},
	}
}

func wrongMembers() []wrong {
	member := "/v1/accounts/globex/members/viewer"
	viewer := []string{"viewer"}
	rows := []wrong{
		{"no roles", "PUT", member, obj{"roles": []string{}}, nil, 422, "missing_role", "roles"},
		{"roles that are null", "PUT", member, obj{"roles": nil}, nil, 422, "invalid_request", "roles"},
		{"role that is a number", "PUT", member, obj{"roles": []int{1}}, nil, 422, "invalid_request", "roles[0]"},
		{"access that is a word", "PUT", member, obj{"roles": viewer, "sub_account_access": "yes"}, nil, 422, "invalid_request", "sub_account_access"},
		{"unknown field", "PUT", member, obj{"roles": viewer, "kept_from_always_on": true}, nil, 422, "invalid_request", "kept_from_always_on"},
		{"new user without membership", "POST", "/v1/users", obj{"email": "x@example.com", "memberships": []obj{}}, nil, 422, "missing_membership", "memberships"},
		{"new user twice in an account", "POST", "/v1/users", obj{"email": "x@example.com", "memberships": []obj{
			{"account": "globex", "roles": viewer}, {"account": "globex", "roles": []string{"admin"}},
		}}, nil, 422, "duplicate_membership", "memberships"},
		{"last membership", "DELETE", member, nil, nil, 409, "users_without_account", ""},
		{"account that is somebody's only one", "DELETE", "/v1/accounts/initech", nil, nil, 409, "users_without_account", ""},
	}
	for _, at := range []string{"0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z", time.Now().Add(-time.Second).UTC().Format(time.RFC3339)} {
		rows = append(rows, wrong{"expiry " + at, "PUT", member, obj{"roles": viewer, "expires_at": at}, nil, 422, "expiry_past", "expires_at"})
	}
	for _, at := range []any{"tomorrow", "2035-01-31", "2035-01-31T18:00:00", "10000-01-01T00:00:00Z", "", 2035, "2035-02-30T00:00:00Z"} {
		rows = append(rows, wrong{fmt.Sprintf("expiry %v", at), "PUT", member, obj{"roles": viewer, "expires_at": at}, nil, 422, "invalid_request", "expires_at"})
	}
	// the last hours of the year 9999 west of Greenwich are in the year 10000 in UTC
	return append(rows, wrong{"expiry in the year 10000", "PUT", member, obj{"roles": viewer, "expires_at": "9999-12-31T23:59:59-01:00"}, nil, 422, "invalid_time", "expires_at"})
}

func wrongJSON() []wrong {
	var rows []wrong
	for _, body := range []string{
		"", " ", "{", `{"name":`, `{"name":"X"`, `{"name":"X"} {}`, `{"name":"X",}`, `{'name':'X'}`, `{"name":"X","name":"Y"}`, "\xff", "name=X", "{\"name\":\"\x01\"}",
		strings.Repeat(`{"a":`, 100) + strings.Repeat("}", 100), strings.Repeat("[", 500_000),
	} {
		rows = append(rows, wrong{fmt.Sprintf("body %.12q", body), "POST", "/v1/accounts", body, nil, 422, "invalid_json", ""})
	}
	for _, body := range []string{"null", "[]", `"globex"`, "7", "true"} {
		rows = append(rows, wrong{"body " + body, "POST", "/v1/accounts", body, nil, 422, "invalid_request", ""})
	}
	return append(rows,
		wrong{"unknown field", "POST", "/v1/accounts", `{"name":"X","owner":"me"}`, nil, 422, "invalid_request", "owner"},
		wrong{"field in other letters", "POST", "/v1/accounts", `{"name":"X","Parent":"globex"}`, nil, 422, "invalid_request", "Parent"},
		wrong{"environment in the body", "POST", "/v1/accounts", `{"name":"X","environment":"dev"}`, nil, 422, "invalid_request", "environment"},
		wrong{"unknown content type", "POST", "/v1/accounts", `{"name":"X"}`, []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type", "Content-Type"},
		wrong{"form", "POST", "/v1/accounts", "name=X", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type", "Content-Type"},
		wrong{"malformed content type", "PATCH", "/v1/accounts/globex", `{"name":"X"}`, []string{"Content-Type", ";;"}, 415, "unsupported_media_type", "Content-Type"},
	)
}

func wrongParameters() []wrong {
	var rows []wrong
	for _, path := range []string{"/v1/accounts", "/v1/users", "/v1/accounts/globex/members", "/v1/users/owner/accounts"} {
		for _, limit := range []string{"-1", "1001", "2147483648", "-9223372036854775808"} {
			rows = append(rows, wrong{path + " limit " + limit, "GET", path + "?limit=" + limit, nil, nil, 422, "invalid_limit", "limit"})
		}
		for _, limit := range []string{"ten", "1.5", "99999999999999999999", "0x10", "%00"} {
			rows = append(rows, wrong{path + " limit " + limit, "GET", path + "?limit=" + limit, nil, nil, 422, "invalid_request", "limit"})
		}
		for _, cursor := range []string{"x", "!!", "%00", "%ff", strings.Repeat("A", 20_000), "YWNjb3VudHM6Li4vZGV2"} {
			rows = append(rows, wrong{fmt.Sprintf("%s cursor %.8s", path, cursor), "GET", path + "?cursor=" + cursor, nil, nil, 422, "invalid_cursor", "cursor"})
		}
		rows = append(rows, wrong{path + " unknown parameter", "GET", path + "?page=2", nil, nil, 422, "invalid_request", "page"})
	}
	return append(rows,
		wrong{"journal limit", "GET", "/v1/journal?limit=-5", nil, nil, 422, "invalid_limit", "limit"},
		wrong{"journal before the beginning", "GET", "/v1/journal?after=-1", nil, nil, 422, "invalid_request", "after"},
		wrong{"unknown order", "GET", "/v1/users/owner/accounts?sort=size", nil, nil, 422, "invalid_sort", "sort"},
		wrong{"unknown permission", "GET", "/v1/users/owner/accounts?permission=fe.no.such", nil, nil, 422, "unknown_permission", "permission"},
		wrong{"internal permission", "GET", "/v1/users/owner/accounts?permission=member_access", nil, nil, 422, "unknown_permission", "permission"},
		wrong{"parameter of another operation", "DELETE", "/v1/accounts/globex-eu-fr?delete_user=true", nil, nil, 422, "invalid_request", "delete_user"},
		wrong{"flag that is none", "DELETE", "/v1/accounts/globex-eu-fr?delete_users=maybe", nil, nil, 422, "invalid_request", "delete_users"},
		wrong{"roots and parent", "GET", "/v1/accounts?roots=true&parent=globex", nil, nil, 422, "invalid_request", "roots"},
	)
}

func wrongHeaders() []wrong {
	var rows []wrong
	for _, tag := range []string{"17", `"0"`, `"-1"`, `"x"`, `W/"1"`, `"1", "2"`, `"1`, `""`, `"01"`, `"99999999999999999999"`, `**`} {
		for _, r := range []wrong{
			{method: "PATCH", path: "/v1/accounts/globex", body: obj{"name": "X"}},
			{method: "DELETE", path: "/v1/users/viewer"},
		} {
			rows = append(rows, wrong{r.method + " If-Match " + tag, r.method, r.path, r.body, []string{"If-Match", tag}, 422, "invalid_if_match", "If-Match"})
		}
	}
	for _, token := range []string{"x", "tc1.", "tc1.AAAA", "tc1.cHJvZDowMQ", "tc1.cHJvZDotMQ", "tc2.cHJvZDox", "tc1.cHJvZDo5OTk5OTk5OTk"} {
		rows = append(rows, wrong{"Consistency-Token " + token, "GET", "/v1/users/owner/accounts", nil, []string{"Consistency-Token", token}, 422, "invalid_consistency_token", "Consistency-Token"})
	}
	for _, key := range []string{strings.Repeat("k", 256), "caf\xe9"} {
		rows = append(rows, wrong{fmt.Sprintf("Idempotency-Key %.8q", key), "POST", "/v1/accounts", obj{"name": "X"}, []string{"Idempotency-Key", key}, 422, "invalid_idempotency_key", "Idempotency-Key"})
	}
	return append(rows, wrong{"If-Match on a creation", "POST", "/v1/accounts", obj{"name": "X"}, []string{"If-Match", `"1"`}, 422, "invalid_if_match", "If-Match"})
}

func wrongSettings() []wrong {
	var rows []wrong
	for _, depth := range []any{0, -1, 41, 1_000_000} {
		rows = append(rows, wrong{fmt.Sprintf("max_depth %v", depth), "PATCH", "/v1/environment", obj{"max_depth": depth}, nil, 422, "invalid_max_depth", "max_depth"})
	}
	for _, depth := range []any{1.5, "8", 1e30, []int{8}} {
		rows = append(rows, wrong{fmt.Sprintf("max_depth %v", depth), "PATCH", "/v1/environment", obj{"max_depth": depth}, nil, 422, "invalid_request", "max_depth"})
	}
	return append(rows, wrong{"unknown default mode", "PATCH", "/v1/environment", obj{"default_access_mode": "on"}, nil, 422, "invalid_access_mode", "default_access_mode"})
}

func wrongQuestions() []wrong {
	var rows []wrong
	ask := func(what, subject, permission, resource, code, field string) {
		rows = append(rows, wrong{what, "POST", "/v1/check", obj{"subject": subject, "permission": permission, "resource": resource}, nil, 422, code, field})
	}
	for _, id := range []string{"", "user", "user:", ":owner", "USER:owner", "user:*", "user:a b", "user:a\x00", "user:" + strings.Repeat("a", 901), "us er:x"} {
		ask(fmt.Sprintf("subject %.10q", id), id, "access", "account:globex", "invalid_object", "subject")
		ask(fmt.Sprintf("resource %.10q", id), "user:owner", "access", id, "invalid_object", "resource")
	}
	for _, id := range malformedIDs() {
		if !strings.ContainsAny(id, "/|") && len(id) <= 64 {
			continue // not even an id of SpiceDB's
		}
		if !strings.Contains(id, ".") {
			ask(fmt.Sprintf("subject user:%.10q", id), "user:"+id, "access", "account:globex", "invalid_id", "subject")
			ask(fmt.Sprintf("resource account:%.10q", id), "user:owner", "access", "account:"+id, "invalid_id", "resource")
		}
	}
	for _, permission := range []string{"", "fe.no.such", "no_such_permission", "member_access", "branch_access", "branch_read_sub_accounts", "access ", "ACCESS", strings.Repeat("p", 100_000)} {
		ask(fmt.Sprintf("permission %.12q", permission), "user:owner", permission, "account:globex", "unknown_permission", "permission")
	}
	ask("unknown type", "user:owner", "read", "spaceship:one", "unknown_permission", "permission")
	ask("subject relation", "user:owner#X", "access", "account:globex", "invalid_object", "subject")
	return rows
}

// tooMuch is requests with far more in them than makes sense, within the limit of a body.
func tooMuch() []wrong {
	many := func(n int, item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	var distinct, accounts strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&distinct, `"%d",`, i)
	}
	for i := range 25_000 {
		fmt.Fprintf(&accounts, `{"account":"%d","roles":["viewer"]},`, i)
	}
	list := func(b *strings.Builder) string { return "[" + strings.TrimSuffix(b.String(), ",") + "]" }
	question := `{"subject":"user:a","permission":"access","resource":"account:b"}`
	return []wrong{
		{"100,000 unknown roles", "PUT", "/v1/accounts/globex/members/viewer", `{"roles":` + list(&distinct) + `}`, nil, 404, "role_not_found", "roles"},
		{"100,000 times one unknown role", "PUT", "/v1/accounts/globex/members/viewer", `{"roles":` + many(100_000, `"x"`) + `}`, nil, 404, "role_not_found", "roles"},
		{"100,000 malformed roles", "PUT", "/v1/accounts/globex/members/viewer", `{"roles":` + many(100_000, `"#"`) + `}`, nil, 422, "invalid_id", "roles"},
		{"100,000 unknown permissions", "PATCH", "/v1/roles/viewer", `{"permissions":` + list(&distinct) + `}`, nil, 422, "unknown_permission", "permissions"},
		{"100,000 portal roles", "POST", "/v1/environment/clients", `{"roles":` + list(&distinct) + `}`, nil, 422, "unknown_portal_role", "roles"},
		{"100,000 numbers", "PUT", "/v1/accounts/globex/members/viewer", `{"roles":` + many(100_000, `1`) + `}`, nil, 422, "invalid_request", "roles[0]"},
		{"100,000 empty memberships", "POST", "/v1/users", `{"email":"x@example.com","memberships":` + many(100_000, `{}`) + `}`, nil, 422, "invalid_request", "memberships[0].account"},
		{"25,000 memberships", "POST", "/v1/users", `{"email":"x@example.com","memberships":` + list(&accounts) + `}`, nil, 422, "too_many_memberships", "memberships"},
		{"501 questions", "POST", "/v1/check/bulk", `{"items":` + many(501, question) + `}`, nil, 422, "invalid_bulk", "items"},
		{"15,000 questions", "POST", "/v1/check/bulk", `{"items":` + many(15_000, question) + `}`, nil, 422, "invalid_bulk", "items"},
		{"no questions", "POST", "/v1/check/bulk", `{"items":[]}`, nil, 422, "invalid_bulk", "items"},
		{"100,000 fields", "POST", "/v1/accounts", `{"name":"X"` + strings.Repeat(`,"a":1`, 100_000) + `}`, nil, 422, "invalid_json", ""},
	}
}

// TestOddInputThatIsFine: what looks odd and is allowed is kept as it was given.
func TestOddInputThatIsFine(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			for _, name := range []string{"  Ünïcödé 語 🙂 ", strings.Repeat("語", 200), "Robert'); DROP TABLE accounts;--", `"quoted" \ back`, "<script>", "100% _ [a]", "null", "a\u202eb"} {
				a := w.op.must("POST", "/v1/accounts", obj{"name": name, "parent": nil})
				id := a.body["id"].(string)
				got := w.op.must("GET", "/v1/accounts/"+id, nil).body["name"]
				if want := strings.TrimSpace(name); got != want {
					t.Errorf("the name %q came back as %q", want, got)
				}
			}
			for q, want := range map[string]int{"100%25 _": 1, "%25": 1, "+_+[": 1, "GLOBEX-": 2, "%00": 0, "%ff": 0, "%27": 1, "ｇlobex": 3, strings.Repeat("x", 20_000): 0} {
				if got := len(w.op.must("GET", "/v1/accounts?limit=100&q="+strings.ReplaceAll(q, " ", "+"), nil).list("accounts", "id")); got != want {
					t.Errorf("a search for %.20s finds %d accounts, want %d", q, got, want)
				}
			}
			for _, path := range []string{"/v1/users?q=%00", "/v1/users?q=%ff%fe", "/v1/accounts/globex/members?q=%00", "/v1/users/owner/accounts?q=%00%ff", "/v1/journal?after=9223372036854775807"} {
				w.op.must("GET", path, nil)
			}
			long := strings.Repeat("a", 64)
			w.account(w.op, long, "")
			w.op.must("PATCH", "/v1/accounts/"+long, `{"name":"\ud800 lone surrogate","sub_account_management":null}`)
			w.op.must("PUT", "/v1/accounts/"+long+"/members/viewer", `{"roles":[`+strings.TrimSuffix(strings.Repeat(`"viewer",`, 100_000), ",")+`],"expires_at":"9999-12-31T23:59:59.999999999Z"}`)
			if !w.op.allowed("user:viewer", "access", "account:"+long) {
				t.Error("the membership of the long account is not in force")
			}
		})
	}
}
