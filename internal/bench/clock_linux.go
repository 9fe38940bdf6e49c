package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// hostTime reads the monotonic clock of the system, which all processes share.
func hostTime(base time.Time) int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return base.UnixNano()
	}
	return ts.Nano()
}
