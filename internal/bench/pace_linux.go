package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleepFinely sleeps by the system's high-resolution timer. Without a slack of its own a thread wakes up to 50 us late.
func sleepFinely(d time.Duration) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // of the thread that this is on, most of the time
	ts := unix.NsecToTimespec(int64(d))
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, &ts) == unix.EINTR { // ts is what is left
		continue
	}
}
