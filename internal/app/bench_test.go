package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/generate"
	"github.com/tenantry/tenantry/internal/ndjson"
	"github.com/tenantry/tenantry/internal/testpg"
	"github.com/tenantry/tenantry/internal/testspice"
)

// benchmarks run on a generated tree of 1,000 accounts (fan-out 10) with 500
// users, on both shapes, in one run.
const benchEnv = "bench"

func benchmarked(b *testing.B, measure func(*testing.B, *service, caller)) {
	b.Helper()
	shapes := []shape{oneMachine, {name: "PostgreSQL and SpiceDB", make: func(t testing.TB) app.Config {
		spice := testspice.Start(t, testpg.Database(t))
		return app.Config{Database: testpg.Database(t), Remote: remote(spice)}
	}}}
	for _, shape := range shapes {
		b.Run(shape.name, func(b *testing.B) {
			s := start(b, shape.make(b))
			var file bytes.Buffer
			if _, err := generate.Generate(&file, generate.Config{Accounts: 1000, Users: 500, FanOut: 10, Depth: 6, Seed: 1, Environment: benchEnv}); err != nil {
				b.Fatal(err)
			}
			var records []directory.Record
			err := ndjson.Read(&file, func(r directory.Record) error {
				records = append(records, r)
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := s.Directory.Load(context.Background(), directory.Request{Actor: account.Actor{System: true}}, records, directory.LoadOptions{}); err != nil {
				b.Fatal(err)
			}
			measure(b, s, s.client(benchEnv, "bench", false, account.PortalAdmin))
		})
	}
}

// BenchmarkCheckHTTP is one check over a real port, of one client: of an
// account at the bottom, allowed by a grant at the root, and denied. The
// engine's caches are warm.
func BenchmarkCheckHTTP(b *testing.B) {
	benchmarked(b, func(b *testing.B, s *service, c caller) {
		for name, user := range map[string]string{"allowed": "root", "denied": "nobody"} {
			b.Run(name, func(b *testing.B) {
				body := fmt.Appendf(nil, `{"subject":"user:%s","permission":"fe.secure.read.users","resource":"account:acc-999"}`, user)
				for b.Loop() {
					req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.url+"/v1/check", bytes.NewReader(body))
					if err != nil {
						b.Fatal(err)
					}
					req.Header.Set("Authorization", "Bearer "+c.token)
					req.Header.Set("Content-Type", "application/json")
					resp, err := http.DefaultClient.Do(req)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
						b.Fatalf("%d %v", resp.StatusCode, err)
					}
					_ = resp.Body.Close()
				}
			})
		}
	})
}

// BenchmarkCheckInProcess is the same without HTTP, of ever another account, so that caches help less.
func BenchmarkCheckInProcess(b *testing.B) {
	benchmarked(b, func(b *testing.B, s *service, _ caller) {
		actor := account.Actor{Environment: benchEnv, System: true}
		i := 0
		for b.Loop() {
			i++
			q := access.Question{Subject: "user:root", Permission: "fe.secure.read.users", Resource: fmt.Sprintf("account:acc-%d", i%1000)}
			said, err := s.Access.Check(b.Context(), actor, []access.Question{q}, 0)
			if err != nil || !said.Items[0].Allowed {
				b.Fatalf("%v %+v", err, said.Items)
			}
		}
	})
}

// BenchmarkFeatureCheck is a check of a feature beside one of the permission that
// it asks for, in process, of accounts at depth 5 (five levels above them), ever another one so that caches
// help less. The plan is given at the root; the feature is switched nowhere, off
// and on again on the way, or for the account alone.
func BenchmarkFeatureCheck(b *testing.B) {
	benchmarked(b, func(b *testing.B, s *service, c caller) {
		c.must("POST", "/v1/features", obj{"key": "planned", "permission": "fe.secure.read.users"})
		c.must("POST", "/v1/features", obj{"key": "switched", "permission": "fe.secure.read.users"})
		c.must("POST", "/v1/plans", obj{"key": "pro", "features": []string{"planned", "switched"}})
		c.must("PUT", "/v1/accounts/acc-0/plan", obj{"plan": "pro"})
		const leaves = 32
		parent := "acc-0"
		for i := range 4 {
			id := fmt.Sprintf("deep-%d", i)
			c.must("POST", "/v1/accounts", obj{"id": id, "name": id, "parent": parent, "sub_account_management": true})
			parent = id
		}
		for i := range leaves {
			c.must("POST", "/v1/accounts", obj{"id": fmt.Sprintf("leaf-%d", i), "name": "Leaf", "parent": parent})
		}
		c.must("PUT", "/v1/accounts/deep-0/features/switched", obj{"enabled": false, "scope": "branch"})
		c.must("PUT", "/v1/accounts/deep-2/features/switched", obj{"enabled": true, "scope": "branch"})
		actor := account.Actor{Environment: benchEnv, System: true}
		for _, permission := range []string{"fe.secure.read.users", "feature:planned", "feature:switched"} {
			b.Run(permission, func(b *testing.B) {
				i := 0
				for b.Loop() {
					i++
					q := access.Question{Subject: "user:root", Permission: permission, Resource: fmt.Sprintf("account:leaf-%d", i%leaves)}
					said, err := s.Access.Check(b.Context(), actor, []access.Question{q}, 0)
					if err != nil || !said.Items[0].Allowed {
						b.Fatalf("%v %+v", err, said.Items)
					}
				}
			})
		}
	})
}

// BenchmarkSwitcher is the first page of 50, by name with total, of a user who may open all 1,000 accounts.
func BenchmarkSwitcher(b *testing.B) {
	benchmarked(b, func(b *testing.B, s *service, _ caller) {
		actor := account.Actor{Environment: benchEnv, System: true}
		for b.Loop() {
			reach, err := s.Access.Accounts(b.Context(), actor, access.Subject{User: "root"}, access.Filter{Sort: access.ByName}, 0)
			if err != nil || reach.Total != 1000 {
				b.Fatalf("%v, total %d", err, reach.Total)
			}
		}
	})
}

// BenchmarkWrite is a membership change until it is in force, of one writer.
func BenchmarkWrite(b *testing.B) {
	benchmarked(b, func(b *testing.B, s *service, _ caller) {
		req := directory.Request{Actor: account.Actor{Environment: benchEnv, System: true}}
		i := 0
		for b.Loop() {
			i++
			access := i%2 == 0
			result, err := s.Directory.SetMembership(b.Context(), req, directory.Grant{Account: "acc-0", User: "root", Roles: []account.RoleKey{"admin"}, SubAccountAccess: &access})
			if err != nil || !result.Applied {
				b.Fatalf("applied %t, %v", result.Applied, err)
			}
		}
	})
}
