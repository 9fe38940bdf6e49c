// Package quietlog lets the tests of a package fail when a library below has logged something.
package quietlog

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"testing"
)

// Run runs the tests of a package, and fails when something was logged: that would go to a user's stderr.
type Run struct{ M *testing.M }

// Run runs them and gives the exit code.
func (r Run) Run() int {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	code := r.M.Run()
	if code == 0 && logged.Len() > 0 {
		fmt.Fprintf(os.Stderr, "the libraries logged: %s", logged.Bytes())
		code = 1
	}
	return code
}
