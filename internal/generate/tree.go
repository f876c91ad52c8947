package generate

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// node is what is remembered of an account: the i-th of the tree is acc-i.
type node struct {
	parent   int32 // -1 for the root
	children int32
	level    uint8 // the root's is 1
	mode     mode
	manages  bool // sub_account_management
}

type mode uint8

const (
	defaultOff mode = iota
	defaultOn
	alwaysOn
)

func (m mode) name() account.AccessMode {
	switch m {
	case defaultOn:
		return account.DefaultOn
	case alwaysOn:
		return account.AlwaysOn
	default:
		return account.DefaultOff
	}
}

// grow plans the tree: who is whose child, and how each account is set.
func (g *generator) grow() {
	d := roll(g.cfg.Seed, forTree)
	g.tree = make([]node, g.cfg.Accounts)
	g.tree[0] = node{parent: -1, level: 1, manages: true}
	g.sum.Levels = 1
	var open []int32 // accounts that may have one more child
	if g.cfg.Depth > 1 {
		open = append(open, 0)
	}
	for i := 1; i < len(g.tree); i++ {
		at := d.below(len(open))
		parent := &g.tree[open[at]]
		n := node{parent: open[at], level: parent.level + 1}
		if parent.children++; int(parent.children) == g.cfg.FanOut {
			open[at] = open[len(open)-1]
			open = open[:len(open)-1]
		}
		if int(n.level) < g.cfg.Depth {
			open = append(open, int32(i))
		}
		switch roll := d.below(100); {
		case roll < 5:
			n.mode = alwaysOn
		case roll < 20:
			n.mode = defaultOn
		}
		g.tree[i] = n
		g.sum.Levels = max(g.sum.Levels, int(n.level))
	}
	for i := range g.tree {
		n := &g.tree[i]
		if n.children > 0 {
			g.sum.Parents++
		}
		n.manages = n.manages || n.children > 0 || d.in100(10)
	}
}

// accounts writes the tree: a parent has a lower number than its children.
func (g *generator) accounts() error {
	d := roll(g.cfg.Seed, forAccounts)
	first := time.Date(2015, 1, 5, 8, 0, 0, 0, time.UTC)
	const years = 10
	step := years * 365 * 24 * 3600 / len(g.tree) // seconds; each account is created in one of its own
	for i, n := range g.tree {
		a := account.Account{
			ID:                   accountID(i),
			Name:                 accountName(d, int(n.level)),
			SubAccountManagement: n.manages,
			AccessMode:           n.mode.name(),
			CreatedAt:            first.Add(time.Duration(i*step+d.below(step)) * time.Second),
		}
		if n.parent >= 0 {
			a.Parent = accountID(int(n.parent))
		}
		if err := g.out.Write(*account.Of(a)); err != nil {
			return err
		}
		g.sum.Accounts++
	}
	return nil
}
