package generate_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/generate"
	"github.com/tenantry/tenantry/schema"
)

func TestGenerateKeepsItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := generate.Config{
			FanOut: rapid.IntRange(1, 6).Draw(t, "fan-out"), Depth: rapid.IntRange(1, 7).Draw(t, "depth"),
			Users: rapid.IntRange(1, 60).Draw(t, "users"), Seed: rapid.Uint64().Draw(t, "seed"),
			Environment: account.EnvironmentID(rapid.SampledFrom([]string{"", "load-test"}).Draw(t, "environment")),
		}
		room, level := 0, 1
		for range cfg.Depth {
			room, level = room+level, level*cfg.FanOut
		}
		cfg.Accounts = rapid.IntRange(1, min(room, 300)).Draw(t, "accounts")

		var text bytes.Buffer
		sum, err := generate.Generate(&text, cfg)
		if err != nil {
			t.Fatalf("%+v: %v", cfg, err)
		}
		c := load(t, text.Bytes())
		if (c.env != nil) != (cfg.Environment != "") {
			t.Fatalf("environment %v, asked for %q", c.env, cfg.Environment)
		}
		if diff := cmp.Diff(c.summary(), sum); diff != "" {
			t.Fatalf("summary (-text +returned):\n%s", diff)
		}
		if sum.Accounts != cfg.Accounts || sum.Users != cfg.Users || sum.Levels > cfg.Depth || c.children[""] != 1 {
			t.Fatalf("%+v has %+v and %d roots", cfg, sum, c.children[""])
		}
		for id := range c.accounts {
			if c.children[id] > cfg.FanOut {
				t.Fatalf("%s has %d children, the most is %d", id, c.children[id], cfg.FanOut)
			}
		}
		for id := range c.users {
			if n := len(c.members[id]); n < 1 || n > 3 {
				t.Fatalf("%s has %d memberships", id, n)
			}
		}
	})
}

func generated(t *testing.T, cfg generate.Config) ([]byte, generate.Summary) {
	t.Helper()
	var text bytes.Buffer
	sum, err := generate.Generate(&text, cfg)
	if err != nil {
		t.Fatalf("%+v: %v", cfg, err)
	}
	return text.Bytes(), sum
}

func TestGenerateIsDeterministic(t *testing.T) {
	a, _ := generated(t, generate.Config{Seed: 7})
	b, _ := generated(t, generate.Config{Seed: 7})
	c, _ := generated(t, generate.Config{Seed: 8})
	if !bytes.Equal(a, b) {
		t.Error("one seed gave two texts")
	}
	if bytes.Equal(a, c) {
		t.Error("two seeds gave one text")
	}
}

// TestGenerateIsStable fails when the output of a seed changes, which makes benchmarks of different releases incomparable.
func TestGenerateIsStable(t *testing.T) {
	want, err := os.ReadFile("testdata/seed-1.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := generated(t, generate.Config{Accounts: 6, Users: 5, Seed: 1, Environment: "load-test"})
	var got strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, `{"kind":"role"`) { // roles follow the catalogue
			got.WriteString(line)
		}
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("seed 1 (-want +got):\n%s", diff)
	}
}

func TestGenerateUsesEverything(t *testing.T) {
	text, sum := generated(t, generate.Config{Accounts: 2000, Users: 3000})
	c := load(t, text)
	if sum.Blocked == 0 || sum.Expiring == 0 || sum.Granted == 0 || sum.Levels != 8 {
		t.Errorf("something is missing: %+v", sum)
	}
	modes, roles, several, kept := map[account.AccessMode]int{}, map[account.RoleKey]int{}, 0, 0
	for _, a := range c.accounts {
		modes[a.AccessMode]++
	}
	for _, of := range c.members {
		if len(of) > 1 {
			several++
		}
		for _, m := range of {
			for _, r := range m.Roles {
				roles[r]++
			}
			if m.KeptFromAlwaysOn {
				kept++
			}
		}
	}
	if len(modes) != 3 || len(roles) != sum.Roles || several == 0 || kept == 0 {
		t.Errorf("modes %v, roles %v, %d users in several accounts, %d kept from always_on", modes, roles, several, kept)
	}
}

func TestA3_ParentsMayHaveSubAccounts(t *testing.T) {
	text, _ := generated(t, generate.Config{})
	c := load(t, text)
	for id, a := range c.accounts {
		if c.children[id] > 0 && !a.SubAccountManagement {
			t.Errorf("%s has %d children without sub_account_management", id, c.children[id])
		}
	}
}

func TestS2_AccessOnlyAtParents(t *testing.T) {
	text, _ := generated(t, generate.Config{})
	c := load(t, text)
	for user, of := range c.members {
		for id, m := range of {
			a := c.accounts[id]
			granted := m.SubAccountAccess != nil && *m.SubAccountAccess
			if granted && !a.SubAccountManagement && c.children[id] == 0 {
				t.Errorf("%s has sub-account access at %s, which is no parent", user, id)
			}
			if m.SubAccountAccess != nil && a.AccessMode == account.AlwaysOn {
				t.Errorf("%s at %s says %v, where always_on decides", user, id, *m.SubAccountAccess)
			}
		}
	}
}

func TestS1_RootMayOpenEverything(t *testing.T) {
	text, _ := generated(t, generate.Config{Users: 1})
	c := load(t, text)
	m, ok := c.members[generate.RootUser][generate.RootAccount]
	if !ok || m.SubAccountAccess == nil || !*m.SubAccountAccess || m.ExpiresAt != nil || c.users[generate.RootUser].Blocked {
		t.Errorf("membership of root: %+v", m)
	}
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(c.roles[generate.AdminRole].Permissions), len(catalogue.Permissions); got != want {
		t.Errorf("admin has %d permissions of %d", got, want)
	}
}

func TestGenerateFillsTheTree(t *testing.T) {
	text, sum := generated(t, generate.Config{Accounts: 1111, FanOut: 10, Depth: 4, Users: 1})
	c := load(t, text)
	if sum.Levels != 4 || sum.Parents != 111 || c.children["acc-0"] != 10 {
		t.Errorf("a full tree of 10 by 4: %+v", sum)
	}
	_, sum = generated(t, generate.Config{Accounts: 40, FanOut: 1, Depth: 40})
	if sum.Levels != 40 || sum.Parents != 39 {
		t.Errorf("a chain of 40: %+v", sum)
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		cfg         generate.Config
		code, field string
	}{
		"too many for the limits": {generate.Config{Accounts: 1112, FanOut: 10, Depth: 4}, "tree_too_small", "accounts"},
		"far too many":            {generate.Config{Accounts: 1 << 30, FanOut: 1, Depth: 40}, "tree_too_small", "accounts"},
		"negative accounts":       {generate.Config{Accounts: -1}, "invalid_size", "accounts"},
		"negative users":          {generate.Config{Users: -1}, "invalid_size", "users"},
		"more than fit":           {generate.Config{Accounts: 1 << 40}, "invalid_size", "accounts"},
		"negative fan-out":        {generate.Config{FanOut: -3}, "invalid_size", "fan_out"},
		"deeper than engines go":  {generate.Config{Depth: 41}, "invalid_max_depth", "depth"},
		"odd environment":         {generate.Config{Environment: "a/b"}, "invalid_id", "environment"},
	} {
		var text bytes.Buffer
		_, err := generate.Generate(&text, c.cfg)
		bad, ok := errors.AsType[*fault.Error](err)
		if !ok || bad.Kind != fault.Invalid || bad.Code != c.code || bad.Field != c.field || text.Len() > 0 {
			t.Errorf("%s: %v after %d bytes, want %s in %s", name, err, text.Len(), c.code, c.field)
		}
	}
}

type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }

func TestGenerateReportsItsWriter(t *testing.T) {
	gone := errors.New("disk full")
	if _, err := generate.Generate(full{gone}, generate.Config{}); !errors.Is(err, gone) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		if _, err := generate.Generate(io.Discard, generate.Config{Accounts: 100_000, Users: 100_000}); err != nil {
			b.Fatal(err)
		}
	}
}
