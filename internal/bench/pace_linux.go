package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleepFinely sleeps by the system's high-resolution timer.
func sleepFinely(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, &ts) == unix.EINTR { // ts is what is left
		continue
	}
}
