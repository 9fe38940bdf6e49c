package bench

import (
	"hash/fnv"
	"os"
	"strings"
	"time"
)

// clock tells the time in nanoseconds, without steps. All processes of a host have the same clock, where the system
// lets them (hostTime).
type clock struct {
	base time.Time
	at   int64 // what the host's clock said then
	wall int64 // and the wall clock, in nanoseconds since 1970
	host uint32
}

func newClock() clock {
	base := time.Now()
	return clock{base: base, at: hostTime(base), wall: base.UnixNano(), host: hostID()}
}

// now is the time by the host's clock.
func (c clock) now() int64 { return c.at + int64(time.Since(c.base)) }

// of is what the host's clock says at a time.
func (c clock) of(t time.Time) int64 { return c.at + int64(t.Sub(c.base)) }

// epoch turns a time of the host's clock into nanoseconds since 1970.
func (c clock) epoch(t int64) int64 { return c.wall + t - c.at }

// resolution is the smallest step of the clock that shows in a thousand reads.
func (c clock) resolution() time.Duration {
	least := int64(time.Second)
	before := c.now()
	for range 1000 {
		now := c.now()
		if step := now - before; step > 0 {
			least = min(least, step)
		}
		before = now
	}
	return time.Duration(least)
}

// hostID tells hosts apart, and boots of a host: what has the same has one clock.
func hostID() uint32 {
	name, _ := os.Hostname()
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		name = strings.TrimSpace(string(b)) // containers of one host have it in common
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()
}
