//go:build !linux

package bench

import "time"

// fineTimer sleeps as finely as the runtime does.
type fineTimer struct{}

// sleep waits for a time that is not long.
func (*fineTimer) sleep(d time.Duration) { time.Sleep(d) }

func (*fineTimer) close() {}
