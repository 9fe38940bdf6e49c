//go:build !small

package pictures

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// overTime draws throughput, and latency below it, at the end of each interval.
func overTime(all []series) (p Picture, left []string, err error) {
	speed := lines{panel: panel("goodput, Mbit/s", ""), even: true}
	late := lines{panel: panel("latency, ms: p50, and p99 in dashes", "")}
	for i, s := range all {
		drawn := false
		for _, run := range s.runs {
			var goodput, p50, p99 plotter.XYs
			for _, x := range run.Intervals {
				if begins := x.AtS - x.Seconds; run.DurationS > 0 && begins > 0.98*run.DurationS {
					continue // what was on its way at the end of the window
				}
				goodput = append(goodput, plotter.XY{X: x.AtS, Y: x.GoodputMbps})
				if l := x.Latency; l != nil {
					p50 = append(p50, plotter.XY{X: x.AtS, Y: l.P50})
					p99 = append(p99, plotter.XY{X: x.AtS, Y: l.P99})
				}
			}
			speed.add(i, goodput, false)
			late.add(i, p50, false)
			late.add(i, p99, true)
			drawn = drawn || len(goodput) > 0
		}
		if drawn {
			p.legend = append(p.legend, entry{s.name, i})
		} else {
			left = append(left, fmt.Sprintf("%s: no intervals, so it is not in the picture over time", s.name))
		}
	}
	p.Name, p.width, p.row = "time", wide, 8*vg.Centimeter
	for _, l := range []*lines{&speed, &late} {
		if l.some {
			p.rows = append(p.rows, []*plot.Plot{l.finish()})
		}
	}
	if n := len(p.rows); n > 0 {
		p.rows[n-1][0].X.Label.Text = "seconds of the measured window"
	}
	return p, left, speed.err(late)
}

// percentiles draws how large a share of the objects was faster than what.
func percentiles(all []series) (p Picture, left []string, err error) {
	curve := lines{panel: panel("latency, ms", "share of the objects, %")}
	for i, s := range all {
		drawn := false
		for _, run := range s.runs {
			if run.Latency == nil || run.Latency.Log == "" {
				continue
			}
			h, err := run.Latency.Histogram()
			if err != nil {
				return p, nil, fmt.Errorf("%s: %w", s.name, err)
			}
			var xys plotter.XYs
			for share := range shares(h.TotalCount()) {
				xys = append(xys, plotter.XY{X: nines(share), Y: float64(h.ValueAtPercentile(share*100)) / 1e6})
			}
			curve.add(i, xys, false)
			drawn = true
		}
		if drawn {
			p.legend = append(p.legend, entry{s.name, i})
		} else {
			left = append(left, fmt.Sprintf("%s: no latencies, so it is not among the percentile curves", s.name))
		}
	}
	p.Name, p.width, p.row = "percentiles", wide, 11*vg.Centimeter
	if curve.some {
		c := curve.finish()
		c.X.Tick.Marker = nineTicks{}
		p.rows = [][]*plot.Plot{{c}}
	}
	return p, left, curve.err()
}

// nines stretches the upper end of the shares: 0 at 0, 1 at 0.9, 2 at 0.99.
func nines(share float64) float64 { return -math.Log10(1 - share) }

// shares are those at which a curve has points: 50 for each nine, up to the last that n samples can tell.
func shares(n int64) func(yield func(float64) bool) {
	return func(yield func(float64) bool) {
		last := math.Log10(float64(max(n, 1)))
		for x := 0.0; x <= last; x += 0.02 {
			if !yield(1 - math.Pow(10, -x)) {
				return
			}
		}
	}
}

// nineTicks are at 0 %, 50 %, 90 %, 99 % and so on.
type nineTicks struct{}

func (nineTicks) Ticks(_, to float64) []plot.Tick {
	all := []plot.Tick{{Value: 0, Label: "0"}, {Value: nines(0.5), Label: "50"}}
	for i := 1; float64(i) <= to; i++ {
		label := fmt.Sprintf("%.*f", max(0, i-2), 100-math.Pow(10, 2-float64(i)))
		all = append(all, plot.Tick{Value: float64(i), Label: label})
	}
	return all
}

// lines are those of one panel.
type lines struct {
	panel     *plot.Plot
	some      bool
	even      bool    // never on a logarithmic scale
	low, high float64 // of the values above 0
	failed    error
}

// add draws a line of series i through points.
func (l *lines) add(i int, xys plotter.XYs, thin bool) {
	if len(xys) == 0 {
		return
	}
	line, err := plotter.NewLine(xys)
	if err != nil {
		l.failed = fmt.Errorf("%s: %w", l.panel.Title.Text, err)
		return
	}
	line.LineStyle = stroke(i, thin)
	for _, xy := range xys {
		if y := xy.Y; y > 0 {
			if l.low == 0 || y < l.low {
				l.low = y
			}
			l.high = max(l.high, y)
		}
	}
	l.panel.Add(line)
	l.some = true
}

// farApart is the ratio of the largest to the smallest value from which on an axis is logarithmic.
const farApart = 50

// finish chooses the scales.
func (l *lines) finish() *plot.Plot {
	x, y := &l.panel.X, &l.panel.Y
	if l.high > farApart*l.low && !l.even {
		y.Scale, y.Tick.Marker = atLeast{}, logTicks{}
		y.Min, y.Max = around(l.low, l.high)
	} else {
		y.Min, y.Max, y.Tick.Marker = 0, max(l.high*1.05, least), ticks{}
	}
	x.Min, x.Max, x.Tick.Marker = 0, max(x.Max, least), ticks{}
	return l.panel
}

// least is the end of an axis on which all is 0.
const least = 1e-3

func (l *lines) err(more ...lines) error {
	for _, x := range append(more, *l) {
		if x.failed != nil {
			return x.failed
		}
	}
	return nil
}

// atLeast is a logarithmic scale on which what is smaller lies at the lower end.
type atLeast struct{}

// Normalize implements plot.Normalizer.
func (atLeast) Normalize(low, high, x float64) float64 {
	return plot.LogScale{}.Normalize(low, high, max(x, low))
}
