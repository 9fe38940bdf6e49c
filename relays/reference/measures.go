package reference

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// measures are what the relay measures of all sessions of one draft on one transport.
type measures struct {
	sessions  atomic.Uint64 // that were set up
	firstByte histogram
	queued    histogram
	size      histogram
}

// sent notes that an object begins to go out to a subscriber.
func (m *measures) sent(e *entry) {
	now := time.Now()
	m.firstByte.observe(int64(now.Sub(e.began)))
	m.queued.observe(int64(now.Sub(e.noted)))
}

// class is a draft on a transport.
type class struct {
	draft     wire.Draft
	transport transport.Kind
}

// kept has one value for each key that was asked for. Safe for concurrent use.
type kept[K comparable, V any] struct {
	mu sync.Mutex
	of map[K]*V
}

// find finds the value of a key, or keeps the one that made makes.
func (t *kept[K, V]) find(k K, made func() *V) *V {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.of[k]
	if v == nil {
		v = made()
		if t.of == nil {
			t.of = make(map[K]*V)
		}
		t.of[k] = v
	}
	return v
}

// classes has the measures of each class that sessions were in.
type classes struct{ kept[class, measures] }

// get finds or makes the measures of a class.
func (c *classes) get(k class) *measures {
	return c.find(k, func() *measures {
		return &measures{firstByte: newHistogram(delays), queued: newHistogram(delays), size: newHistogram(sizes)}
	})
}

// metrics are those of all classes.
func (c *classes) metrics() (all []Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, m := range c.of {
		labels := []Label{{"draft", k.draft.String()}, {"transport", string(k.transport)}}
		about := func(name, help string) Metric { return Metric{Name: name, Help: help, Labels: labels} }
		sessions := about("sessions_established_total", "Sessions that were set up.")
		sessions.Kind, sessions.Value = Counter, float64(m.sessions.Load())
		const second = float64(time.Second)
		all = append(all, sessions,
			m.firstByte.metric(about("object_first_byte_seconds",
				"Time from the first byte of an object in to its first byte out to a subscriber."), second),
			m.queued.metric(about("object_queued_seconds",
				"Time from when an object could go out to a subscriber until it did."), second),
			m.size.metric(about("object_size_bytes", "Payloads of objects from publishers."), 1))
	}
	return all
}
