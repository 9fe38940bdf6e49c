package bench

import (
	"math"
	"slices"
	"strconv"
)

// Shown is a figure by which results are compared, in tables and as bars.
type Shown struct {
	Name  string // as in JSON, or like it
	Title string // for people, with the unit
	Of    func(*Result) (float64, bool)
}

// Compared are the figures by which results are compared, in the order in which they are shown.
func Compared() []Shown {
	received := func(of func(*Received) float64) func(*Result) (float64, bool) {
		return func(r *Result) (float64, bool) {
			if r.Received == nil {
				return 0, false
			}
			return of(r.Received), true
		}
	}
	latency := func(of func(*Latency) float64) func(*Result) (float64, bool) {
		return func(r *Result) (float64, bool) {
			if r.Latency == nil {
				return 0, false
			}
			return of(r.Latency), true
		}
	}
	memory := func(of func(*Memory) *float64) func(*Result) (float64, bool) {
		return func(r *Result) (float64, bool) {
			if r.Memory == nil || of(r.Memory) == nil {
				return 0, false
			}
			return *of(r.Memory), true
		}
	}
	cpu := func(of func(*CPU) *float64) func(*Result) (float64, bool) {
		return func(r *Result) (float64, bool) {
			if r.CPU == nil || of(r.CPU) == nil || r.Received == nil || r.Received.Objects == 0 {
				return 0, false
			}
			return *of(r.CPU) * 1e6 / float64(r.Received.Objects), true
		}
	}
	return []Shown{
		{"goodput_mbps", "goodput, Mbit/s", received(func(r *Received) float64 { return r.GoodputMbps })},
		{"objects_per_s", "objects/s", received(func(r *Received) float64 { return r.ObjectsPerS })},
		{"latency_ms.p50", "latency p50, ms", latency(func(l *Latency) float64 { return l.P50 })},
		{"latency_ms.p99", "latency p99, ms", latency(func(l *Latency) float64 { return l.P99 })},
		{"relay_cpu_us_per_object", "relay: processor time of an object, µs",
			cpu(func(c *CPU) *float64 { return c.RelayS })},
		{"process_cpu_us_per_object", "this end: processor time of an object, µs",
			cpu(func(c *CPU) *float64 { return &c.ProcessS })},
		{"relay_peak_mib", "relay: peak memory, MiB", memory(func(m *Memory) *float64 { return m.RelayMiB })},
		{"process_peak_mib", "this end: peak memory, MiB", memory(func(m *Memory) *float64 { return &m.ProcessMiB })},
	}
}

// Range is the median of a figure over several runs, the lowest and the highest.
type Range struct {
	Median  float64 `json:"median"`
	Lowest  float64 `json:"lowest"`
	Highest float64 `json:"highest"`
	Runs    int     `json:"runs"`
}

// RangeOf gives the range of values; nil for none. What is no number does not count.
func RangeOf(values []float64) *Range {
	v := slices.DeleteFunc(slices.Sorted(slices.Values(values)),
		func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
	n := len(v)
	if n == 0 {
		return nil
	}
	return &Range{Median: (v[(n-1)/2] + v[n/2]) / 2, Lowest: v[0], Highest: v[n-1], Runs: n}
}

// Over gives the range of a figure over the results that have it; nil for none.
func (s Shown) Over(results []*Result) *Range {
	var values []float64
	for _, r := range results {
		if v, ok := s.Of(r); ok {
			values = append(values, v)
		}
	}
	return RangeOf(values)
}

// Number writes a value for people, with three digits that count and thousands apart.
func Number(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	digits := max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	s := strconv.FormatFloat(v, 'f', digits, 64)
	whole := len(s)
	if digits > 0 {
		whole -= digits + 1
	}
	for i := whole - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
