//go:build !js

// The page's program, which runs in a browser alone.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "this is the program of a page: moq-interop-client web builds and serves it")
	os.Exit(2)
}
