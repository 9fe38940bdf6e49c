package bench

import "slices"

// CPUPerObject is the processor time of this process, in microseconds, for each object that a subscriber got.
func CPUPerObject(r *Result) (float64, bool) {
	if r.CPU == nil {
		return 0, false
	}
	return perObject(r, &r.CPU.ProcessS)
}

// RelayCPUPerObject is that of the relay's process.
func RelayCPUPerObject(r *Result) (float64, bool) {
	if r.CPU == nil {
		return 0, false
	}
	return perObject(r, r.CPU.RelayS)
}

func perObject(r *Result, seconds *float64) (float64, bool) {
	if seconds == nil || r.Received == nil || r.Received.Objects == 0 {
		return 0, false
	}
	return *seconds * 1e6 / float64(r.Received.Objects), true
}

// Median is the middle of values, or of the two in the middle the mean; 0 for none.
func Median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	switch n := len(v); {
	case n == 0:
		return 0
	case n%2 == 1:
		return v[n/2]
	default:
		return (v[n/2-1] + v[n/2]) / 2
	}
}
