package httpapi

import "testing"

func TestL1_BadQuestionsToTheLog(t *testing.T) {
	a := withStore(t, granting{})
	for query, want := range map[string]struct {
		code, field string
	}{
		"?kind=flown":                 {"unknown_kind", "kind"},
		"?kind=member.*":              {"unknown_kind", "kind"},
		"?kind=*":                     {"unknown_kind", "kind"},
		"?actor=ada":                  {"invalid_actor", "actor"},
		"?actor=role:x":               {"invalid_actor", "actor"},
		"?actor=user:a*":              {"invalid_actor", "actor"},
		"?subject=ada":                {"invalid_object", "subject"},
		"?subject=thing:x":            {"invalid_object", "subject"},
		"?subject=user:":              {"invalid_object", "subject"},
		"?account=no%20such":          {"invalid_id", "account"},
		"?branch=true":                {"invalid_request", "branch"},
		"?since=yesterday":            {"invalid_request", "since"},
		"?since=0001-02-01T00:00:00Z": {"invalid_time", "since"},
		"?until=1969-01-01T00:00:00Z": {"invalid_time", "until"},
		"?after=-1":                   {"invalid_request", "after"},
		"?before=-1":                  {"invalid_request", "before"},
		"?limit=1001":                 {"invalid_limit", "limit"},
		"?order=up":                   {"invalid_request", "order"},
		"?colour=red":                 {"invalid_request", "colour"},
		"/1?limit=1001":               {"invalid_limit", "limit"},
		"/1?first_change=-1":          {"invalid_request", "first_change"},
		"/first":                      {"invalid_request", "version"},
		"/stream?after=x":             {"invalid_request", "after"},
		"/stream?after=100":           {"invalid_request", "after"},
		"/stream?since=x":             {"invalid_request", "since"},
		"/stream?kind=x":              {"unknown_kind", "kind"},
		"/stream?limit=-1":            {"invalid_limit", "limit"},
		"/export?format=xml":          {"invalid_request", "format"},
		"/export?kind=x":              {"unknown_kind", "kind"},
		"/export?limit=5":             {"invalid_request", "limit"},
	} {
		t.Run(query, func(t *testing.T) {
			a.t = t
			a.do("GET", "/v1/journal"+query, "").refused(422, want.code, want.field)
		})
	}
	a.t = t
	for _, version := range []string{"0", "2", "99999999999"} {
		a.do("GET", "/v1/journal/"+version, "").refused(404, "entry_not_found", "")
	}
	a.do("GET", "/v1/journal/stream", "", "Last-Event-ID", "-1").refused(422, "invalid_request", "Last-Event-ID")
	a.do("GET", "/v1/journal/stream", "", "Authorization", "-").refused(401, "unauthenticated", "")
	a.do("GET", "/v1/journal/export", "", "Authorization", "-").refused(401, "unauthenticated", "")
}
