//go:build !small

// Package pictures draws what benches found: throughput and latency over time, the percentile curve, and bars side by
// side, as SVG and PNG.
package pictures

import (
	"fmt"
	"io"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// Formats are the forms that a picture can have.
func Formats() []string { return []string{"svg", "png"} }

// Picture is one of them: panels in rows.
type Picture struct {
	// Name says what it shows: time, percentiles or bars.
	Name   string
	title  string
	legend []entry
	rows   [][]*plot.Plot
	width  vg.Length
	row    vg.Length // height
}

// Draw makes the pictures that the results have figures for. left says of each result that a picture is without, why.
func Draw(results []*bench.Result) (pictures []Picture, left []string, err error) {
	if len(results) == 0 {
		return nil, nil, fmt.Errorf("nothing to draw: there is no result")
	}
	all, common := seriesOf(results)
	for _, draw := range []func([]series) (Picture, []string, error){overTime, percentiles, bars} {
		p, without, err := draw(all)
		if err != nil {
			return nil, nil, err
		}
		left = append(left, without...)
		if len(p.rows) > 0 {
			p.title = common
			pictures = append(pictures, p)
		}
	}
	return pictures, left, nil
}

const (
	wide    = 24 * vg.Centimeter
	heading = 1 * vg.Centimeter
	pixels  = 144 // an inch of a PNG
)

// Write draws in one of the Formats.
func (p Picture) Write(w io.Writer, format string) error {
	width, height := p.width, p.row*vg.Length(len(p.rows))+p.legendHeight()
	if p.title != "" {
		height += heading
	}
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case "svg":
		canvas = vgsvg.NewWith(vgsvg.UseWH(width, height))
	case "png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pixels))}
	default:
		return fmt.Errorf("pictures have the forms %v, not %q", Formats(), format)
	}
	p.drawOn(draw.New(canvas))
	_, err := canvas.WriteTo(w)
	return err
}

// drawOn draws the panels. Those of a column have their axes above each other.
func (p Picture) drawOn(c draw.Canvas) {
	c.SetColor(background)
	c.Fill(c.Rectangle.Path())
	if p.title != "" {
		style := titleStyle()
		c.FillText(style, vg.Point{X: c.Center().X, Y: c.Max.Y - heading/2}, p.title)
		c = draw.Crop(c, 0, 0, 0, -heading)
	}
	p.drawLegend(c)
	c = draw.Crop(c, 0, 0, 0, -p.legendHeight())
	columns := 0
	for _, row := range p.rows {
		columns = max(columns, len(row))
	}
	rows := make([][]*plot.Plot, len(p.rows))
	for i, row := range p.rows {
		rows[i] = slices.Concat(row, make([]*plot.Plot, columns-len(row)))
	}
	tiles := draw.Tiles{Rows: len(rows), Cols: columns, PadX: 5 * vg.Millimeter, PadY: 5 * vg.Millimeter,
		PadTop: 2 * vg.Millimeter, PadBottom: 2 * vg.Millimeter, PadLeft: 2 * vg.Millimeter,
		PadRight: 4 * vg.Millimeter}
	for i, row := range plot.Align(rows, tiles, c) {
		for j, canvas := range row {
			if rows[i][j] != nil {
				rows[i][j].Draw(canvas)
			}
		}
	}
}
