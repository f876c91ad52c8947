package app_test

import (
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/testpg"
	"github.com/tenantry/tenantry/internal/testspice"
)

func TestMain(m *testing.M) {
	beVictim()
	testpg.Main(m)
}

// shapes are the deployments that the same tests run on: one machine, and
// PostgreSQL with a SpiceDB, of which each test has its own.
func shapes(t *testing.T) []shape {
	t.Helper()
	machine := oneMachine
	machine.histories = 12 * time.Second
	return []shape{machine, manyMachines(t)}
}

func manyMachines(t *testing.T) shape {
	t.Helper()
	return shape{name: "PostgreSQL and SpiceDB", histories: 12 * time.Second, make: func(t testing.TB) app.Config {
		spice := testspice.New(t)
		return app.Config{Database: testpg.Database(t), Remote: remote(spice)}
	}}
}

func remote(s *testspice.Server) engine.RemoteConfig {
	return engine.RemoteConfig{Address: s.Address, Key: s.Key, Insecure: true}
}

func accountEnv(env string) account.EnvironmentID { return account.EnvironmentID(env) }

func (s *service) environmentOfDepth(env string, depth int) {
	s.t.Helper()
	_, err := s.Directory.CreateEnvironment(s.t.Context(), directory.Request{Actor: account.Actor{System: true}},
		account.Environment{ID: accountEnv(env), SubAccountsEnabled: true, MaxDepth: depth})
	if err != nil {
		s.t.Fatal(err)
	}
}
