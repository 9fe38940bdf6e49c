//go:build !linux

package bench

import "time"

// sleepFinely sleeps as finely as the runtime does.
func sleepFinely(d time.Duration) { time.Sleep(d) }
