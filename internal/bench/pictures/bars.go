//go:build !small

package pictures

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// bars draws each figure in a panel of its own, two in a row: a bar for each series, as long as the median of its runs,
// with a line from the lowest to the highest.
func bars(all []series) (p Picture, left []string, err error) {
	p = Picture{Name: "bars", width: wide, row: vg.Length(2.4+0.8*float64(len(all))) * vg.Centimeter}
	var panels []*plot.Plot
	for _, f := range bench.Compared() {
		panel, err := barsOf(f, all)
		if err != nil {
			return p, nil, err
		}
		if panel != nil {
			panels = append(panels, panel)
		}
	}
	for row := range slices.Chunk(panels, 2) {
		p.rows = append(p.rows, row)
	}
	for _, s := range all {
		if !slices.ContainsFunc(s.runs, func(r *bench.Result) bool { return r.Received != nil }) {
			left = append(left, fmt.Sprintf("%s: no subscriber, so its bars are few", s.name))
		}
	}
	return p, left, nil
}

// barsOf draws one figure; nil where no series has it.
func barsOf(f bench.Shown, all []series) (*plot.Plot, error) {
	p := panel(f.Title, "")
	var names []string
	highest, some := 0.0, false
	for i, s := range all {
		y := float64(len(all) - 1 - i) // the first on top
		names = append([]string{s.name}, names...)
		r := f.Over(s.runs)
		if r == nil {
			continue
		}
		some = true
		highest = max(highest, r.Highest)
		bar, err := plotter.NewBarChart(plotter.Values{r.Median}, 0.5*vg.Centimeter)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Title, err)
		}
		bar.Horizontal, bar.XMin, bar.Color, bar.LineStyle.Width = true, y, colour(i), 0
		p.Add(bar)
		if r.Lowest < r.Highest {
			whisker, err := plotter.NewLine(plotter.XYs{{X: r.Lowest, Y: y}, {X: r.Highest, Y: y}})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Title, err)
			}
			whisker.Color, whisker.Width = ink, vg.Points(1.2)
			p.Add(whisker)
		}
		label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: r.Highest, Y: y}},
			Labels: []string{bench.Number(r.Median)}})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Title, err)
		}
		label.Offset.X = vg.Points(4)
		label.TextStyle[0].Font, label.TextStyle[0].Color, label.TextStyle[0].YAlign = sized(9), ink, text.YCenter
		p.Add(label)
	}
	if !some {
		return nil, nil
	}
	p.NominalY(names...)
	p.Y.Min, p.Y.Max = -0.6, float64(len(all))-0.4
	p.X.Min, p.X.Max, p.X.Tick.Marker = 0, max(highest*1.2, least), ticks{}
	return p, nil
}
