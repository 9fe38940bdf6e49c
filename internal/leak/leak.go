// Package leak lets the tests of a package fail when they leave goroutines behind.
package leak

import (
	"time"

	"go.uber.org/goleak"
)

// patience is how long what is ending may take. A connection that a test has closed lives on for three probe timeouts
// (RFC 9000 §10.2), and those are long after a pause of the machine; goleak by itself waits a second at most.
const patience = 10 * time.Second

// VerifyTestMain runs the tests of a package and ends the process, with a failure if goroutines are left.
func VerifyTestMain(m goleak.TestingM, options ...goleak.Option) {
	goleak.VerifyTestMain(patient{m, options}, options...)
}

// patient runs tests, and waits for what they leave.
type patient struct {
	m       goleak.TestingM
	options []goleak.Option
}

// Run gives the exit code of the tests.
func (p patient) Run() int {
	code := p.m.Run()
	for end := time.Now().Add(patience); code == 0 && goleak.Find(p.options...) != nil && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	return code
}
