package app_test

import "fmt"

// journalRows are the requests to the log (L1).
func journalRows() []row {
	const managers = atEU + "clerk " // hold write.users at globex-eu
	latest := func(query string) func(*world) (string, any) {
		return func(w *world) (string, any) {
			w.newAccount("globex-eu")
			return fmt.Sprintf("/v1/journal/%d%s", w.head("prod"), query), nil
		}
	}
	return []row{
		{route: "GET /v1/journal", may: see, on: get("/v1/journal?order=desc&kind=account.*&actor=operator&subject=account:globex")},
		{route: "GET /v1/journal", may: see + managers, on: get("/v1/journal?account=globex-eu")},
		{route: "GET /v1/journal", may: see + aboveEU, on: get("/v1/journal?account=globex-eu&branch=true")},
		{route: "GET /v1/journal", may: see + aboveEU, on: get("/v1/journal?account=globex")},
		{route: "GET /v1/journal/{version}", may: see, made: true, on: latest("")},
		{route: "GET /v1/journal/{version}", may: see + aboveEU, made: true, on: latest("?account=globex-eu&branch=true")},
		{route: "GET /v1/journal/export", may: see, on: get("/v1/journal/export")},
		{route: "GET /v1/journal/export", may: see + managers, on: get("/v1/journal/export?account=globex-eu&format=csv")},
		{route: "GET /v1/journal/export", may: see + aboveEU, on: get("/v1/journal/export?account=globex-eu&branch=true")},
		{route: "GET /v1/journal/stream", may: see, on: get("/v1/journal/stream?after=0&limit=1")},
		{route: "GET /v1/journal/stream", may: see + managers, on: get("/v1/journal/stream?after=0&limit=1&account=globex-eu")},
		{route: "GET /v1/journal/stream", may: see + aboveEU, on: get("/v1/journal/stream?after=0&limit=1&account=globex-eu&branch=true")},
	}
}
