//go:build !small

package pictures

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

var (
	background = color.White
	faint      = color.Gray{Y: 225}
	ink        = color.Gray{Y: 60}
)

// palette has colours that people who are colour-blind can tell apart too (Okabe and Ito), without the yellow, which is
// too light for lines on white. What comes after the last begins again, with other dashes.
var palette = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{86, 180, 233, 255}, color.RGBA{230, 159, 0, 255},
	color.RGBA{0, 0, 0, 255},
}

func colour(i int) color.Color { return palette[i%len(palette)] }

// stroke is the line of series i. thin is for what accompanies the main line.
func stroke(i int, thin bool) draw.LineStyle {
	s := draw.LineStyle{Color: colour(i), Width: vg.Points(1.8)}
	if thin {
		s.Width = vg.Points(1)
		s.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
	}
	if i >= len(palette) {
		s.Dashes = append([]vg.Length{vg.Points(8), vg.Points(3)}, s.Dashes...)
	}
	return s
}

func sized(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func titleStyle() text.Style {
	return text.Style{Color: ink, Font: sized(13), XAlign: text.XCenter, YAlign: text.YCenter,
		Handler: plot.DefaultTextHandler}
}

// panel is a plot in the style of all.
func panel(title, x string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.BackgroundColor = background
	p.X.Label.Text = x
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Label.TextStyle.Color, axis.Tick.Color, axis.Tick.Label.Color = ink, ink, ink, ink
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = sized(10), sized(9)
	}
	p.Title.TextStyle.Font, p.Title.TextStyle.Color = sized(11), ink
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = faint, faint
	p.Add(grid)
	return p
}

// ticks are those of an axis that is not logarithmic: at most eight, at round numbers.
type ticks struct{}

// Ticks implements plot.Ticker.
func (ticks) Ticks(from, to float64) (all []plot.Tick) {
	const most = 8
	step := math.Pow(10, math.Floor(math.Log10((to-from)/most)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (to-from)/(step*factor) <= most {
			step *= factor
			break
		}
	}
	for i := math.Ceil(from / step); len(all) <= most && i*step <= to; i++ {
		all = append(all, plot.Tick{Value: i * step, Label: round(i * step)})
	}
	return all
}

// logTicks are those of a logarithmic axis: at 1, 2 and 5 in each decade, or, of many decades, at 1.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(from, to float64) (all []plot.Tick) {
	first, last := math.Floor(math.Log10(from)), math.Ceil(math.Log10(to))
	steps := []float64{1, 2, 5}
	if last-first > 4 {
		steps = steps[:1]
	}
	stride := math.Max(1, math.Ceil((last-first)/8))
	for e := first; e <= last; e += stride {
		for _, step := range steps {
			if v := step * math.Pow(10, e); v >= from*(1-1e-9) && v <= to*(1+1e-9) {
				all = append(all, plot.Tick{Value: v, Label: round(v)})
			}
		}
	}
	return all
}

// round writes the round number of a tick.
func round(v float64) string {
	if v == 0 || math.Abs(v) >= 1e9 || math.Abs(v) < 1e-6 {
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	s := bench.Number(v)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// around gives round numbers, 1, 2 or 5 times a power of ten, below and above values.
func around(low, high float64) (float64, float64) {
	round := func(v float64, up bool) float64 {
		decade := math.Pow(10, math.Floor(math.Log10(v)))
		best := decade
		for _, f := range []float64{1, 2, 5, 10} {
			if f*decade <= v {
				best = f * decade
			} else if up {
				return f * decade
			}
		}
		return best
	}
	return round(low, false), round(high, true)
}
