package arrays

import (
	"strings"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// place is an account on the way from the root.
type place struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// row is an account as an account switcher shows it.
type row struct {
	place

	Parent string  `json:"parent,omitempty"`
	Depth  int     `json:"depth"`
	Path   []place `json:"path"` // the accounts above, the root first
}

// rows returns the first page of a user's accounts by name, and how many have the query in their names.
func (s *System) rows(user int, query string) (page []row, total int) {
	all := s.list(user)
	if query == "" {
		return s.describe(all[:min(peer.PageSize, len(all))]), len(all)
	}
	var found []int32
	for _, a := range all {
		if !strings.Contains(s.world.Folded[a], query) {
			continue
		}
		if total++; total <= peer.PageSize {
			found = append(found, a)
		}
	}
	return s.describe(found), total
}

// describe makes rows, going up from each account to the root.
func (s *System) describe(accounts []int32) []row {
	out := make([]row, len(accounts))
	for i, a := range accounts {
		r := row{place: s.place(int(a))}
		for at := tree.Parent(int(a)); at >= 0; at = tree.Parent(at) {
			r.Depth++
		}
		r.Path = make([]place, r.Depth)
		n := r.Depth
		for at := tree.Parent(int(a)); at >= 0; at = tree.Parent(at) {
			n--
			r.Path[n] = s.place(at)
		}
		if n = r.Depth; n > 0 {
			r.Parent = r.Path[n-1].ID
		}
		out[i] = r
	}
	return out
}

func (s *System) place(account int) place { return place{s.ids[account], s.world.Names[account]} }
