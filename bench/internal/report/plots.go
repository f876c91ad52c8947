package report

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/tenantry/tenantry/bench/internal/contest"
)

// picture is a plot and its file's name without the ending.
type picture struct {
	file, title string
	draw        func(*plot.Plot) error
}

// The size of a plot.
const (
	width  = 9 * vg.Inch
	height = 5 * vg.Inch
	gap    = 10 * vg.Inch / 72 // below the title
)

// Plots writes all plots into a folder, which it makes.
func (r *Report) Plots(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // for everybody to read
		return err
	}
	for _, p := range r.plots() {
		drawn := plot.New()
		drawn.Title.Text, drawn.Title.Padding = p.title, gap
		if err := p.draw(drawn); err != nil {
			return fmt.Errorf("plot %s: %w", p.file, err)
		}
		if err := drawn.Save(width, height, filepath.Join(folder, p.file+".svg")); err != nil {
			return err
		}
	}
	return nil
}

func (r *Report) plots() []picture {
	var all []picture
	for i, about := range growing(r.Main) {
		if len(r.Others) > 0 {
			all = append(all, picture{about.file, about.title + ", median", func(p *plot.Plot) error { return r.lines(p, i) }})
		}
	}
	ninth, whole := contest.Ninth(r.Main.World).Accounts, r.Main.World.Size.Accounts
	rate := func(f contest.Figure) float64 { return f.Rate }
	for _, b := range []struct {
		file, title, key string
		of               func(contest.Figure) float64
		format           func(float64) string
	}{
		{"bars-check", "check, allowed, deep: median", contest.AllowDeep, median, Time},
		{"bars-check-denied", "check, denied, deep: median", contest.DenyDeep, median, Time},
		{"bars-rate", "checks a second, 8 clients", contest.Crowd, rate, Rate},
		{"bars-page", fmt.Sprintf("first page of 50 by name with total, of %d accounts: median", ninth), contest.PageKey(ninth), median, Time},
		{"bars-list", fmt.Sprintf("full list of %d accounts: median", whole), contest.ListKey(whole), median, Time},
		{"bars-change", "from a grant's acknowledgement until it is in the list: median", contest.GrantInList, median, Time},
	} {
		all = append(all, picture{b.file, b.title, func(p *plot.Plot) error { return r.bars(p, b.key, b.of, b.format) }})
	}
	return all
}

// lines draws the median of a growing case against the number of accounts, for every system with a right answer.
func (r *Report) lines(p *plot.Plot, about int) error {
	p.X.Label.Text, p.Y.Label.Text = "accounts", "time"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = decades(digits), decades(Time)
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	defer makeRoom(p)
	for n, s := range r.Main.Systems {
		var points plotter.XYs
		for _, result := range r.all() {
			cell := result.Cell(growing(result)[about].key, s.Name)
			if wrong, _ := cell.Wrong(); cell != nil && wrong == 0 && !math.IsNaN(cell.Median()) {
				points = append(points, plotter.XY{X: float64(result.World.Size.Accounts), Y: cell.Median()})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, marks.Color, marks.Shape = plotutil.Color(n), plotutil.Color(n), plotutil.Shape(n)
		line.Dashes = plotutil.Dashes(n / len(plotutil.DefaultColors))
		p.Add(line, marks)
		p.Legend.Add(s.Title, line, marks)
	}
	return nil
}

// makeRoom leaves the right of a plot to the legend, and begins and ends its times at powers of ten.
func makeRoom(p *plot.Plot) {
	const legend = 30 // times as many accounts as the last point has
	last := p.X.Max
	ticks := p.X.Tick.Marker
	p.X.Tick.Marker = plot.TickerFunc(func(low, _ float64) []plot.Tick { return ticks.Ticks(low, last) })
	p.X.Max *= legend
	p.Y.Min, p.Y.Max = math.Pow(10, math.Floor(math.Log10(p.Y.Min))), math.Pow(10, math.Ceil(math.Log10(p.Y.Max)))
}

// bars draws one number of every system, on a logarithmic scale, as systems differ by many powers of ten.
func (r *Report) bars(p *plot.Plot, key string, of func(contest.Figure) float64, format func(float64) string) error {
	type bar struct {
		title string
		value float64
		wrong bool
	}
	var all []bar
	for _, s := range r.Main.Systems {
		cell := r.Main.Cell(key, s.Name)
		if cell == nil || len(cell.Rounds) == 0 {
			continue
		}
		wrong, _ := cell.Wrong()
		all = append(all, bar{s.Title, middle(cell, of), wrong > 0})
	}
	if len(all) == 0 {
		return nil
	}
	slices.Reverse(all) // the first is drawn at the bottom
	least := math.Inf(1)
	for _, b := range all {
		least = min(least, b.value)
	}
	floor := math.Floor(math.Log10(least))
	var right, wrong plotter.Values
	var names []string
	for _, b := range all {
		height := math.Log10(b.value) - floor
		label := b.title + "  " + format(b.value)
		if b.wrong {
			right, wrong, label = append(right, 0), append(wrong, height), label+", incomplete"
		} else {
			right, wrong = append(right, height), append(wrong, 0)
		}
		names = append(names, label)
	}
	for _, part := range []struct {
		values plotter.Values
		color  color.Color
	}{{right, plotutil.Color(2)}, {wrong, color.Gray{Y: 190}}} {
		drawn, err := plotter.NewBarChart(part.values, vg.Points(14))
		if err != nil {
			return err
		}
		drawn.Horizontal, drawn.Color, drawn.LineStyle.Width = true, part.color, 0
		p.Add(drawn)
	}
	p.NominalY(names...)
	p.X.Min, p.X.Max = 0, math.Ceil(p.X.Max)
	p.X.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick {
		var ticks []plot.Tick
		for e := math.Ceil(low); e <= high; e++ {
			ticks = append(ticks, plot.Tick{Value: e, Label: format(math.Pow(10, e+floor))})
		}
		return ticks
	})
	return nil
}

// decades marks the powers of ten.
func decades(format func(float64) string) plot.Ticker {
	return plot.TickerFunc(func(low, high float64) []plot.Tick {
		var ticks []plot.Tick
		for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
			if v := math.Pow(10, e); v >= low && v <= high {
				ticks = append(ticks, plot.Tick{Value: v, Label: format(v)})
			}
		}
		return ticks
	})
}
