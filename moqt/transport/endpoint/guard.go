package endpoint

import (
	"fmt"
	"runtime/debug"
)

// guard runs a function, of a goroutine for instance, and tells of its panic.
func guard(panicked func(value any, stack []byte), f func()) {
	defer func() {
		if value := recover(); value != nil {
			panicked(value, debug.Stack())
		}
	}()
	f()
}

// tellPanic tells the user's function of a panic, or warn where there is none.
func tellPanic(panicked func(value any, stack []byte), warn func(error), value any, stack []byte) {
	if panicked != nil {
		panicked(value, stack)
		return
	}
	warn(fmt.Errorf("a goroutine of a connection panicked: %v\n%s", value, stack))
}
