//go:build small

// Package pictures stands in for the one that draws: fonts and drawing are a third of the program, and the container's
// image goes without (tag small).
package pictures

import (
	"io"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// Formats are the forms that a picture can have: none.
func Formats() []string { return nil }

// Picture is never made.
type Picture struct{ Name string }

// Write writes nothing.
func (Picture) Write(io.Writer, string) error { return ErrNone }

// Draw says that it cannot.
func Draw([]*bench.Result) (pictures []Picture, left []string, err error) { return nil, nil, ErrNone }
