//go:build !small

package pictures

import (
	"unicode/utf8"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// entry names series i in the legend, which stands above the panels, where it covers nothing.
type entry struct {
	name string
	i    int
}

const (
	legendLine   = 0.55 * vg.Centimeter
	legendSample = 0.9 * vg.Centimeter
	legendMargin = 0.4 * vg.Centimeter
)

// columns is how many entries fit beside each other.
func (p Picture) columns() int {
	longest := 0
	for _, e := range p.legend {
		longest = max(longest, utf8.RuneCountInString(e.name))
	}
	const letter = 0.19 * vg.Centimeter // a wide one
	room := (p.width - 2*legendMargin) / (legendSample + legendMargin + letter*vg.Length(longest))
	return max(1, min(int(room), 4, len(p.legend)))
}

func (p Picture) legendHeight() vg.Length {
	if len(p.legend) == 0 {
		return 0
	}
	n := p.columns()
	return vg.Length((len(p.legend)+n-1)/n) * legendLine
}

func (p Picture) drawLegend(c draw.Canvas) {
	n := p.columns()
	style := text.Style{Color: ink, Font: sized(9), YAlign: text.YCenter, Handler: plot.DefaultTextHandler}
	for at, e := range p.legend {
		x := c.Min.X + legendMargin + (p.width-2*legendMargin)*vg.Length(at%n)/vg.Length(n)
		y := c.Max.Y - legendLine*(vg.Length(at/n)+0.5)
		c.StrokeLine2(stroke(e.i, false), x, y, x+legendSample, y)
		c.FillText(style, vg.Point{X: x + legendSample + legendMargin/2, Y: y}, e.name)
	}
}
