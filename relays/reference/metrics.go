package reference

import "slices"

// MetricKind is the kind of a Metric.
type MetricKind uint8

// The kinds.
const (
	// Gauge is a value of now.
	Gauge MetricKind = iota
	// Counter only grows.
	Counter
	// Distribution tells how many values were how large.
	Distribution
)

// A Metric is something that a relay tells of itself, in the terms of Prometheus. It does not depend on a library for
// metrics: who serves them turns them into its own.
type Metric struct {
	// Name is that of a family, with its unit and without a prefix: "cache_bytes", "requests_total". Metrics of one
	// family have the same Help and Kind, and differ in Labels.
	Name, Help string
	Kind       MetricKind
	Labels     []Label
	// Value is that of a gauge or counter; of a distribution, the sum of its values.
	Value float64
	// Count is how many values a distribution has; Buckets tell of them in order, each with those of the ones before.
	Count   uint64
	Buckets []Bucket
}

// Label is a name and a value.
type Label struct{ Name, Value string }

// Bucket counts values up to a bound.
type Bucket struct {
	Upper float64
	Count uint64
}

// Metrics are the current values of all that the relay counts and measures.
func (r *Relay) Metrics() []Metric {
	r.slots.mu.Lock()
	streams := r.slots.open
	r.slots.mu.Unlock()
	all := append(r.counters.metrics(), Metric{Name: "streams", Kind: Gauge, Value: float64(streams),
		Help: "Subgroup streams that are open towards subscribers."})
	for _, h := range heldNames {
		all = append(all, Metric{Name: "held_bytes", Kind: Gauge, Labels: []Label{{"kind", h.name}},
			Value: float64(max(0, r.account.Of(h.kind))), Help: "Memory that clients make the relay hold, by kind."})
	}
	return slices.Concat(all, r.classes.metrics(), r.handshakes.metrics())
}

// metrics are the current values of the counters. A gauge may fall below 0 for a moment while it is being counted; it
// then shows 0.
func (c *Counters) metrics() []Metric {
	gauge := func(name, help string, v int64) Metric {
		return Metric{Name: name, Help: help, Kind: Gauge, Value: float64(max(0, v))}
	}
	count := func(name, help string, v uint64) Metric {
		return Metric{Name: name + "_total", Help: help, Kind: Counter, Value: float64(v)}
	}
	return []Metric{
		gauge("sessions", "Sessions, including those being set up.", c.Sessions.Load()),
		gauge("sessions_lobby", "Sessions without SETUP, or without a valid token where one is required.",
			c.Lobby.Load()),
		gauge("subscriptions", "Subscriptions of all sessions.", c.Subscriptions.Load()),
		gauge("fetches", "FETCH requests that are being answered.", c.Fetches.Load()),
		gauge("namespaces", "Namespaces that sessions publish.", c.Namespaces.Load()),
		gauge("publications", "Tracks that sessions publish by PUBLISH.", c.Publications.Load()),
		gauge("tracks", "Tracks that are in use or have objects in the cache.", c.Tracks.Load()),
		gauge("cache_bytes", "Bytes of the objects in the cache.", c.CacheBytes.Load()),
		gauge("waiting_bytes", "Bytes of objects that left the cache and wait for subscribers.", c.WaitingBytes.Load()),
		count("requests", "Requests from clients.", c.Requests.Load()),
		count("requests_refused", "Requests that were refused.", c.Refused.Load()),
		count("sessions_failed", "Connections whose session could not be set up.", c.SetupFailed.Load()),
		count("objects_in", "Objects from publishers.", c.ObjectsIn.Load()),
		count("objects_duplicate", "Objects from publishers that the relay had already.", c.Duplicates.Load()),
		count("objects_out", "Objects sent to subscribers.", c.ObjectsOut.Load()),
		count("objects_fetched", "Objects sent in answer to FETCH and fills.", c.FetchedOut.Load()),
		count("payload_bytes_in", "Payload bytes from publishers.", c.BytesIn.Load()),
		count("payload_bytes_out", "Payload bytes sent to subscribers.", c.BytesOut.Load()),
		count("objects_evicted", "Objects that left the cache because it was full.", c.Evicted.Load()),
		count("streams_too_far_behind", "Subgroup streams reset or never opened because a subscriber was too slow.",
			c.TooFarBehind.Load()),
		count("delivery_timeouts", "Subgroup streams reset and datagrams dropped for a delivery timeout.",
			c.TimedOut.Load()),
		count("datagrams_dropped", "Datagrams that could not be sent.", c.DatagramsDropped.Load()),
		count("objects_unencodable", "Objects that a subscriber's draft cannot express.", c.Unencodable.Load()),
		count("upstream_subscribes", "SUBSCRIBE requests made to publishers.", c.UpstreamSubscribes.Load()),
		count("upstream_fetches", "FETCH requests made to publishers.", c.UpstreamFetches.Load()),
	}
}
