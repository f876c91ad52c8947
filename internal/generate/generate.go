package generate

import (
	"bufio"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/ndjson"
	"github.com/tenantry/tenantry/schema"
)

// Names that every generated environment has.
const (
	RootAccount account.ID      = "acc-0"
	RootUser    account.UserID  = "root"
	AdminRole   account.RoleKey = "admin" // all built-in permissions
)

// Config says what to generate. Its zero value is a small environment.
type Config struct {
	Accounts int // how many, RootAccount included; 0 is 1,000
	Users    int // how many, RootUser included; 0 is half as many as accounts
	FanOut   int // the most children of an account; 0 is 10
	Depth    int // the most levels of accounts, RootAccount being level 1; 0 is 8
	Seed     uint64

	// Environment, if set, is started by the first line; if not, the environment that
	// the output is loaded into needs a maximum depth of at least Depth.
	Environment account.EnvironmentID
}

// Summary counts what was generated.
type Summary struct {
	Roles       int
	Accounts    int
	Parents     int // accounts with sub-accounts
	Levels      int // levels of accounts in use
	Users       int
	Blocked     int // users
	Memberships int
	Granted     int // memberships with sub-account access of their own, those kept from always_on included
	Expiring    int // memberships
}

// Generate writes roles, accounts (parents first), users and memberships to w, and
// counts them. It holds about 20 bytes an account in memory. An Invalid fault (codes
// invalid_size, invalid_max_depth, invalid_id, tree_too_small: FanOut and Depth leave
// no room for so many accounts) comes before anything is written; other errors are those of w.
func Generate(w io.Writer, cfg Config) (Summary, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return Summary{}, err
	}
	catalogue, err := schema.Default()
	if err != nil {
		return Summary{}, err
	}
	buffered := bufio.NewWriterSize(w, 1<<16)
	g := generator{cfg: cfg, out: ndjson.NewWriter(buffered)}
	for _, step := range []func() error{
		g.environment,
		func() error { return g.roles(catalogue) },
		func() error { g.grow(); return nil },
		g.accounts,
		g.users,
		g.memberships,
		buffered.Flush,
	} {
		if err := step(); err != nil {
			return g.sum, err
		}
	}
	return g.sum, nil
}

func (c Config) withDefaults() Config {
	orElse := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	orElse(&c.Accounts, 1000)
	orElse(&c.Users, max(c.Accounts/2, 1))
	orElse(&c.FanOut, 10)
	orElse(&c.Depth, 8)
	return c
}

func (c Config) check() error {
	for _, n := range []struct {
		field string
		value int
	}{{"accounts", c.Accounts}, {"users", c.Users}, {"fan_out", c.FanOut}} {
		if n.value < 1 || n.value > math.MaxInt32 {
			return fault.New(fault.Invalid, "invalid_size", "%s is between 1 and %d, not %d", n.field, math.MaxInt32, n.value).In(n.field)
		}
	}
	if err := account.CheckMaxDepth(c.Depth); err != nil {
		return fault.From(err).In("depth")
	}
	if c.Environment != "" {
		if err := account.CheckID("environment", c.Environment); err != nil {
			return err
		}
	}
	if room := capacity(c.FanOut, c.Depth, c.Accounts); room < c.Accounts {
		return fault.New(fault.Invalid, "tree_too_small",
			"%d levels with at most %d children an account hold %d accounts, not %d", c.Depth, c.FanOut, room, c.Accounts).In("accounts")
	}
	return nil
}

// capacity returns how many accounts the limits allow, or some number that is at least enough.
func capacity(fanOut, depth, enough int) int {
	total, level := 0, 1
	for range depth {
		total += level
		if total >= enough {
			break
		}
		level *= fanOut // less than enough × fanOut: no overflow
	}
	return total
}

// generator is one run. Each part of the output rolls dice of its own.
type generator struct {
	cfg  Config
	out  *ndjson.Writer
	tree []node
	sum  Summary
}

func (g *generator) environment() error {
	if g.cfg.Environment == "" {
		return nil
	}
	return g.out.Write(*account.Of(account.Environment{
		ID:                 g.cfg.Environment,
		Name:               title(string(g.cfg.Environment)),
		SubAccountsEnabled: true,
		DefaultAccessMode:  account.DefaultOff,
		MaxDepth:           max(account.DefaultMaxDepth, g.cfg.Depth),
	}))
}

// title makes a name of an identifier.
func title(id string) string {
	words := strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == '_' })
	if len(words) == 0 {
		return id
	}
	name := strings.Join(words, " ")
	return strings.ToUpper(name[:1]) + name[1:]
}

func accountID(i int) account.ID { return account.ID("acc-" + strconv.Itoa(i)) }

func userID(i int) account.UserID {
	if i == 0 {
		return RootUser
	}
	return account.UserID("user-" + strconv.Itoa(i))
}
