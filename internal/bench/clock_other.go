//go:build !linux

package bench

import "time"

// hostTime is the wall clock: its steps and corrections between the start of two processes are errors of a latency
// between them.
func hostTime(base time.Time) int64 { return base.UnixNano() }
