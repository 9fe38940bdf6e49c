//go:build small

package main

import "github.com/moqinterop/moq-interop-client/internal/bench"

// showBar shows nothing: the image goes without bars.
func (*system) showBar(*bench.Config) (end func()) { return func() {} }
