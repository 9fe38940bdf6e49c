package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTicks is how many ticks a second has in /proc (USER_HZ), on every Linux that Go runs on.
const clockTicks = 100

// pidUsage is what another process has used: processor time, and resident memory in bytes. It needs /proc.
func pidUsage(pid int) (cpu time.Duration, memory uint64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	// The name of the program may hold anything; it ends with the last parenthesis (proc(5)).
	_, rest, _ := strings.Cut(string(b)[strings.LastIndexByte(string(b), ')')+1:], " ")
	fields := strings.Fields(rest)
	const user, system, resident = 11, 12, 21 // behind the name: state is the first
	if len(fields) <= resident {
		return 0, 0, fmt.Errorf("processor time of process %d: /proc has %d fields", pid, len(fields))
	}
	ticks := int64(0)
	for _, i := range []int{user, system} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("processor time of process %d: %w", pid, err)
		}
		ticks += n
	}
	pages, err := strconv.ParseUint(fields[resident], 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	return time.Duration(ticks) * time.Second / clockTicks, pages * uint64(os.Getpagesize()), nil
}

// residentMemory is this process's resident memory in bytes, and the most that it was; 0 where that is not known.
func residentMemory() (now, peak uint64) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, peakMemory()
	}
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, _ := strconv.ParseUint(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			now = n << 10
		case "VmHWM:":
			peak = n << 10
		}
	}
	return now, peak
}

func mib(bytes uint64) float64 { return float64(bytes) / (1 << 20) }
