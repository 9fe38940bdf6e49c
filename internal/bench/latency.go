package bench

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies from a nanosecond to a quarter of an hour are told apart by a thousandth.
const (
	longestLatency = int64(15 * time.Minute)
	latencyDigits  = 3
)

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longestLatency, latencyDigits)
}

// latencies are those of all subscribers together, so that memory does not grow with their number.
type latencies struct {
	mu          sync.Mutex
	all         *hdrhistogram.Histogram
	interval    *hdrhistogram.Histogram
	early       uint64 // samples below 0: the clocks are not one
	differences float64
	compared    uint64
}

func newLatencies() *latencies { return &latencies{all: newHistogram(), interval: newHistogram()} }

// record takes samples in nanoseconds, in the order in which one subscriber had them, with the one before them, or -1.
func (l *latencies) record(samples []int64, before int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range samples {
		if v < 0 {
			l.early++
			v = 0
		}
		v = min(v, longestLatency)
		_ = l.all.RecordValue(v) // it fits
		_ = l.interval.RecordValue(v)
		if before >= 0 {
			d := v - before
			l.differences += float64(max(d, -d))
			l.compared++
		}
		before = v
	}
}

// lap gives the samples since the last lap, nil if there are none, and writes them to a log, if there is one.
func (l *latencies) lap(from, to time.Time, log *hdrhistogram.HistogramLogWriter) (*Spread, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := spread(l.interval)
	var err error
	if s != nil && log != nil {
		l.interval.SetStartTimeMs(from.UnixMilli())
		l.interval.SetEndTimeMs(to.UnixMilli())
		err = log.OutputIntervalHistogram(l.interval)
	}
	l.interval.Reset()
	return s, err
}

// NewLog begins a log of histograms in the form of HdrHistogram's log files: a line for each interval, with its time,
// its maximum in milliseconds, and the histogram of its latencies in nanoseconds.
func NewLog(w io.Writer) (*hdrhistogram.HistogramLogWriter, error) {
	l := hdrhistogram.NewHistogramLogWriter(w)
	return l, errors.Join(l.OutputComment("latencies of objects in ns, Interval_Max in ms"), l.OutputLogFormatVersion(),
		l.OutputStartTime(time.Now().UnixMilli()), l.OutputLegend())
}

// result gives all.
func (l *latencies) result() (*Latency, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := logged(l.all)
	if s == nil {
		return nil, err
	}
	r := &Latency{Spread: *s}
	if l.compared > 0 {
		r.Jitter = l.differences / float64(l.compared) / 1e6
	}
	return r, nil
}

// logged describes a histogram, and keeps all of it; nil if it is empty.
func logged(h *hdrhistogram.Histogram) (*Spread, error) {
	s := spread(h)
	if s == nil {
		return nil, nil
	}
	b, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encode a histogram: %w", err)
	}
	s.Log = string(b) // Base64 already
	return s, nil
}

// spread describes a histogram of nanoseconds; nil if it is empty.
func spread(h *hdrhistogram.Histogram) *Spread {
	if h.TotalCount() == 0 {
		return nil
	}
	ms := func(ns int64) float64 { return float64(ns) / 1e6 }
	return &Spread{Samples: uint64(h.TotalCount()), Min: ms(h.Min()), Mean: h.Mean() / 1e6,
		P50: ms(h.ValueAtPercentile(50)), P90: ms(h.ValueAtPercentile(90)), P99: ms(h.ValueAtPercentile(99)),
		P999: ms(h.ValueAtPercentile(99.9)), Max: ms(h.Max())}
}
