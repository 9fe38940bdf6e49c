package pictures

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// figure is one that bars compare.
type figure struct {
	title string
	of    func(*bench.Result) (float64, bool)
}

// figures are those of the bars, in the order of the panels.
var figures = []figure{
	{"goodput, Mbit/s", func(r *bench.Result) (float64, bool) {
		if r.Received == nil {
			return 0, false
		}
		return r.Received.GoodputMbps, true
	}},
	{"objects/s", func(r *bench.Result) (float64, bool) {
		if r.Received == nil {
			return 0, false
		}
		return r.Received.ObjectsPerS, true
	}},
	{"latency p50, ms", latency(func(l *bench.Latency) float64 { return l.P50 })},
	{"latency p99, ms", latency(func(l *bench.Latency) float64 { return l.P99 })},
	{"relay: processor time of an object, µs", bench.RelayCPUPerObject},
	{"this end: processor time of an object, µs", bench.CPUPerObject},
	{"relay: peak memory, MiB", func(r *bench.Result) (float64, bool) {
		if r.Memory == nil || r.Memory.RelayMiB == nil {
			return 0, false
		}
		return *r.Memory.RelayMiB, true
	}},
	{"this end: peak memory, MiB", func(r *bench.Result) (float64, bool) {
		if r.Memory == nil {
			return 0, false
		}
		return r.Memory.ProcessMiB, true
	}},
}

func latency(of func(*bench.Latency) float64) func(*bench.Result) (float64, bool) {
	return func(r *bench.Result) (float64, bool) {
		if r.Latency == nil {
			return 0, false
		}
		return of(r.Latency), true
	}
}

// bars draws each figure in a panel of its own, two in a row: a bar for each series, as long as the median of its runs,
// with a line from the lowest to the highest.
func bars(all []series) (p Picture, left []string, err error) {
	p = Picture{Name: "bars", width: wide, row: vg.Length(2.4+0.8*float64(len(all))) * vg.Centimeter}
	var panels []*plot.Plot
	for _, f := range figures {
		panel, err := f.panel(all)
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

// spreadOf is the median, lowest and highest of the runs that have the figure.
func (f figure) spreadOf(s series) (median, low, high float64, ok bool) {
	var values []float64
	for _, r := range s.runs {
		if v, ok := f.of(r); ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0, 0, 0, false
	}
	slices.Sort(values)
	return bench.Median(values), values[0], values[len(values)-1], true
}

// panel draws one figure; nil where no series has it.
func (f figure) panel(all []series) (*plot.Plot, error) {
	p := panel("", "")
	p.Title.Text = f.title
	var names []string
	highest, some := 0.0, false
	for i, s := range all {
		y := float64(len(all) - 1 - i) // the first on top
		names = append([]string{s.name}, names...)
		median, low, high, ok := f.spreadOf(s)
		if !ok {
			continue
		}
		some = true
		highest = max(highest, high)
		bar, err := plotter.NewBarChart(plotter.Values{median}, 0.5*vg.Centimeter)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.title, err)
		}
		bar.Horizontal, bar.XMin, bar.Color, bar.LineStyle.Width = true, y, colour(i), 0
		p.Add(bar)
		if low < high {
			whisker, err := plotter.NewLine(plotter.XYs{{X: low, Y: y}, {X: high, Y: y}})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.title, err)
			}
			whisker.Color, whisker.Width = ink, vg.Points(1.2)
			p.Add(whisker)
		}
		label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: high, Y: y}},
			Labels: []string{number(median)}})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.title, err)
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
