package main

// benchCmd measures relays.
type benchCmd struct {
	Plot benchPlotCmd `cmd:"" help:"Draw what benches found, as SVG and PNG."`
}
