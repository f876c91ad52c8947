package report

import (
	"github.com/tenantry/tenantry/bench/internal/contest"
	"github.com/tenantry/tenantry/bench/internal/figures"
)

func median(f contest.Figure) float64 { return f.Median }

// ratios tells how many times as fast Tenantry's default shape was as each other system.
func (r *Report) ratios(m markdown) {
	var others []*contest.System
	entered := false
	for _, s := range r.Main.Systems {
		if s.Name == contest.Tenantry {
			entered = true
		} else {
			others = append(others, s)
		}
	}
	if !entered {
		return
	}
	m.line("")
	m.line("## How many times as fast Tenantry was")
	m.line("")
	m.line("Its default shape against each other system, reckoned within each round: median, least and greatest. × 2 is half the time; below 1 the other was faster. With a ⚠ the other's answers were not complete.")
	m.line("")
	head := []string{""}
	for _, s := range others {
		head = append(head, s.Title)
	}
	m.head(head...)
	for _, c := range r.Main.Cases {
		row := []string{c.Title}
		for _, s := range others {
			text := Range(r.Main.Ratios(c.Key, contest.Tenantry, s.Name, median), Times)
			if wrong, _ := r.Main.Cell(c.Key, s.Name).Wrong(); wrong > 0 {
				text += " ⚠"
			}
			row = append(row, text)
		}
		m.row(row...)
	}
}

// all returns the results in the order of their sizes.
func (r *Report) all() []*contest.Result {
	var out []*contest.Result
	put := false
	for _, o := range r.Others {
		if !put && o.World.Size.Accounts > r.Main.World.Size.Accounts {
			out, put = append(out, r.Main), true
		}
		out = append(out, o)
	}
	if !put {
		out = append(out, r.Main)
	}
	return out
}

// growing are the cases that are shown against the number of accounts, by what they are called there.
func growing(of *contest.Result) []struct{ key, title, file string } {
	ninth := contest.Ninth(of.World).Accounts
	return []struct{ key, title, file string }{
		{contest.AllowDeep, "check, allowed, deep", "growth-check"},
		{contest.PageKey(ninth), "first page of a ninth of the accounts", "growth-page"},
		{contest.ListKey(ninth), "full list of a ninth of the accounts", "growth-list"},
	}
}

// growth shows the cost against the number of accounts.
func (r *Report) growth(m markdown) {
	m.line("")
	m.line("## How cost grows")
	m.line("")
	m.line("For a check of a leaf by a grant at the root, and for the user with a ninth of the accounts; medians. – is not measured.")
	m.line("")
	head := []string{"", "accounts"}
	m.head(append(head, r.titles()...)...)
	for i, about := range growing(r.Main) {
		for _, result := range r.all() {
			row := []string{about.title, figures.Thousands(result.World.Size.Accounts)}
			for _, s := range r.Main.Systems {
				row = append(row, short(result, growing(result)[i].key, s.Name))
			}
			m.row(row...)
		}
	}
}

// short is the median alone.
func short(result *contest.Result, key, system string) string {
	cell := result.Cell(key, system)
	if cell == nil {
		return "–"
	}
	if len(cell.Rounds) == 0 {
		return cell.Note
	}
	text := Time(cell.Median())
	if wrong, _ := cell.Wrong(); wrong > 0 {
		text += " ⚠"
	}
	return text
}

// middle is the median over the rounds of a number of each.
func middle(c *contest.Cell, of func(contest.Figure) float64) float64 {
	return figures.Median(c.Values(of))
}
