package reference

import "time"

// handshake is how a client's handshake went: its outcome, and what was agreed on, "" where nothing was.
type handshake struct{ outcome, transport, draft string }

// handshakes has how long the handshakes of clients took.
type handshakes struct{ kept[handshake, histogram] }

// handshakeTimes are the bounds of the histogram.
var handshakeTimes = in(time.Microsecond, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
	1_000_000, 2_500_000, 5_000_000, 10_000_000)

// get finds or makes the histogram of a kind.
func (h *handshakes) get(k handshake) *histogram {
	return h.find(k, func() *histogram {
		x := newHistogram(handshakeTimes)
		return &x
	})
}

// metrics are those of all kinds.
func (h *handshakes) metrics() (all []Metric) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, x := range h.of {
		all = append(all, x.metric(Metric{Name: "handshake_seconds",
			Help:   "Handshakes of clients by their outcome: the time from the first packet.",
			Labels: []Label{{"draft", k.draft}, {"outcome", k.outcome}, {"transport", k.transport}}},
			float64(time.Second)))
	}
	return all
}
