package main

// benchCmd measures relays.
type benchCmd struct {
	Compare benchCompareCmd `cmd:"" help:"Run another program's bench in turns with ours, and give the ratios."`
	Plot    benchPlotCmd    `cmd:"" help:"Draw what benches found, as SVG and PNG."`
}
